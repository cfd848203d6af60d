"""The map of a campaign's photos: where each photo is on a plane. Derived from the stored features."""

from django.db import models
from django.utils.translation import gettext_lazy

from annotation.models.campaigns import Campaign


class PhotoMap(models.Model):
    """The newest map of a campaign, and whether a worker makes another one. `Claims` finds the queued ones."""

    class State(models.TextChoices):
        IDLE = "idle", gettext_lazy("idle")
        QUEUED = "queued", gettext_lazy("queued")
        RUNNING = "running", gettext_lazy("running")
        FAILED = "failed", gettext_lazy("failed")

    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="photo_map")
    state = models.CharField(max_length=7, choices=State.choices, default=State.IDLE)
    step = models.CharField(max_length=40, blank=True, help_text="What a worker does now.")
    done = models.PositiveIntegerField(default=0, help_text="Of the present step.")
    total = models.PositiveIntegerField(default=0, help_text="Of the present step.")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    message = models.TextField(blank=True, help_text="Why the last attempt failed.")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what the map was made from.")
    photos = models.PositiveIntegerField(default=0, help_text="Photos on the map.")
    image_ids = models.BinaryField(default=bytes, help_text="Little-endian int64, ascending.")
    places = models.BinaryField(default=bytes, help_text="Little-endian uint16, two for each photo.")
    clusters = models.BinaryField(default=bytes, help_text="One byte for each photo; 0 is the largest cluster.")
    made_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(default=0.0, help_text="How long it took.")

    def __str__(self) -> str:
        return f"map of {self.campaign}"

    @property
    def is_coming(self) -> bool:
        """Return whether a worker makes another one now, or soon."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)

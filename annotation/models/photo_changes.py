"""Changes of many photos at once: deleting them, or moving them to another campaign."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy

from annotation.models.campaigns import Campaign
from annotation.models.photos import ImportBatch


class PhotoChange(models.Model):
    """A request to delete or move photos, with its progress and result. A worker does it in small parts.

    Answers are never deleted. So photos with answers are withdrawn instead of deleted, and are not moved.
    """

    class Kind(models.TextChoices):
        DELETE = "delete", gettext_lazy("delete")
        MOVE = "move", gettext_lazy("move")

    class State(models.TextChoices):
        QUEUED = "queued", gettext_lazy("queued")
        RUNNING = "running", gettext_lazy("running")
        DONE = "done", gettext_lazy("done")
        FAILED = "failed", gettext_lazy("failed")

    LIVE = (State.QUEUED, State.RUNNING)

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="photo_changes")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    state = models.CharField(max_length=7, choices=State.choices, default=State.QUEUED)
    batch = models.ForeignKey(
        ImportBatch, models.SET_NULL, null=True, related_name="photo_changes", help_text="All photos of this import."
    )
    image_ids = ArrayField(models.BigIntegerField(), default=list, help_text="Or these photos.")
    target = models.ForeignKey(Campaign, models.CASCADE, null=True, related_name="+", help_text="Where they move to.")
    reason = models.CharField(max_length=300, blank=True, help_text="Why photos are withdrawn.")
    step = models.CharField(max_length=60, blank=True, help_text="What it does now.")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField(default=0)
    withdrawn = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0, help_text="Photos that stay as they were.")
    message = models.TextField(blank=True, help_text="Why it failed.")
    heartbeat_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.total} photos of {self.campaign}"

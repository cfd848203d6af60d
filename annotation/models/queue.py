"""The queue: leases of photos to annotators, and the lanes that choose photos."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from annotation.models.campaigns import Campaign
from annotation.models.photos import Image


class Assignment(models.Model):
    """A lease of one photo to one annotator, with its current state."""

    class State(models.TextChoices):
        LEASED = "leased", gettext_lazy("leased")
        DONE = "done", gettext_lazy("done")
        SKIPPED = "skipped", gettext_lazy("skipped")
        EXPIRED = "expired", gettext_lazy("expired")
        RETURNED = "returned", gettext_lazy("returned")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="assignments")
    image = models.ForeignKey(Image, models.CASCADE, related_name="assignments")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assignments")
    state = models.CharField(max_length=8, choices=State.choices, default=State.LEASED)
    lane = models.CharField(max_length=40, default="random", help_text="The queue lane that chose the photo.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why the lane chose the photo, as text for people.")
    acquisition_probability = models.FloatField(
        null=True,
        blank=True,
        help_text="Probability of this photo in this draw. Empty when nothing was drawn.",
    )
    saw_prediction = models.BooleanField(default=False, help_text="The prediction was shown before the answer.")
    is_repeat = models.BooleanField(
        default=False, help_text="A hidden repeat: the annotator answered this photo before."
    )
    is_anchored = models.BooleanField(
        default=False, help_text="Drawn into the anchoring experiment: the prediction is shown before the answer."
    )
    leased_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = gettext_lazy("assignment"), gettext_lazy("assignments")
        constraints = [models.UniqueConstraint(fields=["image", "annotator", "is_repeat"], name="assignment_once")]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="leased"), name="assignment_leased"),
            models.Index(fields=["campaign"], condition=Q(state="skipped"), name="assignment_skipped"),
            models.Index(
                fields=["annotator", "campaign"],
                condition=Q(state__in=["leased", "expired", "returned"]),
                name="assignment_unanswered",
            ),
        ]


class QueueLane(models.Model):
    """When and how workers last wrote the priorities of a queue lane. The lane `random` has no priorities."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="queue_lanes")
    name = models.CharField(max_length=40)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(default=0.0, help_text="Duration of the last refresh.")
    photos = models.PositiveIntegerField(default=0, help_text="Number of photos with a priority.")
    seed = models.PositiveBigIntegerField(default=0, help_text="Random seed of the last refresh.")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the input of the last refresh.")
    reason = models.CharField(
        max_length=200,
        blank=True,
        help_text="Why its photos are chosen, as a format string; empty: as the strategy says.",
    )

    decided_photos = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="Open photos that a model has decided, at the last refresh: lanes other than random leave them out.",
    )
    decided_votes = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Votes that these photos lack: people need not give them."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "name"], name="queue_lane_once")]

    def __str__(self) -> str:
        return self.name


class QueuePriority(models.Model):
    """The priority of one photo in a queue lane: the open photo with the highest priority comes first.

    The rows are derived data. A claim deletes the rows of the photos that it leases, and workers rewrite all rows of a
    lane. The foreign keys have no database constraint: the check would lock each photo's row while a worker writes a
    million rows, and claims skip locked photos. Claims ignore a row whose photo is gone.
    """

    lane = models.ForeignKey(QueueLane, models.CASCADE, db_constraint=False, db_index=False, related_name="priorities")
    image = models.ForeignKey(Image, models.CASCADE, db_constraint=False, db_index=False, related_name="priorities")
    priority = models.FloatField(help_text="Higher comes first.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "lane"], name="priority_once")]
        indexes = [models.Index(fields=["lane", "-priority"], name="priority_order")]

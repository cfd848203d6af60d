"""Decisions of reviewers about photos on which the annotators disagree."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models.annotations import Annotation
from annotation.models.campaigns import Campaign
from annotation.models.photos import Image


class Adjudication(models.Model):
    """One decision. It is no vote, and changes none. Of each photo, at most one decision counts; others were undone.

    A reviewer who changes a decision after the reveal makes a new row, which `saw_prediction`.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="adjudications")
    image = models.ForeignKey(Image, models.CASCADE, related_name="adjudications")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    watch = models.CharField("watch label", max_length=6, choices=Annotation.Watch.choices)
    score = models.PositiveSmallIntegerField("opinion score")
    comment = models.CharField(max_length=500, blank=True)
    saw_prediction = models.BooleanField(
        default=True, help_text="A prediction was, or may have been, shown to the reviewer before this decision."
    )
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True, help_text="Empty while the decision counts.")
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["image"], condition=Q(undone_at=None), name="adjudication_once"),
        ]

    def __str__(self) -> str:
        return f"decision about {self.image_id}"

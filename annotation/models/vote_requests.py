"""Photos for which a reviewer has asked for more votes than usual."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models.campaigns import Campaign
from annotation.models.photos import Image


class VoteRequest(models.Model):
    """Further votes for one photo. `Image.extra_votes` is the sum of those that are not taken back."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="vote_requests", db_index=False)
    image = models.ForeignKey(Image, models.CASCADE, related_name="vote_requests")
    batch = models.UUIDField(default=uuid.uuid4, help_text="The same for photos that were sent together.")
    votes = models.PositiveSmallIntegerField(help_text="How many votes more than the photo has.")
    added = models.PositiveSmallIntegerField(
        help_text="By how much the votes needed grew: by more than `votes` when the photo had surplus votes."
    )
    votes_before = models.PositiveIntegerField(help_text="Votes on the photo at that time.")
    reason = models.CharField(max_length=200, help_text="Why, as text for people.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True, help_text="Empty while the votes are wanted.")
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    taken_back = models.PositiveSmallIntegerField(
        default=0, help_text="Votes that nobody had given or begun when the request was undone."
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["campaign", "-id"], name="vote_request_newest"),
            models.Index(fields=["batch"], name="vote_request_batch"),
        ]
        constraints = [models.CheckConstraint(condition=Q(taken_back__lte=models.F("added")), name="vote_request_back")]

    def __str__(self) -> str:
        return f"{self.votes} more votes for {self.image_id}"

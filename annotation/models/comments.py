"""What annotators write to the admins about a photo."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models.campaigns import Campaign
from annotation.models.photos import Image


class PhotoComment(models.Model):
    """A comment of a member on a photo, alone or with a skip. Its author and the admins of the campaign read it."""

    client_id = models.UUIDField(
        unique=True, help_text="Chosen by the client, so that the same comment sent twice is stored once."
    )
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="comments", db_index=False)
    image = models.ForeignKey(Image, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    done_at = models.DateTimeField(null=True, blank=True, help_text="When an admin marked it as done. Empty: open.")
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at=None, done_by=None) | Q(done_at__isnull=False), name="comment_done_by_needs_time"
            )
        ]
        indexes = [
            models.Index(fields=["campaign", "-id"], condition=Q(done_at=None), name="comment_open"),
            models.Index(fields=["campaign", "author", "-id"], name="comment_of_author"),
        ]

    def __str__(self) -> str:
        return self.text

"""What the checks of photo files found. The files are named by content, so the campaigns of a photo share a row."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class PhotoFile(models.Model):
    """The last check of one photo's files: the original and its thumbnail."""

    sha256 = models.CharField(max_length=64, unique=True)
    checked_at = models.DateTimeField(null=True, help_text="Empty: the next check begins with this photo.")
    finding = models.CharField(
        max_length=200, blank=True, help_text="What is wrong with the original, as a sentence; empty if nothing is."
    )
    thumbnail_finding = models.CharField(
        max_length=200, blank=True, help_text="What is wrong with the thumbnail, as a sentence; empty if nothing is."
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["checked_at"],
                condition=~Q(finding="") | ~Q(thumbnail_finding=""),
                name="photo_file_damaged",
            ),
            models.Index(fields=["id"], condition=Q(checked_at=None), name="photo_file_unchecked"),
        ]

    def __str__(self) -> str:
        return self.sha256


class FileCheck(models.Model):
    """How far work on all photos has come, and until when a worker has it."""

    name = models.CharField(max_length=20, unique=True, help_text="background, command (verify_media), or decoding.")
    position = models.PositiveBigIntegerField(default=0, help_text="Id of the last photo that was checked.")
    next_at = models.DateTimeField(default=timezone.now, help_text="The work does not continue before this time.")
    finished_at = models.DateTimeField(null=True, help_text="When it last reached the newest photo.")

    def __str__(self) -> str:
        return self.name

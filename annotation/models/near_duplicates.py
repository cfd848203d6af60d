"""Which photos were found to be near-duplicates after their import, and which of them changed their split."""

from django.db import models
from django.utils import timezone

from annotation.models.photos import Image


class DuplicateLink(models.Model):
    """Two photos whose groups were joined because they show the same scene."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="duplicate_links")
    other = models.ForeignKey(Image, models.CASCADE, related_name="+", help_text="The older photo.")
    bits = models.PositiveSmallIntegerField(null=True, help_text="Different bits of their hashes, of 64.")
    is_mirrored = models.BooleanField(default=False, help_text="Whether the hash of the mirrored picture was nearer.")
    cosine = models.FloatField(null=True, help_text="Cosine of their features.")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["image", "other"], name="duplicate_link_once")]

    def __str__(self) -> str:
        return f"{self.image} and {self.other}"


class SplitChange(models.Model):
    """A photo that left its split because near-duplicates of it were in the other one."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="split_changes")
    before = models.CharField(max_length=7, choices=Image.Split.choices)
    after = models.CharField(max_length=7, choices=Image.Split.choices)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.image}: {self.before} to {self.after}"

"""Tags that reviewers give to photos."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from annotation.models.campaigns import Campaign
from annotation.models.photos import Image

TAG_LENGTH = 40


class Tag(models.Model):
    """A word that reviewers give to photos of one campaign. It is deleted with its last photo."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=TAG_LENGTH)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("campaign", Lower("name"), name="tag_once")]

    def __str__(self) -> str:
        return self.name


class PhotoTag(models.Model):
    """One tag of one photo."""

    tag = models.ForeignKey(Tag, models.CASCADE, related_name="photo_tags", db_index=False)
    image = models.ForeignKey(Image, models.CASCADE, related_name="photo_tags")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tag", "image"], name="photo_tag_once")]

    def __str__(self) -> str:
        return f"tag {self.tag_id} of {self.image_id}"

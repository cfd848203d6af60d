"""The map of a campaign's photos: where each photo is on a plane. Derived from the stored features."""

from django.db import models

from annotation.models.campaigns import Campaign
from annotation.models.stored_figures import ComputedRow


class PhotoMap(ComputedRow):
    """The newest map of a campaign."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="photo_map")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what the map was made from.")
    photos = models.PositiveIntegerField(default=0, help_text="Photos on the map.")
    image_ids = models.BinaryField(default=bytes, help_text="Little-endian int64, ascending.")
    places = models.BinaryField(default=bytes, help_text="Little-endian uint16, two for each photo.")
    clusters = models.BinaryField(default=bytes, help_text="One byte for each photo; 0 is the largest cluster.")

    def __str__(self) -> str:
        return f"map of {self.campaign}"

"""Counts over all photos or votes of a large campaign, which a worker makes and stores. Derived data."""

from django.db import models

from annotation.models.campaigns import Campaign
from annotation.models.stored_figures import ComputedRow


class StoredCount(ComputedRow):
    """One count of a campaign, with the values that choose what is counted."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="stored_counts", db_index=False)
    name = models.CharField(max_length=40, help_text="Of an annotation.services.kept_counts.Count.")
    parameters = models.JSONField(default=dict, blank=True, help_text="What is counted.")
    parameters_key = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the parameters.")
    value = models.TextField(blank=True, help_text="JSON. Empty before the first count.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "name", "parameters_key"], name="stored_count_once")]

    def __str__(self) -> str:
        return f"{self.name} of {self.campaign}"

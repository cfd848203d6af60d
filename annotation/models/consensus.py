"""What people say together, stored: fits, estimates of photos and of annotators. All of it is derived from the votes.

`annotation.services.consensus` writes these rows and can compute all of them again.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models.campaigns import Campaign
from annotation.models.photos import Image


class ConsensusState(models.Model):
    """How far the stored consensus of a campaign has come."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="consensus_state")
    seen_annotation = models.BigIntegerField(default=0, help_text="The newest answer that the stored rows use.")
    changes = models.PositiveIntegerField(
        default=0, help_text="How often votes changed without a new answer, for example by a screening decision."
    )
    used_changes = models.PositiveIntegerField(
        default=0, help_text="How many of these the newest fit uses. With more, the next refresh fits again."
    )

    def __str__(self) -> str:
        return f"consensus of {self.campaign}"


class ConsensusFit(models.Model):
    """One fit of the panel model and of the watch labels to all independent votes of a campaign."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="consensus_fits")
    is_full = models.BooleanField(help_text="Started from nothing, not from the fit before.")
    made_at = models.DateTimeField(default=timezone.now)
    newest_annotation = models.BigIntegerField(help_text="The newest answer of the campaign at that time.")
    votes = models.PositiveIntegerField()
    photos = models.PositiveIntegerField(help_text="Photos with votes.")
    annotators = models.PositiveIntegerField(help_text="Annotators with votes.")
    vote_variance = models.FloatField(
        null=True, help_text="Typical variance of votes on one photo, squared points. Empty when unknown."
    )
    vote_variance_degrees = models.FloatField(default=0.0)
    mean = models.FloatField(help_text="Mean of the panel model, points.")
    quality_spread = models.FloatField(help_text="Standard deviation of the qualities, points.")
    bias_spread = models.FloatField(help_text="Standard deviation of the biases, points.")
    watch_share = models.FloatField(null=True, help_text="Share of watches. Empty without watch votes.")
    seconds = models.FloatField(default=0.0)
    figures = models.JSONField(
        default=dict,
        help_text="Rounds, simulated votes, difference from the fit before, and the usual disagreement on a photo.",
    )

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["campaign", "-id"], name="consensus_fit_newest")]

    def __str__(self) -> str:
        return f"fit of {self.campaign}, {self.made_at:%Y-%m-%d %H:%M}"

    @property
    def vote_variance_deviation(self) -> float | None:
        """Return the typical standard deviation of votes on one photo, points."""
        return None if self.vote_variance is None else float(self.vote_variance**0.5)

    @property
    def watch_percent(self) -> float | None:
        """Return the share of watches in percent."""
        return None if self.watch_share is None else 100 * self.watch_share


class PhotoConsensus(models.Model):
    """What people say together about one photo, from independent votes. No row without votes."""

    image = models.OneToOneField(Image, models.CASCADE, primary_key=True, related_name="consensus")
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", db_index=False)
    votes = models.PositiveIntegerField()
    mos = models.FloatField(help_text="Mean of the votes.")
    sos = models.FloatField(null=True, help_text="Standard deviation of the votes over n − 1. Empty with one vote.")
    low = models.FloatField(help_text="95 % interval of the MOS, within the scale.")
    high = models.FloatField()
    half_width = models.FloatField(null=True, help_text="Half of this interval without the limits of the scale.")
    corrected_mos = models.FloatField(help_text="Quality by the panel model; it can lie a little outside the scale.")
    corrected_error = models.FloatField(help_text="Standard error of the corrected MOS.")
    watch_votes = models.PositiveIntegerField(default=0, help_text="Votes without the unsure ones.")
    watch_yes = models.PositiveIntegerField(default=0)
    watch_posterior = models.FloatField(
        null=True, help_text="Probability of a watch by Dawid and Skene. Empty without watch votes."
    )
    updated_at = models.DateTimeField()

    class Meta:
        # One for each order of the gallery. The photo is the last column, for keyset pagination.
        indexes = [
            models.Index(fields=["campaign", "corrected_mos", "image"], name="consensus_by_quality"),
            models.Index(fields=["campaign", "mos", "image"], name="consensus_by_mos"),
        ]

    def __str__(self) -> str:
        return f"consensus on {self.image_id}"

    @property
    def corrected_low(self) -> float:
        """Return the lower end of the 95 % interval of the corrected MOS."""
        return self.corrected_mos - 1.96 * self.corrected_error

    @property
    def corrected_high(self) -> float:
        """Return the upper end of the 95 % interval of the corrected MOS."""
        return self.corrected_mos + 1.96 * self.corrected_error


class AnnotatorStatistics(models.Model):
    """How one annotator of a campaign uses the scale and the watch labels, by the newest fit."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="annotator_statistics", db_index=False)
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    votes = models.PositiveIntegerField()
    bias = models.FloatField(help_text="Points; above 0 for lenient annotators.")
    bias_deviation = models.FloatField()
    gain = models.FloatField(help_text="1: uses the scale as the panel does.")
    gain_deviation = models.FloatField()
    noise = models.FloatField(help_text="Standard deviation around their own line, points.")
    information = models.FloatField(help_text="What a vote says about a quality, as a part of what the mean vote says.")
    watch_votes = models.PositiveIntegerField(default=0)
    sensitivity = models.FloatField(null=True, help_text="Probability of 'watch' for a watch. Empty without votes.")
    specificity = models.FloatField(null=True, help_text="Probability of 'no watch' without a watch.")
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "annotator"], name="annotator_statistics_once"),
            models.CheckConstraint(condition=Q(noise__gt=0), name="annotator_statistics_noise"),
        ]

    def __str__(self) -> str:
        return f"statistics of {self.annotator_id} in {self.campaign_id}"

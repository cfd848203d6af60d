"""What a campaign lets the model decide, and how well it does.

There is no row per photo: the limits of the newest calibration and the predictions say what is decided.
"""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from annotation.measures.figures_text import figures_read
from annotation.models import Campaign
from inference.decisions.calibration import Calibration, Checked, Tolerances


class DecisionRule(models.Model):
    """What a campaign allows a model to decide on its own. Empty tolerances: people decide."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="decision_rule")
    is_on = models.BooleanField(default=False)
    number = models.PositiveIntegerField(default=1, help_text="1, 2, …: how often the rule was changed.")
    accepted = models.FloatField(null=True, blank=True, help_text="Share 0 … 1 of accepted photos that may be wrong.")
    rejected = models.FloatField(null=True, blank=True, help_text="Share of rejected photos that may be wrong.")
    watch = models.FloatField(null=True, blank=True, help_text="Share of 'watch' that may be no watch.")
    missed = models.FloatField(null=True, blank=True, help_text="Share of the watches that may be called 'no watch'.")
    score_points = models.FloatField(null=True, blank=True, help_text="How near a score must be, in points.")
    score_share = models.FloatField(default=0.9, help_text="For this share of the photos.")
    confidence = models.FloatField(
        default=0.95, help_text="Of each statement by itself.", validators=[MinValueValidator(0.5)]
    )
    panel = models.PositiveSmallIntegerField(
        default=1,
        help_text="Votes on a photo that the model is compared with.",
        validators=[MinValueValidator(1), MaxValueValidator(50)],
    )
    votes_from = models.DateTimeField(
        null=True, blank=True, help_text="Older audit votes no longer count: the photos or the errors have changed."
    )
    left_queue_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When decided photos first left the lanes of the queue. From then on, open photos are no random "
        "part of the campaign.",
    )
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"decisions in {self.campaign}"

    @property
    def tolerances(self) -> Tolerances:
        """Return what it allows."""
        return Tolerances(
            self.accepted,
            self.rejected,
            self.watch,
            self.missed,
            self.score_points,
            self.score_share,
            self.confidence,
            self.panel,
        )


class DecisionRun(models.Model):
    """One calibration: the limits that the audit votes supported, for one rule and one model version."""

    class Pause(models.TextChoices):
        NONE = "", gettext_lazy("deciding")
        BROKEN = "broken", gettext_lazy("fresh audit votes contradict the tolerance")
        DRIFT = "drift", gettext_lazy("the photos have changed")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="decision_runs")
    rule_number = models.PositiveIntegerField()
    model_version = models.ForeignKey("inference.ModelVersion", models.CASCADE, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    class_limits = models.JSONField(help_text="[rejected up to, pending up to] at that time.")
    last_annotation_id = models.BigIntegerField(default=0, help_text="Newest answer of the campaign at that time.")
    figures = models.TextField(help_text="JSON of inference.decisions.calibration.Calibration.")
    counts = models.JSONField(
        default=dict, help_text="Photos decided, as {accepted, rejected, yes, no, score, photos}."
    )
    checked_at = models.DateTimeField(default=timezone.now, help_text="When a worker last looked at it.")
    checked_annotation_id = models.BigIntegerField(default=0, help_text="Newest answer of the campaign at that time.")
    pause = models.CharField(max_length=6, choices=Pause.choices, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    pause_statement = models.CharField(max_length=8, blank=True, help_text="The statement that is broken.")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["campaign", "-id"], name="decision_run_newest")]

    def __str__(self) -> str:
        return f"limits of {self.campaign}, {self.made_at:%Y-%m-%d %H:%M}"

    @property
    def calibration(self) -> Calibration | None:
        """Return the limits and what they rest on; None if another version of the program wrote them."""
        return figures_read(Calibration, self.figures)


class DecisionCheck(models.Model):
    """How the decisions of a calibration did on audit photos that were answered after it. One row a day."""

    run = models.ForeignKey(DecisionRun, models.CASCADE, related_name="checks")
    made_at = models.DateTimeField(default=timezone.now)
    figures = models.TextField(help_text="JSON of inference.decisions.calibration.Checked.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"check of {self.run_id}"

    @property
    def checked(self) -> Checked | None:
        """Return the errors; None if another version of the program wrote them."""
        return figures_read(Checked, self.figures)

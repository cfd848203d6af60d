"""What each user has used of the limits for one hour."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy


class HourlyUse(models.Model):
    """How much of one limit a user has used in one clock hour. Rows of earlier days are deleted."""

    class Kind(models.TextChoices):
        SCORED_PHOTOS = "scored photos", gettext_lazy("photos sent for scoring")
        SCORING_SECONDS = "scoring seconds", gettext_lazy("seconds that workers spent on the photos")
        IMPORTS = "imports", gettext_lazy("imports started")
        TRAINING_RUNS = "training runs", gettext_lazy("training runs started")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    hour = models.DateTimeField(help_text="Start of the hour.")
    amount = models.FloatField(default=0.0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind", "hour"], name="use_once")]
        indexes = [models.Index(fields=["hour"], name="use_hour")]

"""Figures of pages that take long to compute, stored. All of them are derived from the votes."""

from django.db import models
from django.utils.translation import gettext_lazy

from annotation.models.campaigns import Campaign


class ComputedRow(models.Model):
    """Something that a worker computes and stores, and whether it computes it again. `Claims` finds the queued rows."""

    class State(models.TextChoices):
        IDLE = "idle", gettext_lazy("idle")
        QUEUED = "queued", gettext_lazy("queued")
        RUNNING = "running", gettext_lazy("running")
        FAILED = "failed", gettext_lazy("failed")

    state = models.CharField(max_length=7, choices=State.choices, default=State.IDLE)
    step = models.CharField(max_length=40, blank=True, help_text="What a worker does now.")
    done = models.PositiveBigIntegerField(default=0, help_text="Of the present step.")
    total = models.PositiveBigIntegerField(default=0, help_text="Of the present step.")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    message = models.TextField(blank=True, help_text="Why the last computation failed.")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the votes used.")
    made_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(default=0.0, help_text="How long the computation took.")

    class Meta:
        abstract = True

    @property
    def is_coming(self) -> bool:
        """Return whether a worker computes it now, or soon."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)


class FiguresRow(ComputedRow):
    """Stored figures. The models that extend it say which ones."""

    figures = models.TextField(blank=True, help_text="JSON. Empty before the first computation.")
    inputs = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what the figures were computed from.")
    votes = models.PositiveIntegerField(default=0, help_text="Votes used.")

    class Meta:
        abstract = True


class StoredFigures(FiguresRow):
    """The figures of one kind of a campaign."""

    class Kind(models.TextChoices):
        AGREEMENT = "agreement", gettext_lazy("agreement and labels")
        RATERS = "raters", gettext_lazy("annotator quality")
        METHODS = "methods", gettext_lazy("methods report")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="stored_figures", db_index=False)
    kind = models.CharField(max_length=9, choices=Kind.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "kind"], name="stored_figures_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.campaign}"

"""Decisions of reviewers about annotators whose answers do not agree with the others'."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from annotation.models.campaigns import Campaign


class ScreeningDecision(models.Model):
    """What a reviewer decided about an annotator of a campaign. The answers stay; an undone decision has no effect.

    An annotator has at most one live decision about their votes, and one live request to read the instructions.
    """

    class Decision(models.TextChoices):
        KEEP = "keep", gettext_lazy("keep: the votes count fully")
        DOWN_WEIGHT = "down-weight", gettext_lazy("down-weight: each vote counts for a part")
        EXCLUDE = "exclude", gettext_lazy("exclude: the votes count for nothing")
        REREAD = "reread", gettext_lazy("ask to read the instructions again")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="screening_decisions")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="screening_decisions")
    decision = models.CharField(max_length=11, choices=Decision.choices)
    weight = models.FloatField(
        null=True, blank=True, help_text="With 'down-weight': how much each vote counts, between 0 and 1."
    )
    reason = models.CharField(max_length=500)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True, help_text="Set by 'Undo', and by a later decision.")
    read_at = models.DateTimeField(null=True, blank=True, help_text="When the annotator confirmed the request to read.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "annotator"],
                condition=Q(undone_at=None) & ~Q(decision="reread"),
                name="screening_votes_once",
            ),
            models.UniqueConstraint(
                fields=["campaign", "annotator"],
                condition=Q(undone_at=None, decision="reread"),
                name="screening_reread_once",
            ),
            models.CheckConstraint(
                condition=Q(decision="down-weight", weight__gt=0, weight__lt=1)
                | ~Q(decision="down-weight") & Q(weight=None),
                name="screening_weight_of_down_weight",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.annotator} in {self.campaign}: {self.decision}"

    @property
    def summary(self) -> str:
        """Return the decision in words, for example 'each vote counts 50 %'."""
        words = {
            "keep": gettext("kept"),
            "exclude": gettext("excluded"),
            "reread": gettext("asked to read the instructions"),
        }
        if self.weight:
            return gettext("each vote counts %(share)s %%") % {"share": f"{100 * self.weight:.0f}"}
        return words.get(self.decision, self.decision)

"""The members of a campaign with their answers, their agreement with the panel, and when they were last seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import atanh, sqrt, tanh

from django.db.models import FloatField, IntegerField, OuterRef, Subquery

from annotation.models import AnnotatorStatistics, Campaign, ConsensusFit, Membership, User
from annotation.models.users import name_key
from annotation.selectors.activity import Activity
from annotation.selectors.answer_counts import answer_counts

_FEWEST_VOTES = 10  # with fewer, the interval says nothing


@dataclass(frozen=True)
class PanelCorrelation:
    """How well the votes of one annotator follow the quality by the panel model."""

    value: float
    """Correlation in [−1, 1]: the gain times the spread of the qualities, over the spread of the person's votes."""
    low: float
    """95 % interval by Fisher's transformation."""
    high: float
    n: int
    """Votes."""


@dataclass(frozen=True)
class MemberRow:
    """One member."""

    membership: Membership
    answers: int
    """Standing answers without skips."""
    agreement: PanelCorrelation | None
    """None before the first fit, and with fewer than ten votes."""
    activity: Activity | None
    """None without an answer or a lease."""

    @property
    def user(self) -> User:
        """Return the account."""
        return self.membership.user

    @property
    def seen_at(self) -> datetime | None:
        """Return when the member was last seen on the annotate page."""
        return self.activity.seen_at if self.activity else None


def members_listed(campaign: Campaign, activities: Sequence[Activity], *, query: str = "") -> list[MemberRow]:
    """Return the members whose user names contain `query`, by name (three queries).

    activities: of all members, as `members_active` returns them.
    """
    fit = ConsensusFit.objects.filter(campaign=campaign).first()
    answers = answer_counts(campaign, fit)
    statistics = AnnotatorStatistics.objects.filter(campaign=campaign, annotator=OuterRef("user"))
    rows = campaign.memberships.filter(user__name_key__contains=name_key(query)).select_related("user")
    rows = rows.annotate(
        gain=Subquery(statistics.values("gain"), output_field=FloatField()),
        noise=Subquery(statistics.values("noise"), output_field=FloatField()),
        votes=Subquery(statistics.values("votes"), output_field=IntegerField()),
    )
    spread = fit.quality_spread if fit else None
    seen = {activity.membership.pk: activity for activity in activities}
    return [
        MemberRow(
            membership=row,
            answers=answers.get(row.user_id, 0),
            agreement=_agreement(row.gain, row.noise, row.votes, spread),
            activity=seen.get(row.pk),
        )
        for row in rows.order_by("user__username")
    ]


def _agreement(
    gain: float | None, noise: float | None, votes: int | None, spread: float | None
) -> PanelCorrelation | None:
    if gain is None or noise is None or spread is None or votes is None or votes < _FEWEST_VOTES or not spread:
        return None
    signal = gain * spread
    value = signal / sqrt(signal**2 + noise**2)  # noise is above 0
    middle, half = atanh(max(-0.999999, min(0.999999, value))), 1.96 / sqrt(votes - 3)
    return PanelCorrelation(value, tanh(middle - half), tanh(middle + half), votes)

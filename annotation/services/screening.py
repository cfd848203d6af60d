"""Decisions of reviewers about annotators. Each can be undone, and each is in the audit."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import AuditKind, Campaign, Membership, ScreeningDecision, User
from annotation.services.audit import audit_record
from annotation.services.consensus import consensus_outdate

REASON_LENGTH = 500
LEAST_WEIGHT, MOST_WEIGHT = 0.05, 0.95
"""Limits of the weight of a vote. With less, excluding says it plainer; with more, there is no difference to see."""
DEFAULT_WEIGHT = 0.5
"""Not what the panel model says about the annotator: the corrected MOS uses that already, and would count it twice."""
_Decision = ScreeningDecision.Decision
_CHANGES_VOTES = (_Decision.DOWN_WEIGHT, _Decision.EXCLUDE)


class ScreeningError(Exception):
    """The decision is not possible. The message says why."""


@transaction.atomic
def screening_decide(
    *,
    campaign: Campaign,
    annotator: User,
    decision: str,
    reason: str,
    by: User,
    weight: float | None = None,
) -> ScreeningDecision:
    """Store what `by` decided about an annotator; it replaces a live decision of the same kind.

    A request to read the instructions is a kind of its own, beside a decision about the votes. The answers of the
    annotator stay. `weight`: with 'down-weight', how much each vote counts, `LEAST_WEIGHT` to `MOST_WEIGHT`;
    `DEFAULT_WEIGHT` without it. Other decisions ignore it. Raises ScreeningError for an unknown decision, another
    weight, a missing reason, an annotator who has nothing to do with the campaign, and for a decision about oneself.
    """
    if decision not in _Decision.values:
        raise ScreeningError(
            gettext("The decision must be one of %(values)s.") % {"values": ", ".join(_Decision.values)}
        )
    kept_weight = _weight(weight) if decision == _Decision.DOWN_WEIGHT else None
    reason = reason.strip()
    if not reason:
        raise ScreeningError(gettext("Give a reason. It is stored with the decision."))
    if len(reason) > REASON_LENGTH:
        raise ScreeningError(
            gettext("The reason is longer than %(reason_length)s characters.") % {"reason_length": REASON_LENGTH}
        )
    if annotator == by:
        raise ScreeningError(gettext("Another reviewer must decide about your own answers."))
    # Locks the campaign, so that two reviewers decide one after the other. Answers are not held up.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    has_part = Membership.objects.filter(campaign=campaign, user=annotator).exists()
    if not (has_part or campaign.annotations.filter(annotator=annotator).exists()):
        raise ScreeningError(
            gettext("%(username)s has no answers in this campaign.") % {"username": annotator.username}
        )
    for before in campaign.screening_decisions.filter(annotator=annotator, undone_at=None):
        if (before.decision == _Decision.REREAD) == (decision == _Decision.REREAD):
            _end(before, by)
    if decision in _CHANGES_VOTES:
        consensus_outdate(campaign=campaign)
    made = ScreeningDecision.objects.create(
        campaign=campaign, annotator=annotator, decision=decision, weight=kept_weight, reason=reason, decided_by=by
    )
    audit_record(kind=AuditKind.SCREENING, by=by, user=annotator, campaign=campaign, after=_values(made))
    return made


@transaction.atomic
def screening_undo(*, decision: ScreeningDecision, by: User) -> bool:
    """End a live decision, and return whether it was live. The votes count fully again."""
    locked = ScreeningDecision.objects.select_for_update().get(pk=decision.pk)
    if locked.undone_at is not None:
        return False
    if locked.annotator_id == by.pk:
        raise ScreeningError(gettext("Another reviewer must decide about your own answers."))
    _end(locked, by)
    return True


def reread_confirm(*, campaign: Campaign, annotator: User) -> bool:
    """Store that the annotator has read the instructions again; return whether there was such a request."""
    requests = campaign.screening_decisions.filter(
        annotator=annotator, decision=_Decision.REREAD, undone_at=None, read_at=None
    )
    return bool(requests.update(read_at=timezone.now()))


def _weight(weight: float | None) -> float:
    """Return the weight, or the default one. Raises ScreeningError for a weight outside the limits and for NaN."""
    given = DEFAULT_WEIGHT if weight is None else weight
    if not LEAST_WEIGHT <= given <= MOST_WEIGHT:
        raise ScreeningError(
            gettext(
                "The weight of a vote must be from %(least_weight)s %% to %(most_weight)s %%. To leave the "
                "votes out, exclude the annotator."
            )
            % {"least_weight": f"{100 * LEAST_WEIGHT:.0f}", "most_weight": f"{100 * MOST_WEIGHT:.0f}"}
        )
    return given


def _values(decision: ScreeningDecision) -> dict[str, Any]:
    """Return what the audit says about a decision."""
    values: dict[str, Any] = {"decision": str(decision.decision)}
    return values if decision.weight is None else {**values, "weight": decision.weight}


def _end(decision: ScreeningDecision, by: User) -> None:
    decision.undone_at, decision.undone_by = timezone.now(), by
    decision.save(update_fields=["undone_at", "undone_by"])
    if decision.decision in _CHANGES_VOTES:
        consensus_outdate(campaign=decision.campaign)
    audit_record(
        kind=AuditKind.SCREENING_UNDONE,
        by=by,
        user=decision.annotator,
        campaign=decision.campaign,
        before=_values(decision),
    )

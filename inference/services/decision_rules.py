"""The rule of a campaign: what the model may decide on its own."""

from dataclasses import asdict, fields
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import AuditKind, Campaign, User
from annotation.services.audit import audit_changes
from inference.decisions.calibration import Tolerances
from inference.models import DecisionRule


@transaction.atomic
def decision_rule_set(*, campaign: Campaign, by: User, is_on: bool, tolerances: Tolerances) -> DecisionRule:
    """Store what the model may decide. A change of a tolerance needs a new calibration; nothing is decided before it.

    Raises ValidationError for values outside their range, and for a rule that is on and allows nothing.
    """
    _check(campaign, tolerances, is_on=is_on)
    DecisionRule.objects.get_or_create(campaign=campaign)
    rule = DecisionRule.objects.select_for_update().get(campaign=campaign)
    before = _values(rule)
    is_changed = rule.tolerances != tolerances
    for field in fields(Tolerances):
        setattr(rule, field.name, getattr(tolerances, field.name))
    rule.is_on, rule.changed_at, rule.changed_by = is_on, timezone.now(), by
    rule.number += is_changed
    rule.save()
    audit_changes(kind=AuditKind.DECISION_RULE, campaign=campaign, before=before, after=_values(rule), by=by)
    return rule


def _values(rule: DecisionRule) -> dict[str, Any]:
    return {"is_on": rule.is_on, **asdict(rule.tolerances)}


def _check(campaign: Campaign, tolerances: Tolerances, *, is_on: bool) -> None:
    shares = {name: getattr(tolerances, name) for name in ("accepted", "rejected", "watch", "missed")}
    problems = [
        gettext("%(name)s: the tolerance must be above 0 and at most 50 %%.") % {"name": name}
        for name, share in shares.items()
        if share is not None and not 0 < share <= 0.5
    ]
    points = tolerances.score_points
    if points is not None and not 0 < points <= campaign.scale_max - campaign.scale_min:
        problems.append(gettext("The distance of the score must be above 0 and within the scale."))
    if not 0.5 <= tolerances.score_share < 1:
        problems.append(gettext("The share of the scores must be at least 50 % and below 100 %."))
    if not 0.8 <= tolerances.confidence <= 0.99:
        problems.append(gettext("The confidence must be from 80 % to 99 %."))
    if not 1 <= tolerances.panel <= 50:
        problems.append(gettext("The panel must have from 1 to 50 votes."))
    if is_on and points is None and all(share is None for share in shares.values()):
        problems.append(gettext("Give at least one tolerance, or switch it off."))
    if problems:
        raise ValidationError(problems)

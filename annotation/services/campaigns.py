"""Making and changing campaigns. What photos and answers already rest on stays as it is."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import Case, F, QuerySet, Value, When

from annotation.models import Campaign, Image, Membership, Role, User
from annotation.services.lane_registry import lane_shares_problem

#: Parts of what an annotator gets, each a share in [0, 1] that people read and type as a percentage.
SHARES = ("repeat_share", "gold_share", "anchoring_share")

_STATES = {
    Campaign.State.ACTIVE: {Campaign.State.PAUSED, Campaign.State.CLOSED},
    Campaign.State.PAUSED: {Campaign.State.ACTIVE, Campaign.State.CLOSED},
    Campaign.State.CLOSED: {Campaign.State.ACTIVE},
}


@transaction.atomic
def campaign_create(*, by: User, **fields: Any) -> Campaign:
    """Make a campaign whose admin is its maker. Raises ValidationError, by field, for values that do not fit."""
    campaign = Campaign(created_by=by, **fields)
    _check(campaign)
    campaign.save()
    Membership.objects.create(campaign=campaign, user=by, role=Role.ADMIN)
    return campaign


@transaction.atomic
def campaign_update(*, campaign: Campaign, **fields: Any) -> Campaign:
    """Change fields of a campaign, and the votes that its photos need with them.

    Raises ValidationError, by field, for values that do not fit and for fields that are fixed by now
    (`fields_fixed`). The lock keeps an import that is under way from missing the change.
    """
    stored = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    changes = {name: value for name, value in fields.items() if getattr(stored, name) != value}
    fixed = fields_fixed(stored)
    if refused := {name: fixed[name] for name in changes if name in fixed}:
        raise ValidationError(refused)
    for name, value in changes.items():
        setattr(stored, name, value)
    _check(stored)
    stored.save()
    if changes.keys() & {"votes_per_image", "holdout_votes"}:
        _votes_needed_set(stored)
    return stored


def campaign_state_set(*, campaign: Campaign, state: Campaign.State) -> bool:
    """Pause, close or reopen a campaign; False when it has that state already or cannot get there.

    Leases that are out stay valid: an answer that comes in is kept.
    """
    before = [source for source, targets in _STATES.items() if state in targets]
    return bool(Campaign.objects.filter(pk=campaign.pk, state__in=before).update(state=state))


def fields_fixed(campaign: Campaign) -> dict[str, str]:
    """Return the fields that cannot be changed any more, each with the reason."""
    fixed: dict[str, str] = {}
    if campaign.images.exists():
        drawn = "Fixed since the first import, because the holdout was drawn with this value."
        fixed |= {"holdout_fraction": drawn, "seed": drawn}
    if campaign.annotations.exists():
        given = "Fixed since the first answer, because scores on different scales cannot be compared."
        fixed |= {"scale_min": given, "scale_max": given}
    return fixed


def share_most(name: str) -> int:
    """Return how large one of `SHARES` may be, in percent."""
    field = Campaign._meta.get_field(name)
    assert isinstance(field, models.FloatField)
    return next(round(100 * float(one.limit_value)) for one in field.validators if isinstance(one, MaxValueValidator))


def _check(campaign: Campaign) -> None:
    """Raise ValidationError, by field, for values that do not fit or contradict each other."""
    try:
        campaign.clean_fields()
    except ValidationError as error:
        wrong = error.message_dict
        in_percent = {name: [f"Enter a percentage from 0 to {share_most(name)}."] for name in SHARES if name in wrong}
        raise ValidationError({**wrong, **in_percent}) from error
    errors: dict[str, str] = {}
    if campaign.scale_max <= campaign.scale_min:
        errors["scale_max"] = "The highest score must be above the lowest."
    elif not campaign.scale_min <= campaign.reject_at <= campaign.pending_at <= campaign.scale_max:
        errors["pending_at" if campaign.pending_at < campaign.reject_at else "reject_at"] = (
            "Both limits must be on the scale, and “pending up to” cannot be below “rejected up to”."
        )
    if not campaign.synsets or len(set(campaign.synsets)) != len(campaign.synsets):
        errors["synsets"] = "Enter at least one class, and each class only once."
    if campaign.anchoring_share and campaign.mode == Campaign.Mode.PRELABEL:
        errors["anchoring_share"] = (
            "In prelabel mode everybody sees the prediction first, so there is nothing to compare with. Set this to 0."
        )
    if problem := lane_shares_problem(campaign.lane_shares):
        errors["lane_shares"] = problem
    if errors:
        raise ValidationError(errors)
    campaign.validate_unique()
    campaign.validate_constraints()


def _votes_needed_set(campaign: Campaign) -> None:
    """Give every photo the votes of its split, and open or close as many slots as that changes."""
    votes = Case(
        When(split=Image.Split.HOLDOUT, then=Value(campaign.holdout_votes)),
        default=Value(campaign.votes_per_image),
    )
    images: QuerySet[Image] = Image.objects.filter(campaign=campaign)
    images.exclude(votes_needed=votes).update(
        open_slots=F("open_slots") + votes - F("votes_needed"), votes_needed=votes
    )

"""Creating and changing campaigns. Settings that stored photos or answers depend on cannot change."""

from copy import copy
from itertools import count
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Value, When
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext

from annotation.measures.class_limits import class_limits, limit_moved
from annotation.models import Annotation, AuditKind, Campaign, CampaignAddress, Image, Membership, Role, User
from annotation.models.photos import DELETED_PROBLEM
from annotation.services.audit import audit_changes, audit_record
from annotation.services.consensus import consensus_outdate
from annotation.services.lane_registry import lane_shares_problem

#: Fields that hold a share of an annotator's photos in [0, 1]. Pages show them as percentages.
SHARES = ("repeat_share", "gold_share", "anchoring_share")
#: The targets at which a photo has enough votes, and the limits of its votes (`annotation.services.enough_votes`).
STOP_FIELDS = ("target_half_width", "target_watch", "fewest_votes", "most_votes")
#: The largest mean score of rejected photos and of pending ones.
LIMITS = ("reject_at", "pending_at")

_STATES = {
    Campaign.State.ACTIVE: {Campaign.State.PAUSED, Campaign.State.CLOSED},
    Campaign.State.PAUSED: {Campaign.State.ACTIVE, Campaign.State.CLOSED},
    Campaign.State.CLOSED: {Campaign.State.ACTIVE},
}


@transaction.atomic
def campaign_create(*, by: User, what: str = "", **fields: Any) -> Campaign:
    """Create a campaign with `by` as its admin. Raises ValidationError, by field, for invalid values.

    what: what the audit says about it besides its settings.

    Class limits that are missing or None get the defaults of the campaign's scale.
    """
    given = {name: value for name, value in fields.items() if name not in LIMITS or value is not None}
    campaign = Campaign(created_by=by, **given)
    if scale := _scale(campaign):
        for name, limit in zip(LIMITS, class_limits(*scale), strict=True):
            if name not in given:
                setattr(campaign, name, limit)
    _check(campaign)
    campaign.save()
    Membership.objects.create(campaign=campaign, user=by, role=Role.ADMIN)
    audit_record(kind=AuditKind.CAMPAIGN_CREATED, by=by, campaign=campaign, what=what, after=fields)
    return campaign


@transaction.atomic
def campaign_update(*, campaign: Campaign, **fields: Any) -> Campaign:
    """Change fields of a campaign, and update the votes that its photos need.

    When the scale changes, class limits that are not in `fields` move to the same share of the new scale. A limit of
    None gets the default of the scale. Raises ValidationError, by field, for invalid values and for fields that can no
    longer change (`fields_fixed`). The lock makes sure that a running import sees the change. A change of the scale
    also waits for answers that are being recorded, and later answers see the new scale.
    """
    is_scale = any(name in fields and fields[name] != getattr(campaign, name) for name in ("scale_min", "scale_max"))
    stored = Campaign.objects.select_for_update(no_key=not is_scale).get(pk=campaign.pk)
    fields |= _limits_for_scale(stored, fields)
    changes = {name: value for name, value in fields.items() if getattr(stored, name) != value}
    fixed = fields_fixed(stored)
    if refused := {name: fixed[name] for name in changes if name in fixed}:
        raise ValidationError(refused)
    before = {name: getattr(stored, name) for name in changes}
    for name, value in changes.items():
        setattr(stored, name, value)
    _check(stored)
    stored.save()
    if changes.keys() & {"votes_per_image", "holdout_votes", *STOP_FIELDS}:
        _votes_needed_set(stored)
        consensus_outdate(campaign=stored)  # then a worker decides again which photos have enough votes
    audit_changes(kind=AuditKind.SETTINGS_CHANGED, before=before, after=changes, campaign=stored)
    return stored


def _limits_for_scale(stored: Campaign, fields: dict[str, Any]) -> dict[str, float]:
    """Return the class limits that an update does not give but changes."""
    asked = Campaign(scale_min=stored.scale_min, scale_max=stored.scale_max)
    for name in fields.keys() & {"scale_min", "scale_max"}:
        setattr(asked, name, fields[name])
    old, new = _scale(stored), _scale(asked)
    if old is None or new is None:
        return {}
    defaults = dict(zip(LIMITS, class_limits(*new), strict=True))
    return {
        name: defaults[name] if name in fields else limit_moved(getattr(stored, name), old, new)
        for name in LIMITS
        if fields.get(name) is None and (name in fields or old != new)
    }


def _scale(campaign: Campaign) -> tuple[int, int] | None:
    """Return the lowest and the highest score; None if they are no scale."""
    lowest, highest = campaign.scale_min, campaign.scale_max
    return (lowest, highest) if isinstance(lowest, int) and isinstance(highest, int) and lowest < highest else None


@transaction.atomic
def campaign_state_set(*, campaign: Campaign, state: Campaign.State) -> bool:
    """Pause, close or reopen a campaign. False when it already has the state or the change is not allowed.

    Existing leases stay valid: their answers are still recorded. Closing starts the retention time, and
    reopening ends it.
    """
    stored = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    before = Campaign.State(stored.state)
    if state not in _STATES[before]:
        return False
    times: dict[str, Any] = {}
    if state == Campaign.State.CLOSED:
        times = {"closed_at": timezone.now()}
    elif before == Campaign.State.CLOSED:
        times = {"closed_at": None, "data_deleted_at": None}
        # Nobody could rate these photos.
        gone = Image.objects.filter(campaign=stored, problem="").exclude(original_deleted_at=None)
        gone.update(problem=DELETED_PROBLEM)
    Campaign.objects.filter(pk=campaign.pk).update(state=state, **times)
    audit_changes(kind=AuditKind.SETTINGS_CHANGED, before={"state": before}, after={"state": state}, campaign=stored)
    return True


def campaign_slug(name: str) -> str:
    """Return an address for a campaign with this name that no campaign has or had (one query)."""
    base = slugify(name)[:50].strip("-") or "campaign"
    taken = set(CampaignAddress.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return base if base not in taken else next(slug for number in count(2) if (slug := f"{base}-{number}") not in taken)


def fields_fixed(campaign: Campaign) -> dict[str, str]:
    """Return the fields that can no longer change, each with the reason."""
    fixed: dict[str, str] = {}
    if campaign.images.exists():
        reason = gettext("Cannot change after the first import: the holdout was drawn with it.")
        fixed |= {"holdout_fraction": reason, "seed": reason}
    if _has_scores(campaign):
        reason = gettext(
            "Cannot change after the first answer or expected score: other scales cannot be compared with it."
        )
        fixed |= {"scale_min": reason, "scale_max": reason}
    return fixed


def _has_scores(campaign: Campaign) -> bool:
    """Return whether an answer or the expected score of a photo is on the campaign's scale (one query)."""
    answers = Exists(Annotation.objects.filter(campaign=OuterRef("pk")))
    expected = Exists(Image.objects.filter(campaign=OuterRef("pk"), expected_score__isnull=False))
    return Campaign.objects.filter(answers | expected, pk=campaign.pk).exists()


def share_max_percent(name: str) -> int:
    """Return the maximum of one of `SHARES`, in percent."""
    field = Campaign._meta.get_field(name)
    assert isinstance(field, models.FloatField)
    return next(round(100 * float(one.limit_value)) for one in field.validators if isinstance(one, MaxValueValidator))


def campaign_problems(campaign: Campaign, fields: dict[str, Any]) -> dict[str, list[str]]:
    """Return every problem that a campaign would have with these values, by field; {} without any (three queries).

    The campaign itself does not change. A page shows all problems at once: a rule between fields is checked as soon as
    its own fields have no problem of their own.
    """
    asked = copy(campaign)
    for name, value in (fields | _limits_for_scale(campaign, fields)).items():
        setattr(asked, name, value)
    return _problems(asked)


def _check(campaign: Campaign) -> None:
    """Raise ValidationError, by field, for invalid or contradicting values."""
    if problems := _problems(campaign):
        raise ValidationError(problems)
    campaign.validate_constraints()


def _problems(campaign: Campaign) -> dict[str, list[str]]:
    """Return all problems by field."""
    wrong: dict[str, list[str]] = {}
    try:
        campaign.clean_fields()
    except ValidationError as error:
        wrong = error.message_dict
    for name in SHARES:
        if name in wrong:
            wrong[name] = [gettext("Enter a percentage from 0 to %(most)s.") % {"most": share_max_percent(name)}]
    errors: dict[str, str] = {}
    if {"scale_min", "scale_max"} & wrong.keys():
        pass
    elif campaign.scale_max <= campaign.scale_min:
        errors["scale_max"] = gettext("The highest score must be above the lowest.")
    elif not wrong.keys() & set(LIMITS) and not (
        campaign.scale_min <= campaign.reject_at <= campaign.pending_at <= campaign.scale_max
    ):
        errors["pending_at" if campaign.pending_at < campaign.reject_at else "reject_at"] = gettext(
            "Both limits must be on the scale, and 'pending up to' must not be below 'rejected up to'."
        )
    if not wrong.keys() & {*STOP_FIELDS, "votes_per_image"}:
        errors |= _stop_errors(campaign)
    if "synsets" not in wrong and (not campaign.synsets or len(set(campaign.synsets)) != len(campaign.synsets)):
        errors["synsets"] = gettext("Enter at least one class, and each class only once.")
    if "anchoring_share" not in wrong and campaign.anchoring_share and campaign.mode == Campaign.Mode.PRELABEL:
        errors["anchoring_share"] = gettext(
            "In prelabel mode every annotator sees the prediction first, so there is no comparison group. Set it to 0."
        )
    if problem := lane_shares_problem(campaign.lane_shares):
        errors["lane_shares"] = problem
    found = {**wrong, **{name: [problem] for name, problem in errors.items()}}
    try:
        campaign.validate_unique(exclude=set(found))
    except ValidationError as error:
        found |= error.message_dict
    return found


def _stop_errors(campaign: Campaign) -> dict[str, str]:
    """Return what contradicts in `STOP_FIELDS`, by field. Without a target the limits do not matter."""
    errors: dict[str, str] = {}
    if 0 < campaign.target_watch <= 0.5:
        errors["target_watch"] = gettext("Enter a probability above 0.5, or 0 for no target.")
    if not (campaign.target_half_width or campaign.target_watch):
        return errors
    if campaign.fewest_votes > campaign.votes_per_image:
        errors["fewest_votes"] = gettext("The fewest votes must not be above the votes per photo.")
    if campaign.most_votes < campaign.votes_per_image:
        errors["most_votes"] = gettext("The most votes must not be below the votes per photo.")
    return errors


def _votes_needed_set(campaign: Campaign) -> None:
    """Set `votes_needed` of every photo, and change `open_slots` by the difference.

    It is the value of its split, and the votes that a reviewer has asked for.
    """
    votes = Case(
        When(split=Image.Split.HOLDOUT, then=Value(campaign.holdout_votes)),
        default=Value(campaign.votes_per_image),
    ) + F("extra_votes")
    images: QuerySet[Image] = Image.objects.filter(campaign=campaign)
    images.exclude(votes_needed=votes).update(
        open_slots=F("open_slots") + votes - F("votes_needed"), votes_needed=votes
    )

"""What the model decides in a campaign now: whether it decides, its limits, and how many photos they decide."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Count, FilteredRelation, Q

from annotation.models import LIVE, Campaign
from inference.decisions.calibration import Calibration, Tolerances
from inference.decisions.limits import Limits
from inference.models import DecisionRule, DecisionRun, ModelVersion
from inference.selectors import champion


class State(StrEnum):
    """Whether the model decides."""

    OFF = "off"
    NO_MODEL = "no model"
    WAITING = "waiting"
    """The rule is new or was changed, and no worker has calibrated it yet."""
    NEW_MODEL = "new model"
    """Paused: another version serves than the one that was calibrated."""
    NEW_CLASSES = "new classes"
    """Paused: the campaign's class limits have changed."""
    PAUSED = "paused"
    """Paused: fresh audit votes contradict a tolerance, or the photos have changed."""
    TOO_FEW = "too few"
    """The audit votes support no limit."""
    DECIDING = "deciding"


@dataclass(frozen=True)
class Deciding:
    """The rule of a campaign, its newest calibration, and whether the model decides by it."""

    state: State
    rule: DecisionRule | None
    run: DecisionRun | None
    version: ModelVersion | None
    """The champion."""
    calibration: Calibration | None

    @property
    def limits(self) -> Limits | None:
        """Return the limits that count now; None when the model decides nothing."""
        return self.calibration.limits if self.state == State.DECIDING and self.calibration else None


def deciding(campaign: Campaign) -> Deciding:
    """Return what the model decides in the campaign now (up to three queries)."""
    rule = DecisionRule.objects.filter(campaign=campaign).first()
    version = champion(campaign)
    runs = DecisionRun.objects.filter(campaign=campaign).select_related("model_version")
    run = runs.first() if rule else None
    calibration = run.calibration if run else None
    return Deciding(_state(campaign, rule, run, version, calibration), rule, run, version, calibration)


def _state(
    campaign: Campaign,
    rule: DecisionRule | None,
    run: DecisionRun | None,
    version: ModelVersion | None,
    calibration: Calibration | None,
) -> State:
    if rule is None or not rule.is_on:
        return State.OFF
    if version is None:
        return State.NO_MODEL
    if run is None or calibration is None or run.rule_number != rule.number:
        return State.WAITING
    if run.model_version_id != version.pk:
        return State.NEW_MODEL
    if run.class_limits != [campaign.reject_at, campaign.pending_at]:
        return State.NEW_CLASSES
    if run.pause:
        return State.PAUSED
    return State.DECIDING if calibration.limits.has_any else State.TOO_FEW


def never() -> Q:
    """Return a condition that no row meets."""
    return Q(pk__in=[])


def decided_conditions(limits: Limits | None, path: str = "prediction__") -> dict[str, Q]:
    """Return the conditions that the model accepts, rejects, says yes, says no, and gives a score.

    path: of the prediction in the query. Without limits, nothing is decided.
    """
    if limits is None:
        return dict.fromkeys(("accepted", "rejected", "yes", "no", "score"), never())

    def beyond(name: str, limit: float | None) -> Q:
        return never() if limit is None else Q(**{f"{path}{name}": limit})

    accepted = beyond("quality_mean__gte", limits.accept_from)
    yes = beyond("watch_probability__gte", limits.watch_from)
    return {
        "accepted": accepted,
        "rejected": beyond("quality_mean__lt", limits.reject_below) & ~accepted,
        "yes": yes,
        "no": beyond("watch_probability__lt", limits.no_watch_below) & ~yes,
        "score": never() if limits.half_width is None else Q(**{f"{path}quality_mean__isnull": False}),
    }


def nothing_left_for_people(limits: Limits | None, tolerances: Tolerances, path: str = "prediction__") -> Q:
    """Return the condition that the model has decided everything that people would be asked about a photo.

    People answer the quality and the watch together. So the model must have decided both: each kind of statement about
    the quality that the rule makes (a class, a score), and the watch. A rule that says nothing about one of them leaves
    all photos to people.
    """
    conditions = decided_conditions(limits, path)
    quality: list[Q] = []
    if tolerances.accepted is not None or tolerances.rejected is not None:
        quality.append(conditions["accepted"] | conditions["rejected"])
    if tolerances.score_points is not None:
        quality.append(conditions["score"])
    if limits is None or not quality or (tolerances.watch is None and tolerances.missed is None):
        return never()
    found = conditions["yes"] | conditions["no"]
    for condition in quality:
        found &= condition
    return found


def decision_counts(campaign: Campaign, version: ModelVersion, limits: Limits, panel: int) -> dict[str, Any]:
    """Return how many photos are decided, and who has said something about quality and watch (one query).

    Keys: photos, accepted, rejected, yes, no, score; and for `quality_` and `watch_` each people, both, model, nobody.
    People have said something when `panel` of them have.
    """
    rows = campaign.images.filter(LIVE).annotate(
        prediction=FilteredRelation("predictions", condition=Q(predictions__model_version=version))
    )
    decided = decided_conditions(limits)
    counted: dict[str, Q] = {**decided}
    asked = {
        "quality": ("consensus__votes__gte", "accepted", "rejected"),
        "watch": ("consensus__watch_votes__gte", "yes", "no"),
    }
    for name, (votes, first, second) in asked.items():
        people, model = Q(**{votes: panel}), decided[first] | decided[second]
        counted |= {f"{name}_people": people & ~model, f"{name}_both": people & model}
        counted |= {f"{name}_model": model, f"{name}_said": people | model}
    found: dict[str, Any] = rows.aggregate(
        photos=Count("pk"), **{f"n_{name}": Count("pk", filter=condition) for name, condition in counted.items()}
    )
    counts = {name.removeprefix("n_"): number for name, number in found.items()}
    for name in asked:
        counts[f"{name}_model"] -= counts[f"{name}_both"]
        counts[f"{name}_nobody"] = counts["photos"] - counts.pop(f"{name}_said")
    return counts

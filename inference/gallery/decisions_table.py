"""One row for all photos of a campaign: label or score, interval, and who said so."""

from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q

from annotation.exchange.records import DecisionRecord
from annotation.models import LIVE, Campaign
from inference.decisions.limits import Limits, decide
from inference.gallery.decisions import deciding
from inference.gallery.places import Hidden

_ROWS = 2000  # rows per read


class _Row(NamedTuple):
    name: str
    sha256: str
    split: str
    votes: int | None
    mos: float | None
    low: float | None
    high: float | None
    watch_votes: int | None
    watch_yes: int | None
    predicted: float | None
    watch_probability: float | None


def decision_records(campaign: Campaign, hidden: Hidden | None = None) -> Iterator[DecisionRecord]:
    """Yield what is known about each photo, in the order of the photos (up to four queries).

    Withdrawn photos are left out. What the model says about the `hidden` photos is left out too.
    """
    found = deciding(campaign)
    panel = found.rule.panel if found.rule else 1
    rows = campaign.images.filter(LIVE).annotate(
        prediction=FilteredRelation("predictions", condition=Q(predictions__model_version=found.version))
    )
    rows = rows.annotate(
        predicted=F("prediction__quality_mean"),
        is_watch=F("prediction__watch_probability"),
        is_hidden=Exists(hidden.filter(image=OuterRef("pk"))) if hidden is not None else Q(pk__in=[]),
    )
    people = ("votes", "mos", "low", "high", "watch_votes", "watch_yes")
    columns = (
        "name",
        "sha256",
        "split",
        *(f"consensus__{one}" for one in people),
        "predicted",
        "is_watch",
        "is_hidden",
    )
    for *values, is_hidden in rows.order_by("pk").values_list(*columns).iterator(chunk_size=_ROWS):
        limits = None if is_hidden else found.limits
        number = found.version.number if found.version and limits else None
        yield _record(campaign, _Row._make(values), limits, panel, number)


def _record(campaign: Campaign, row: _Row, limits: Limits | None, panel: int, number: int | None) -> DecisionRecord:
    has_people = (row.votes or 0) >= panel
    has_watch = (row.watch_votes or 0) >= panel
    by_model = by_model_watch = None
    interval = None
    if limits is not None and row.predicted is not None and row.watch_probability is not None:
        decision = decide(
            limits,
            quality_mean=row.predicted,
            class_probabilities=(0.0, 0.0, 0.0),  # only for the reasons, which the table does not have
            watch_probability=row.watch_probability,
        )
        by_model = None if decision.quality == "pending" else decision.quality
        by_model_watch = {"yes": True, "no": False, "unsure": None}[decision.watch]
        interval = decision.score_interval
    by_people = _class_of(campaign, row.mos) if has_people else None
    by_people_watch = _majority(row) if has_watch else None
    ends: tuple[float | None, float | None] = (row.low, row.high) if has_people else (None, None)
    score = row.mos if has_people else None
    if not has_people and interval is not None:
        score = row.predicted
        ends = max(interval[0], campaign.scale_min), min(interval[1], campaign.scale_max)
    return DecisionRecord(
        image=row.name,
        sha256=row.sha256,
        split=row.split,
        quality=by_people or by_model,
        quality_by=_said_by(by_people is not None, by_model is not None),
        quality_model=by_model,
        score=score,
        score_low=ends[0],
        score_high=ends[1],
        score_by=_said_by(has_people, interval is not None),
        watch=by_model_watch if by_people_watch is None else by_people_watch,
        watch_by=_said_by(by_people_watch is not None, by_model_watch is not None),
        watch_model=by_model_watch,
        votes=row.votes or 0,
        model_version=number,
    )


def _class_of(campaign: Campaign, mos: float | None) -> str | None:
    if mos is None:
        return None
    if mos <= campaign.reject_at:
        return "rejected"
    return "pending" if mos <= campaign.pending_at else "accepted"


def _majority(row: _Row) -> bool | None:
    """Return whether most people say 'watch'; None for as many on both sides."""
    yes, votes = row.watch_yes or 0, row.watch_votes or 0
    return None if 2 * yes == votes else 2 * yes > votes


def _said_by(people: bool, model: bool) -> str:
    return ("both" if model else "people") if people else ("model" if model else "nobody")

"""Figures of pages that take long to compute: computed by a worker, stored, and shown at once with their age.

A page asks for figures with `figures_request`. It gets the stored ones. When the votes have changed since, they are
queued, and a worker computes them. Campaigns with few answers do not wait for a worker. Only what a page asked for is
computed.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q
from django.utils import timezone

from annotation.exchange.methods_report import MethodsFigures, votes_fingerprint
from annotation.measures.figures_text import figures_read, figures_text
from annotation.models import Adjudication, Annotation, Campaign, ConsensusFit, StoredFigures
from annotation.selectors.campaign_quality import QualityFigures, quality_figures
from annotation.selectors.methods import methods_figures
from annotation.selectors.rater_quality import RaterParts, rater_parts
from annotation.selectors.votes import vote_table
from annotation.services.claims import Claims, Heartbeat, Report
from annotation.services.lane_registry import lane_labels

logger = logging.getLogger(__name__)

Kind, State = StoredFigures.Kind, StoredFigures.State
CLAIMS = Claims(StoredFigures)

# With at most this many answers, the figures take less than two seconds, and the page computes them itself.
FEW_ANSWERS = 3_000
# Least time between two computations, and the largest share of a worker's time for them.
_AGAIN_AFTER, _SHARE_OF_TIME = timedelta(seconds=30), 0.05
# Some settings of photos change the figures without changing `inputs_of`.
_OLDEST = timedelta(days=1)
_AT_ONCE = datetime.min.replace(tzinfo=UTC)
_SETTINGS = (
    *("name", "instructions", "mode", "scale_min", "scale_max", "reject_at", "pending_at", "seed"),
    *("repeat_share", "gold_share", "anchoring_share", "decisions_as_labels"),
)


def _raters(campaign: Campaign, tell: Report) -> RaterParts:
    tell("comparing annotators", 0, 0)
    return rater_parts(campaign)


def _methods(campaign: Campaign, tell: Report) -> MethodsFigures:
    return methods_figures(campaign, lane_labels=lane_labels(), tell=tell)


#: What is stored for each kind, and the function that computes it.
_KINDS: dict[str, tuple[type[Any], Callable[[Campaign, Report], Any]]] = {
    Kind.AGREEMENT: (QualityFigures, quality_figures),
    Kind.RATERS: (RaterParts, _raters),
    Kind.METHODS: (MethodsFigures, _methods),
}


@dataclass(frozen=True)
class Figures:
    """Stored figures and how old they are."""

    row: StoredFigures
    value: Any
    """A `QualityFigures`, `RaterParts` or `MethodsFigures`; None before the first computation."""
    is_newest: bool
    """They use all votes and the present settings."""

    @property
    def again_at(self) -> datetime:
        """Return from when a page can ask for newer ones."""
        return _again_at(self.row, has_value=self.value is not None)

    @property
    def is_coming(self) -> bool:
        """Return whether a worker computes them now, or soon."""
        return self.row.state in (State.QUEUED, State.RUNNING)


def figures_request(*, campaign: Campaign, kind: StoredFigures.Kind) -> Figures:
    """Return the stored figures. Newer ones are queued, or computed at once in a campaign with few answers.

    The caller announces the task when `is_coming`. Five cheap queries when there is nothing to do.
    """
    row, _ = StoredFigures.objects.get_or_create(campaign=campaign, kind=kind)
    inputs = inputs_of(campaign, kind)
    value = figures_read(_KINDS[kind][0], row.figures) if row.figures else None
    now = timezone.now()
    is_newest = value is not None and row.inputs == inputs and row.made_at is not None and now - row.made_at < _OLDEST
    if is_newest:
        return Figures(row, value, is_newest)
    if not Annotation.objects.filter(campaign=campaign)[FEW_ANSWERS:].exists():
        return Figures(row, figures_make(row=row), True)
    if row.state in (State.IDLE, State.FAILED) and _again_at(row, has_value=value is not None) <= now:
        waiting = StoredFigures.objects.filter(pk=row.pk, state__in=(State.IDLE, State.FAILED))
        waiting.update(state=State.QUEUED, heartbeat_at=now, step="", done=0, total=0)
        row.refresh_from_db()
    return Figures(row, value, is_newest)


def figures_make(*, row: StoredFigures, report: Report | None = None) -> Any:
    """Compute the figures now, store and return them. `report`: called with each step.

    Safe to run twice at the same time: the last one is kept.
    """
    began = time.monotonic()
    campaign = Campaign.objects.get(pk=row.campaign_id)
    inputs = inputs_of(campaign, row.kind)  # before the votes are read: newer ones make the figures old
    figures = _KINDS[row.kind][1](campaign, report or (lambda step, done, total: None))
    votes = vote_table(campaign, independent=True)
    StoredFigures.objects.filter(pk=row.pk).update(
        state=State.IDLE,
        step="",
        message="",
        figures=figures_text(figures),
        inputs=inputs,
        fingerprint=votes_fingerprint(votes),
        votes=len(votes),
        made_at=timezone.now(),
        seconds=time.monotonic() - began,
    )
    row.refresh_from_db()
    return figures


def claimed_figures_make(*, row: StoredFigures) -> bool:
    """Compute the figures of a claimed row, with a heartbeat. Return whether it worked; log and store a failure."""
    try:
        with Heartbeat(row) as tell:
            figures_make(row=row, report=tell)
    except Exception as error:
        logger.exception("The %s of campaign %s failed.", row.get_kind_display(), row.campaign_id)
        StoredFigures.objects.filter(pk=row.pk).update(
            state=State.FAILED, message=f"{type(error).__name__}. See the log.", heartbeat_at=timezone.now()
        )
        return False
    return True


def inputs_of(campaign: Campaign, kind: str) -> str:
    """Return the SHA-256 of everything that changes the figures and is cheap to read (four queries or six)."""
    special = Q(withdrawn_at__isnull=False) | ~Q(role="rated")
    parts: list[Any] = [
        [str(getattr(campaign, name)) for name in _SETTINGS],
        Annotation.objects.filter(campaign=campaign).aggregate(newest=Max("pk")),
        campaign.screening_decisions.aggregate(newest=Max("pk"), undone=Count("undone_at")),
        list(
            campaign.images.filter(special)
            .order_by("pk")
            .values_list("pk", "role", "withdrawn_at", "expected_score", "expected_watch")
        ),
    ]
    if kind == Kind.METHODS:
        decisions = Adjudication.objects.filter(campaign=campaign)
        parts += [
            decisions.aggregate(newest=Max("pk"), undone=Count("undone_at")),
            ConsensusFit.objects.filter(campaign=campaign).values_list("pk", flat=True).first(),
        ]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def _again_at(row: StoredFigures, *, has_value: bool) -> datetime:
    """Return from when the figures may be computed again."""
    last = row.heartbeat_at if row.state == State.FAILED else row.made_at
    if last is None or not (has_value or row.state == State.FAILED):
        return _AT_ONCE
    return last + max(_AGAIN_AFTER, timedelta(seconds=row.seconds / _SHARE_OF_TIME))

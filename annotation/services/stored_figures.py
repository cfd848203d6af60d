"""Figures of the pages Campaign quality, Annotator quality and Methods report: how each kind is computed.

`annotation.services.figures_rows` says when they are computed.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db.models import Count, Max, Q
from django.utils.translation import gettext_noop

from annotation.exchange.methods_report import MethodsFigures
from annotation.measures.votes import VoteTable
from annotation.models import (
    UNSOUND,
    Adjudication,
    Annotation,
    Campaign,
    ConsensusFit,
    SplitChange,
    StoredFigures,
)
from annotation.selectors.campaign_quality import QualityFigures, quality_figures
from annotation.selectors.methods import methods_figures
from annotation.selectors.rater_quality import RaterParts, rater_parts
from annotation.selectors.votes import vote_table
from annotation.services.claims import Claims, Report
from annotation.services.figures_rows import Figures, FiguresMaker, claimed_row_make, row_make, row_request
from annotation.services.lane_registry import lane_labels

Kind = StoredFigures.Kind
CLAIMS = Claims(StoredFigures)

# With at most this many answers, the figures take less than two seconds, and the page computes them itself.
FEW_ANSWERS = 3_000
_SETTINGS = (
    *("name", "instructions", "mode", "scale_min", "scale_max", "reject_at", "pending_at", "seed"),
    *("repeat_share", "gold_share", "anchoring_share", "decisions_as_labels"),
)


def _raters(campaign: Campaign, tell: Report) -> RaterParts:
    tell(gettext_noop("comparing annotators"), 0, 0)
    return rater_parts(campaign)


def _methods(campaign: Campaign, tell: Report) -> MethodsFigures:
    return methods_figures(campaign, lane_labels=lane_labels(), tell=tell)


#: What is stored for each kind, and the function that computes it.
_KINDS: dict[str, tuple[type[Any], Callable[[Campaign, Report], Any]]] = {
    Kind.AGREEMENT: (QualityFigures, quality_figures),
    Kind.RATERS: (RaterParts, _raters),
    Kind.METHODS: (MethodsFigures, _methods),
}


class _Maker(FiguresMaker[StoredFigures]):
    """Computes the figures of each kind from all independent votes."""

    def kind(self, row: StoredFigures) -> type[Any]:
        """Return the dataclass of the kind."""
        return _KINDS[row.kind][0]

    def inputs(self, row: StoredFigures) -> str:
        """Return `inputs_of` the row's campaign and kind."""
        return inputs_of(row.campaign, row.kind)

    def is_quick(self, row: StoredFigures) -> bool:
        """Return whether the campaign has few answers."""
        return not Annotation.objects.filter(campaign=row.campaign_id)[FEW_ANSWERS:].exists()

    def make(self, row: StoredFigures, tell: Report) -> tuple[Any, VoteTable]:
        """Return the figures, and the votes, which are read a second time for their fingerprint."""
        figures = _KINDS[row.kind][1](row.campaign, tell)
        return figures, vote_table(row.campaign, independent=True)


_MAKER = _Maker()


def figures_request(*, campaign: Campaign, kind: StoredFigures.Kind) -> Figures[StoredFigures]:
    """Return the stored figures. Newer ones are queued, or computed at once in a campaign with few answers.

    The caller announces the task when `is_coming`. Seven cheap queries when there is nothing to do.
    """
    row, _ = StoredFigures.objects.get_or_create(campaign=campaign, kind=kind)
    row.campaign = campaign  # saves a query
    return row_request(row, _MAKER)


def figures_make(*, row: StoredFigures, report: Report | None = None) -> Any:
    """Compute the figures now, store and return them. `report`: called with each step.

    Safe to run twice at the same time: the last one is kept.
    """
    return row_make(row, _MAKER, report)


def claimed_figures_make(*, row: StoredFigures) -> bool:
    """Compute the figures of a claimed row, with a heartbeat. Return whether it worked; log and store a failure."""
    return claimed_row_make(row, _MAKER)


def inputs_of(campaign: Campaign, kind: str) -> str:
    """Return the SHA-256 of everything that changes the figures and is cheap to read (four queries or six)."""
    parts: list[Any] = [
        [str(getattr(campaign, name)) for name in _SETTINGS],
        *vote_inputs(campaign),
    ]
    if kind == Kind.METHODS:
        decisions = Adjudication.objects.filter(campaign=campaign)
        parts += [
            decisions.aggregate(newest=Max("pk"), undone=Count("undone_at")),
            ConsensusFit.objects.filter(campaign=campaign).values_list("pk", flat=True).first(),
        ]
    return inputs_digest(parts)


def vote_inputs(campaign: Campaign) -> list[Any]:
    """Return what tells whether the counted votes of a campaign have changed (four queries).

    Answers never change, so the id of the newest is enough. The photos that are listed are few, and each condition has
    an index: withdrawn, special, and reported, lost or damaged photos. Each change of a split is a row that stays.
    """
    special = Q(withdrawn_at__isnull=False) | ~Q(role="rated") | UNSOUND
    return [
        Annotation.objects.filter(campaign=campaign).aggregate(newest=Max("pk")),
        campaign.screening_decisions.aggregate(newest=Max("pk"), undone=Count("undone_at")),
        list(
            campaign.images.filter(special)
            .order_by("pk")
            .values_list("pk", "role", "withdrawn_at", "expected_score", "expected_watch", "problem")
        ),
        SplitChange.objects.filter(image__campaign=campaign).aggregate(newest=Max("pk"), changes=Count("pk")),
    ]


def inputs_digest(parts: list[Any]) -> str:
    """Return the SHA-256 of values as hexadecimal text."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()

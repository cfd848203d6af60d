"""Stored figures: computed by a worker, and shown at once with their age.

A page asks for figures with `row_request`. It gets the stored ones. When what they were computed from has changed
since, they are queued, and a worker computes them. Quick figures do not wait for a worker. Only what a page asked for
is computed. `FiguresMaker` says for each model of `FiguresRow` what is computed.
"""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.utils import timezone, translation
from django.utils.translation import gettext_noop

from annotation.exchange.methods_report import votes_fingerprint
from annotation.measures.figures_text import figures_kept, figures_text
from annotation.measures.votes import VoteTable
from annotation.models import Campaign, ComputedRow, FiguresRow
from annotation.services.claims import Heartbeat, Report

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=FiguresRow)
State = ComputedRow.State

# Least time between two computations, and the largest share of a worker's time for them.
_AGAIN_AFTER, _SHARE_OF_TIME = timedelta(seconds=30), 0.05
# Near-duplicates that are joined change the intervals without changing `inputs`.
_OLDEST = timedelta(days=1)
_AT_ONCE = datetime.min.replace(tzinfo=UTC)


class FiguresMaker(ABC, Generic[Row]):
    """Computes the figures of the rows of one model."""

    @abstractmethod
    def kind(self, row: Row) -> type[Any]:
        """Return the frozen dataclass of the figures."""

    @abstractmethod
    def inputs(self, row: Row) -> str:
        """Return the SHA-256 of everything that changes the figures and is cheap to read."""

    @abstractmethod
    def is_quick(self, row: Row) -> bool:
        """Return whether the computation takes less than two seconds, so that a page can wait for it."""

    @abstractmethod
    def make(self, row: Row, tell: Report) -> tuple[Any, VoteTable]:
        """Return the figures and the votes that they were computed from."""


@dataclass(frozen=True)
class Figures(Generic[Row]):
    """Stored figures and how old they are."""

    row: Row
    value: Any
    """The dataclass of the figures; None before the first computation."""
    is_newest: bool
    """They use all votes and the present settings."""

    @property
    def again_at(self) -> datetime:
        """Return from when a page can ask for newer ones."""
        return _again_at(self.row, has_value=self.value is not None)

    @property
    def is_coming(self) -> bool:
        """Return whether a worker computes them now, or soon."""
        return self.row.is_coming


class CampaignFiguresMaker(FiguresMaker[Row]):
    """Computes figures of which a campaign has one row. Only workers and commands compute them, never a page."""

    model: type[Row]
    """The rows, one a campaign."""
    value: type[Any]
    """The frozen dataclass of the figures."""

    def kind(self, row: Row) -> type[Any]:
        """Return the dataclass of the figures."""
        return self.value

    def is_quick(self, row: Row) -> bool:
        """Return False: a page never computes them."""
        return False

    def row(self, *, campaign: Campaign) -> Row:
        """Return the row of a campaign, which is empty at first."""
        found: Any = self.model._default_manager.get_or_create(campaign=campaign)[0]
        found.campaign = campaign  # saves a query
        row: Row = found
        return row

    def request(self, *, campaign: Campaign) -> Figures[Row]:
        """Return the stored figures. Newer ones are queued; the caller announces the task when they are `is_coming`."""
        return row_request(self.row(campaign=campaign), self)


def row_request(row: Row, maker: FiguresMaker[Row]) -> Figures[Row]:
    """Return the stored figures of the row. Newer ones are queued, or computed at once where that is quick.

    The caller announces the task when `is_coming`.
    """
    inputs = maker.inputs(row)
    value = figures_kept(maker.kind(row), row.figures) if row.figures else None
    now = timezone.now()
    is_newest = value is not None and row.inputs == inputs and row.made_at is not None and now - row.made_at < _OLDEST
    if is_newest:
        return Figures(row, value, is_newest)
    if maker.is_quick(row):
        return Figures(row, row_make(row, maker), True)
    if _again_at(row, has_value=value is not None) <= now:
        row_queue(row)
    return Figures(row, value, is_newest)


def row_queue(row: ComputedRow) -> None:
    """Queue the row for a worker, unless it is queued or a worker computes it. The caller announces the task."""
    if row.is_coming:
        return
    waiting = type(row)._default_manager.filter(pk=row.pk, state__in=(State.IDLE, State.FAILED))
    waiting.update(state=State.QUEUED, heartbeat_at=timezone.now(), step="", done=0, total=0)
    row.refresh_from_db(fields=["state", "heartbeat_at", "step", "done", "total"])


def row_make(row: Row, maker: FiguresMaker[Row], report: Report | None = None) -> Any:
    """Compute the figures now, store and return them. `report`: called with each step.

    Safe to run twice at the same time: the last one is kept. Sentences in them are in English, whoever asked first:
    readers with other languages get the same row.
    """
    began = time.monotonic()
    inputs = maker.inputs(row)  # before the votes are read: newer ones make the figures old
    with translation.override("en"):
        figures, votes = maker.make(row, report or (lambda step, done, total: None))
    stored = {
        "state": State.IDLE,
        "step": "",
        "message": "",
        "figures": figures_text(figures),
        "inputs": inputs,
        "fingerprint": votes_fingerprint(votes),
        "votes": len(votes),
        "made_at": timezone.now(),
        "seconds": time.monotonic() - began,
    }
    type(row)._default_manager.filter(pk=row.pk).update(**stored)
    for name, value in stored.items():
        setattr(row, name, value)
    return figures


def claimed_row_make(row: Row, maker: FiguresMaker[Row]) -> bool:
    """Compute the figures of a claimed row, with a heartbeat. Return whether it worked; log and store a failure."""
    return claimed_compute(row, lambda tell: row_make(row, maker, tell))


def claimed_compute(row: ComputedRow, compute: Callable[[Report], Any]) -> bool:
    """Compute and store a claimed row, with a heartbeat. Return whether it worked; log and store a failure."""
    try:
        with Heartbeat(row) as tell:
            compute(tell)
    except Exception as error:
        logger.exception("Computing row %s (%s) failed.", row.pk, row)
        type(row)._default_manager.filter(pk=row.pk).update(
            state=State.FAILED,
            message=gettext_noop("%(kind)s. See the log.") % {"kind": type(error).__name__},
            heartbeat_at=timezone.now(),
        )
        return False
    return True


def _again_at(row: FiguresRow, *, has_value: bool) -> datetime:
    """Return from when the figures may be computed again."""
    last = row.heartbeat_at if row.state == State.FAILED else row.made_at
    if last is None or not (has_value or row.state == State.FAILED):
        return _AT_ONCE
    return last + max(_AGAIN_AFTER, timedelta(seconds=row.seconds / _SHARE_OF_TIME))

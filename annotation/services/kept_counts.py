"""Counts over all photos or votes of a large campaign: made by a worker, stored, and shown with their time.

A page never makes such a count itself, because that takes seconds with a million photos. It shows the stored one, and
asks for a newer one when it is old. Before the first one, the page says that a worker is counting.
In a campaign with at most `LARGE` photos, a count takes some hundredths of a second and is made for each page.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.utils import timezone

from annotation.measures.figures_text import figures_read, figures_text
from annotation.models import Campaign, StoredCount
from annotation.services.claims import Claims, Report
from annotation.services.figures_rows import claimed_compute

T = TypeVar("T")
State = StoredCount.State

#: Photos. With fewer, no count takes a tenth of a second.
LARGE = 50_000
CLAIMS = Claims(StoredCount)
#: A count is made again after at least so much time, and counting takes at most this share of a worker's time.
_LEAST, _SHARE_OF_TIME = timedelta(seconds=30), 0.05
#: So many rows of one count with different parameters are kept, such as one for each evaluation that a page shows.
_MOST_ROWS = 20


@dataclass(frozen=True)
class Count(Generic[T]):
    """A count that pages can show. Make them with `count_register` in a module that the app's tasks import."""

    name: str
    kind: type[T]
    """Of the result: a frozen dataclass or int."""
    make: Callable[..., T]
    """Called with the campaign and the parameters."""


_registered: dict[str, Count[Any]] = {}


def count_register(count: Count[T]) -> Count[T]:
    """Let workers make this count. Raises ValueError when another count has its name."""
    if _registered.setdefault(count.name, count) is not count:
        raise ValueError(f"Two counts have the name {count.name!r}.")
    return count


@dataclass
class KeptCounts:
    """The counts of one page. The page calls `annotation.tasks.counts_announce` when it has got all of them."""

    campaign: Campaign
    is_large: bool
    """Whether the campaign has more than `LARGE` photos."""
    counted_at: datetime | None = field(default=None, init=False)
    """When the oldest count of the page was made; None in a campaign that is counted each time."""
    is_missing: bool = field(default=False, init=False)
    """Whether a count of the page was never made; a worker makes it."""
    asked: list[int] = field(default_factory=list, init=False)
    """Ids of the rows that wait for a worker."""
    _rows: dict[tuple[str, str], StoredCount] | None = field(default=None, init=False)

    def get(self, count: Count[T], **parameters: Any) -> T | None:
        """Return a count. In a large campaign it is the stored one, and None before a worker has made it.

        parameters: JSON values that choose what is counted. One query for all counts of a page, one more for each that
        is old.
        """
        if not self.is_large:
            return count.make(self.campaign, **parameters)
        row = self._row(count.name, parameters)
        value = figures_read(count.kind, row.value) if row.value and row.made_at else None
        if not row.is_coming and _again_at(row, has_value=value is not None) <= timezone.now():
            _queue(row)
        if row.state == State.QUEUED:
            self.asked.append(row.pk)
        if value is None:
            self.is_missing = True
        elif row.made_at is not None:
            self.counted_at = min(row.made_at, self.counted_at or row.made_at)
        return value

    def _row(self, name: str, parameters: dict[str, Any]) -> StoredCount:
        if self._rows is None:
            rows = StoredCount.objects.filter(campaign=self.campaign)
            self._rows = {(row.name, row.parameters_key): row for row in rows}
        key = _key(parameters)
        if (name, key) not in self._rows:
            row, _ = StoredCount.objects.get_or_create(
                campaign=self.campaign, name=name, parameters_key=key, defaults={"parameters": parameters}
            )
            self._rows[name, key] = row
        return self._rows[name, key]


def kept_counts_of(campaigns: Iterable[Campaign]) -> list[KeptCounts]:
    """Return the counts of several large campaigns for one page (one query)."""
    campaigns = list(campaigns)
    rows: dict[int, dict[tuple[str, str], StoredCount]] = {campaign.pk: {} for campaign in campaigns}
    for row in StoredCount.objects.filter(campaign__in=list(rows)) if rows else ():
        rows[row.campaign_id][row.name, row.parameters_key] = row
    found = [KeptCounts(campaign, is_large=True) for campaign in campaigns]
    for one in found:
        one._rows = rows[one.campaign.pk]
    return found


def counts_forget(campaign: Campaign, *counts: Count[Any]) -> None:
    """Let the next page ask for new counts, for example after somebody has changed what is counted."""
    names = [count.name for count in counts]
    StoredCount.objects.filter(campaign=campaign, name__in=names).update(made_at=None)


def claimed_count_make(row: StoredCount) -> bool:
    """Make the count of a claimed row. Return whether it worked; log and store a failure."""
    return claimed_compute(row, lambda tell: count_make(row, tell))


def count_make(row: StoredCount, tell: Report | None = None) -> None:
    """Make the count of a row now and store it. Safe to run twice at the same time: the last one is kept."""
    now, began = timezone.now(), time.monotonic()
    value = _registered[row.name].make(row.campaign, **row.parameters)
    StoredCount.objects.filter(pk=row.pk).update(
        state=State.IDLE,
        message="",
        value=figures_text(value),
        made_at=now,
        seconds=time.monotonic() - began,
    )
    others = StoredCount.objects.filter(campaign_id=row.campaign_id, name=row.name).order_by("-pk")
    old = list(others.values_list("pk", flat=True)[_MOST_ROWS:])
    StoredCount.objects.filter(pk__in=old).exclude(state__in=(State.QUEUED, State.RUNNING)).delete()


def _queue(row: StoredCount) -> None:
    """Queue a row, unless another request did."""
    StoredCount.objects.filter(pk=row.pk, state__in=(State.IDLE, State.FAILED)).update(
        state=State.QUEUED, heartbeat_at=timezone.now()
    )
    row.state = State.QUEUED


def _again_at(row: StoredCount, *, has_value: bool) -> datetime:
    """Return from when the count may be made again."""
    last = row.heartbeat_at if row.state == State.FAILED else row.made_at
    if last is None or not (has_value or row.state == State.FAILED):
        return datetime.min.replace(tzinfo=timezone.get_default_timezone())
    return last + max(_LEAST, timedelta(seconds=row.seconds / _SHARE_OF_TIME))


def _key(parameters: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()

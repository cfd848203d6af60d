"""Counts over all photos or votes of a large campaign, kept for some time, with the time when they were counted.

Each web process keeps its own, so two requests can show counts of different times.
A page of a campaign with more than `LARGE` photos shows them with that time. Other campaigns are counted each time.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.core.cache import cache
from django.utils import timezone

from annotation.models import Campaign

T = TypeVar("T")

#: Photos. With fewer, no count takes a tenth of a second.
LARGE = 50_000
#: A count is kept for at least so many seconds, and so long that counting takes at most this share of the time.
_LEAST_SECONDS, _SHARE_OF_TIME = 30, 0.05


@dataclass
class KeptCounts:
    """The counts of one page."""

    campaign: Campaign
    is_large: bool
    """Whether the campaign has more than `LARGE` photos."""
    counted_at: datetime | None = field(default=None, init=False)
    """When the oldest count of the page was made; None in a campaign that is counted each time."""

    def get(self, name: str, count: Callable[[], T]) -> T:
        """Return a count: a kept one, or a new one from `count`. name: with everything that chooses what is counted."""
        if not self.is_large:
            return count()
        key = _key(self.campaign, name)
        kept: tuple[T, datetime] | None = cache.get(key)
        if kept is None:
            now, began = timezone.now(), time.monotonic()
            kept = count(), now
            seconds = time.monotonic() - began
            cache.set(key, kept, max(_LEAST_SECONDS, seconds / _SHARE_OF_TIME))
        self.counted_at = min(kept[1], self.counted_at or kept[1])
        return kept[0]


def counts_forget(campaign: Campaign, *names: str) -> None:
    """Let the next page count again, for example after somebody has changed what is counted."""
    cache.delete_many([_key(campaign, name) for name in names])


def _key(campaign: Campaign, name: str) -> str:
    # A name may be a sentence, and keys of some caches allow no spaces.
    return f"kept-count-{campaign.pk}-{hashlib.sha256(name.encode()).hexdigest()}"

"""Requests for more votes on some photos, and what became of them."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet

from annotation.models import LIVE, Campaign, VoteRequest


@dataclass(frozen=True)
class RequestBatch:
    """Photos that were sent for more votes together."""

    batch: uuid.UUID
    by: str
    at: datetime
    reason: str
    rows: tuple[VoteRequest, ...]
    """With photo and stored consensus."""

    @property
    def wanted(self) -> int:
        """Return how many votes were asked for."""
        return sum(row.votes for row in self.rows)

    @property
    def given(self) -> int:
        """Return how many of them have come."""
        return sum(votes_come(row) for row in self.rows)

    @property
    def finished(self) -> tuple[VoteRequest, ...]:
        """Return the photos that have all of them."""
        return tuple(row for row in self.rows if votes_come(row) >= row.votes)

    @property
    def is_finished(self) -> bool:
        """Return whether all votes have come."""
        return self.given >= self.wanted


def votes_come(row: VoteRequest) -> int:
    """Return how many of the votes of a request have come, at most as many as it asks for."""
    return max(0, min(row.votes, row.image.vote_count - row.votes_before))


def open_requests(campaign: Campaign) -> QuerySet[VoteRequest]:
    """Return the requests that wait for votes."""
    return VoteRequest.objects.filter(
        campaign=campaign, undone_at=None, image__vote_count__lt=F("votes_before") + F("votes")
    )


def requested_images(campaign: Campaign, image_ids: Collection[int]) -> set[int]:
    """Return those of the photos that wait for votes of a request (one query)."""
    rows = open_requests(campaign).filter(image__in=list(image_ids))
    return set(rows.values_list("image_id", flat=True))


def request_batches(campaign: Campaign, *, photos: int) -> list[RequestBatch]:
    """Return the newest requests that are not undone, with at most so many photos in all (one query)."""
    rows = VoteRequest.objects.filter(campaign=campaign, undone_at=None).select_related("image__consensus", "by")
    batches: dict[uuid.UUID, list[VoteRequest]] = {}
    for row in rows.filter(image__in=campaign.images.filter(LIVE))[:photos]:
        batches.setdefault(row.batch, []).append(row)
    return [
        RequestBatch(batch, found[0].by.username, found[0].at, found[0].reason, tuple(found))
        for batch, found in batches.items()
    ]

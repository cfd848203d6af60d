"""Asking for more votes on some photos than the campaign's usual number, and taking that back. Both are in the audit.

A photo needs the votes of its split (or of the campaign's targets) and `Image.extra_votes` more. The change of
`open_slots` keeps the equation of `annotation.services.queue`. Queue and lanes hand the photos out like any others.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import LIVE, QUEUED, AuditKind, Campaign, Image, User, VoteRequest
from annotation.selectors.vote_requests import requested_images
from annotation.services.audit import audit_record

#: Votes that one click asks for.
MORE_VOTES = 2
MOST_VOTES = 20
#: Photos of one request.
MOST_PHOTOS = 5_000
_NAMED = 50  # photos that the audit names


class VoteRequestError(ValueError):
    """The request cannot be stored. The message is a sentence for the reviewer."""


@dataclass(frozen=True)
class SentPhotos:
    """What a request has done."""

    batch: uuid.UUID
    image_ids: tuple[int, ...]
    """Photos that get more votes, ascending."""
    waiting: int
    """Photos that were sent before and still wait for these votes: unchanged."""
    left_out: int
    """Photos that are not in the queue: withdrawn, with a problem, special, or of another campaign."""

    @property
    def photos(self) -> int:
        """Return how many photos get more votes."""
        return len(self.image_ids)


@transaction.atomic
def votes_request(
    *,
    campaign: Campaign,
    image_ids: Collection[int],
    by: User,
    reason: str,
    votes: int = MORE_VOTES,
    batch: uuid.UUID | None = None,
) -> SentPhotos:
    """Ask for `votes` more votes on each of these photos. `batch`: of an earlier part of the same request.

    A photo that still waits for votes of an earlier request gets none twice, so that a second click does no harm.

    Raises VoteRequestError for a number of votes outside 1 … MOST_VOTES, and for no photos or more than MOST_PHOTOS.
    """
    wanted = set(image_ids)
    if not 1 <= votes <= MOST_VOTES:
        raise VoteRequestError(gettext("Ask for 1 to %(most_votes)s more votes.") % {"most_votes": MOST_VOTES})
    if not wanted:
        raise VoteRequestError(gettext("Choose at least one photo."))
    if len(wanted) > MOST_PHOTOS:
        raise VoteRequestError(gettext("Send at most %(most_photos)s photos at a time.") % {"most_photos": MOST_PHOTOS})
    images = Image.objects.filter(LIVE, QUEUED, campaign=campaign, pk__in=wanted).order_by("pk")
    locked = images.select_for_update(no_key=True).values_list("pk", "vote_count", "open_slots")
    found = {pk: (count, slots) for pk, count, slots in locked}
    waiting = requested_images(campaign, found)
    fresh = [pk for pk in found if pk not in waiting]
    batch = batch or uuid.uuid4()
    VoteRequest.objects.bulk_create(
        VoteRequest(
            campaign=campaign,
            image_id=pk,
            batch=batch,
            votes=votes,
            added=votes + _surplus(found[pk][1]),
            votes_before=found[pk][0],
            reason=reason[:200],
            by=by,
        )
        for pk in fresh
    )
    added = votes + Greatest(-F("open_slots"), 0)
    Image.objects.filter(pk__in=fresh).update(
        votes_needed=F("votes_needed") + added,
        open_slots=F("open_slots") + added,
        extra_votes=F("extra_votes") + added,
    )
    if fresh:
        audit_record(
            kind=AuditKind.VOTES_REQUESTED,
            by=by,
            campaign=campaign,
            what=f"{votes} more votes for {_photos(len(fresh))}",
            after={"votes": votes, "photos": fresh[:_NAMED], "reason": reason[:200]},
        )
    return SentPhotos(batch, tuple(fresh), len(waiting), len(wanted) - len(found))


@transaction.atomic
def votes_request_undo(
    *, campaign: Campaign, batch: uuid.UUID, by: User, image_ids: Collection[int] | None = None
) -> list[int]:
    """Take the requests of a batch back, all or those of some photos. Return the photos, none when undone before.

    Votes that came since stay votes, and so do answers that somebody is giving at the moment.
    """
    rows = list(VoteRequest.objects.filter(campaign=campaign, batch=batch, undone_at=None))
    if image_ids is not None:
        rows = [row for row in rows if row.image_id in set(image_ids)]
    images = Image.objects.filter(pk__in=[row.image_id for row in rows]).order_by("pk")
    found = {image.pk: image for image in images.select_for_update(no_key=True)}
    # Read again under the locks, so that two clicks at once take back only once.
    rows = list(VoteRequest.objects.filter(pk__in=[row.pk for row in rows], undone_at=None))
    now = timezone.now()
    for row in rows:
        image = found[row.image_id]
        open_now = max(image.open_slots, 0) + row.added - row.votes  # surplus votes are surplus again
        row.taken_back = min(row.added, open_now, image.extra_votes)
        row.undone_at, row.undone_by = now, by
        image.votes_needed -= row.taken_back
        image.open_slots -= row.taken_back
        image.extra_votes -= row.taken_back
    changed = [found[row.image_id] for row in rows]
    Image.objects.bulk_update(changed, ["votes_needed", "open_slots", "extra_votes"])
    VoteRequest.objects.bulk_update(rows, ["taken_back", "undone_at", "undone_by"])
    if rows:
        audit_record(
            kind=AuditKind.VOTES_REQUEST_UNDONE,
            by=by,
            campaign=campaign,
            what=f"more votes for {_photos(len(rows))}",
            before={"votes": rows[0].votes, "photos": [row.image_id for row in rows[:_NAMED]]},
            after={"votes_taken_back": sum(row.taken_back for row in rows)},
        )
    return [row.image_id for row in rows]


def _surplus(open_slots: int) -> int:
    """Return how many votes a photo has beyond those that it needs."""
    return max(-open_slots, 0)


def _photos(count: int) -> str:
    return f"{count:,} photo{'' if count == 1 else 's'}"

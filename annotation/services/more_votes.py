"""Votes that reviewers ask for beyond the usual number of a photo.

`Image.votes_asked` keeps them apart, so that other changes of `votes_needed` (settings, splits) leave them. The change
of `open_slots` keeps the equation of `annotation.services.queue`.
"""

from collections.abc import Collection

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest, Least

from annotation.models import LIVE, QUEUED, Campaign, Image

#: Most votes that one request asks for, and that all requests together ask for one photo.
MOST_AT_ONCE, MOST = 20, 100


class MoreVotesError(ValueError):
    """The number is not possible. The message is a sentence for the reviewer."""


@transaction.atomic
def more_votes_ask(*, campaign: Campaign, image_ids: Collection[int], votes: int) -> list[int]:
    """Send photos back to the annotators for so many more votes. Return the ids of those that were sent, ascending.

    A photo with more votes than it needs gets them on top of these. Photos that are not in the queue (practice, gold
    and example photos, photos with a problem, withdrawn ones) and photos with `MOST` votes asked for are left out.
    Raises MoreVotesError for a number outside 1 … `MOST_AT_ONCE`.
    """
    _check(votes)
    sent = _locked(campaign, image_ids, votes_asked__lte=MOST - votes)
    surplus = Least(Greatest(-F("open_slots"), Value(0)), MOST - votes - F("votes_asked"))
    more = surplus + votes
    Image.objects.filter(pk__in=sent).update(
        votes_asked=F("votes_asked") + more, votes_needed=F("votes_needed") + more, open_slots=F("open_slots") + more
    )
    return sent


@transaction.atomic
def more_votes_take_back(*, campaign: Campaign, image_ids: Collection[int], votes: int) -> list[int]:
    """Ask for so many fewer votes, and return the ids of the photos for which that many were asked, ascending.

    Votes that were given meanwhile stay. Raises MoreVotesError as `more_votes_ask`.
    """
    _check(votes)
    taken = _locked(campaign, image_ids, votes_asked__gte=votes)
    Image.objects.filter(pk__in=taken).update(
        votes_asked=F("votes_asked") - votes,
        votes_needed=F("votes_needed") - votes,
        open_slots=F("open_slots") - votes,
    )
    return taken


def _check(votes: int) -> None:
    if not 1 <= votes <= MOST_AT_ONCE:
        raise MoreVotesError(f"Ask for 1 to {MOST_AT_ONCE} more votes.")


def _locked(campaign: Campaign, image_ids: Collection[int], **conditions: int) -> list[int]:
    """Lock the photos of the queue in the order of their ids, as claims do, and return these ids."""
    rows = Image.objects.filter(LIVE, QUEUED, campaign=campaign, pk__in=image_ids, **conditions)
    return list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))

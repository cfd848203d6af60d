"""Which photos of a campaign were taken, in which order, and which of them the queue drew at random.

`annotation.measures.weighted_mean` needs draws that are even over all photos not yet taken:

* A lane that looks at nothing but numbers of votes draws so: `random`, `fewest_votes` and, in the holdout, `holdout`.
  The lane counts that gave the photo to somebody first.
* Photos that were imported later could not be drawn. Draws before the last photo of the part came in do not count as
  random; their photos are known all the same.
* Once photos that a model had decided have left the queue, only `random` still reaches all photos outside the holdout.
"""

from datetime import datetime
from math import nan
from typing import Any

import numpy as np
from django.db.models import Case, Count, F, FloatField, Max, Min, Q, Sum, Value, When
from numpy.typing import NDArray

from annotation.models import LIVE, SOUND_PROBLEMS, Annotation, Assignment, Campaign, Image
from annotation.selectors.screening import vote_weights
from annotation.selectors.votes import votes_of
from annotation.services.lane_registry import RANDOM
from training.evaluation.weighted_answers import TakenPhotos

#: Lanes that take photos without a look at them: at random, or by the number of votes.
BLIND_LANES = (RANDOM, "fewest_votes", "holdout")

_NEVER = np.iinfo(np.int64).max


def taken_photos(campaign: Campaign, *, left_queue_at: datetime | None) -> TakenPhotos:
    """Return the taken photos (four queries). `left_queue_at`: when decided photos first left the queue."""
    pool = campaign.images.filter(LIVE, role=Image.Role.RATED, problem__in=SOUND_PROBLEMS)
    is_holdout = Q(split=Image.Split.HOLDOUT)
    counts = pool.aggregate(
        holdout=Count("pk", filter=is_holdout),
        others=Count("pk", filter=~is_holdout),
        last_holdout=Max("created_at", filter=is_holdout),
        last_other=Max("created_at", filter=~is_holdout),
    )
    firsts = (
        Assignment.objects.filter(campaign=campaign, is_repeat=False, image__in=pool)
        .order_by("image_id", "pk")
        .distinct("image_id")
        .values_list("image_id", "pk", "lane", "leased_at", "image__split")
    )
    drawn = sorted(firsts.iterator(chunk_size=20_000), key=lambda row: row[1])
    times = np.array([row[3].timestamp() for row in drawn], dtype=np.float64)
    # A lease that ended and came back has a later time. Nothing that was drawn later can be older.
    times = np.minimum.accumulate(times[::-1])[::-1]

    def place_of(moment: datetime | None) -> int:
        """Return how many photos had been drawn by then; infinitely many for None."""
        return _NEVER if moment is None else int(np.searchsorted(times, moment.timestamp(), side="right"))

    ends = {True: place_of(counts["last_holdout"]), False: place_of(counts["last_other"])}
    left = place_of(left_queue_at)
    votes = _votes(campaign)
    rows: list[tuple[float, bool, bool, float, float, int, int]] = []
    for place, (image, _, lane, _, split) in enumerate(drawn):
        own = votes.pop(image, None)
        held = split == Image.Split.HOLDOUT
        is_late = place < ends[held] or (place >= left and not held and lane != RANDOM)
        is_first = own is None or place_of(own["imported"]) > place
        rows.append((place, held, lane in BLIND_LANES and not is_late and is_first, *_values(own)))
    # Imported answers: nobody had a lease.
    rows += [
        (place_of(own["first"]) - 0.5, own["split"] == Image.Split.HOLDOUT, False, *_values(own))
        for own in votes.values()
    ]
    rows.sort(key=lambda row: row[0])
    table: NDArray[np.float64] = np.array(rows, dtype=np.float64).reshape(-1, 7)
    return TakenPhotos(
        is_holdout=table[:, 1] > 0,
        is_random=table[:, 2] > 0,
        scores=table[:, 3],
        watch=table[:, 4],
        votes=table[:, 5],
        labels=table[:, 6],
        holdout=counts["holdout"],
        others=counts["others"],
    )


def _votes(campaign: Campaign) -> dict[int, dict[str, Any]]:
    """Return for each photo with votes their weighted sums, their number, and the time of the first (imported) one."""
    weights = [When(annotator=one, then=Value(weight)) for one, weight in vote_weights(campaign.pk).items()]
    weight = Case(*weights, default=Value(1.0), output_field=FloatField())
    has_score = Q(score__isnull=False)
    rows = (
        votes_of(campaign, for_evaluation=True)
        .filter(image__role=Image.Role.RATED)
        .order_by()
        .values("image_id", split=F("image__split"))
        .annotate(
            first=Min("created_at"),
            imported=Min("created_at", filter=Q(vote_import__isnull=False)),
            scores=Sum(F("score") * weight, filter=has_score, output_field=FloatField()),
            scored=Sum(weight, filter=has_score),
            number=Count("pk", filter=has_score),
            yes=Sum(weight, filter=Q(watch=Annotation.Watch.YES)),
            no=Sum(weight, filter=Q(watch=Annotation.Watch.NO)),
            labels=Count("pk", filter=Q(watch__in=[Annotation.Watch.YES, Annotation.Watch.NO])),
        )
    )
    return {row["image_id"]: dict(row) for row in rows.iterator(chunk_size=20_000)}


def _values(own: dict[str, Any] | None) -> tuple[float, float, int, int]:
    """Return the mean score, the share of 'watch', and the numbers of scores and labels; NaN without votes."""
    if own is None:
        return nan, nan, 0, 0
    yes, no = own["yes"] or 0.0, own["no"] or 0.0
    score = own["scores"] / own["scored"] if own["scored"] else nan
    return score, yes / (yes + no) if yes + no > 0 else nan, own["number"], own["labels"]

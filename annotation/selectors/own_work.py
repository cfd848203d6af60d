"""What one annotator has done in a campaign, for that annotator's eyes.

Nobody learns what others said about a photo before their own answer stands. Where the campaign is blind, nobody learns
it before the campaign is closed: not photo by photo and not in sum either, because 'you are kinder than the others'
would bend the answers to come. Answers to hidden repeats are summed up only, and gold photos look like any other: a
list that told them apart would give them away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db.models import Avg, Count, OuterRef, Q, Subquery
from django.db.models.functions import TruncDate
from django.utils import timezone
from numpy.typing import NDArray

from annotation.consensus.labels import majority_label
from annotation.measures.intervals import Interval, wilson_interval
from annotation.models import Annotation, Campaign, Image, User
from annotation.raters.agreement_with_others import AgreementWithOthers, agreement_with_others
from annotation.raters.self_agreement import SelfAgreement, self_agreement
from annotation.selectors.activity import Median
from annotation.selectors.repeats import repeat_pairs
from annotation.selectors.votes import own_standing

DAYS = 14


@dataclass(frozen=True)
class OwnDay:
    """One day's answers; a corrected answer counts on the day of the correction."""

    day: date
    answers: int
    seconds_per_answer: float | None
    """Median from shown to answered; None when no answer says it."""


@dataclass(frozen=True)
class Comparison:
    """Own answers beside the others', on photos where both stand."""

    agreement: AgreementWithOthers | None
    """None without such photos."""
    others_votes: int
    simulated: int
    """How many of them are a program's."""
    watch: Interval | None
    """Share of the photos with a majority of the others for one watch label on which the own label is the same."""
    own_histogram: NDArray[np.int64]
    """Own votes per score [K], lowest first."""
    others_histogram: NDArray[np.int64]

    @property
    def photos(self) -> int:
        """Return how many photos are compared."""
        return self.agreement.n if self.agreement else 0


def others_shown(campaign: Campaign) -> bool:
    """Return whether annotators may see what others said about photos that they have answered themselves."""
    return campaign.mode != Campaign.Mode.BLIND or campaign.state == Campaign.State.CLOSED


def correction_refused(image: Image) -> str:
    """Return why an answer to this photo cannot be corrected, in a sentence, or ''. Needs `image.campaign`."""
    if image.campaign.state == Campaign.State.CLOSED:
        return "The campaign is closed, so answers cannot be edited."
    if image.role in Image.TAUGHT:
        return "This is now a practice or example photo, so your answer cannot be edited."
    return ""


def own_days(campaign: Campaign, annotator: User, *, today: date | None = None) -> list[OwnDay]:
    """Return the last `DAYS` days in the site's time zone, oldest first, those without answers too (one query)."""
    today = today or timezone.localdate()
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    rows = (
        own_standing(campaign, annotator)
        .filter(skip_reason="")
        .annotate(day=TruncDate("created_at"))
        .filter(day__gte=days[0])
        .order_by()
        .values("day")
        .annotate(answers=Count("pk"), median=Median("milliseconds"))
    )
    found = {row["day"]: row for row in rows}
    return [
        OwnDay(day, found[day]["answers"], None if found[day]["median"] is None else found[day]["median"] / 1000)
        if day in found
        else OwnDay(day, 0, None)
        for day in days
    ]


def own_comparison(campaign: Campaign, annotator: User) -> Comparison:
    """Compare own standing votes with those of the others on the same photos (three queries).

    The caller asks `others_shown` first.
    """
    mine = own_standing(campaign, annotator).filter(skip_reason="")
    own = {image: (score or 0, watch) for image, score, watch in mine.values_list("image_id", "score", "watch")}
    others = (
        Annotation.objects.filter(campaign=campaign, image__in=mine.values("image"))
        .votes()
        .exclude(annotator=annotator)
        .order_by()
    )
    labels = {label.value: Count("pk", filter=Q(watch=label)) for label in (Annotation.Watch.YES, Annotation.Watch.NO)}
    rows: Iterable[Mapping[str, Any]] = others.values("image_id").annotate(
        mean=Avg("score"),
        votes=Count("pk"),
        simulated=Count("pk", filter=Q(annotator__is_simulated=True)),
        **labels,
    )
    photos = [row for row in rows if row["image_id"] in own]  # an answer may have come in since the first query
    given = dict(others.values_list("score").annotate(Count("pk")))
    majority = {photo["image_id"]: majority_label(photo["yes"], photo["no"]) for photo in photos}
    decided = [image for image, label in majority.items() if label]
    same_label = sum(own[image][1] == majority[image] for image in decided)
    scores = [own[photo["image_id"]][0] for photo in photos]
    return Comparison(
        agreement=agreement_with_others(scores, [float(photo["mean"]) for photo in photos]),
        others_votes=sum(photo["votes"] for photo in photos),
        simulated=sum(photo["simulated"] for photo in photos),
        watch=wilson_interval(same_label, len(decided)) if decided else None,
        own_histogram=np.array([scores.count(score) for score in campaign.scores], dtype=np.int64),
        others_histogram=np.array([given.get(score, 0) for score in campaign.scores], dtype=np.int64),
    )


def own_repeats(campaign: Campaign, annotator: User) -> SelfAgreement | None:
    """Return how well the annotator agrees with themselves on hidden repeats; None without any (one query)."""
    pairs = repeat_pairs(campaign, annotator=annotator).get(annotator.pk)
    return self_agreement(*pairs) if pairs else None


def own_history(
    campaign: Campaign, annotator: User, *, before: int | None = None, count: int
) -> tuple[list[Annotation], bool]:
    """Return what the annotator said, newest first, and whether there is more (one query).

    `before` is the number of the annotation that the page before ended with. Each row has its photo, and
    `others_mean` and `others_votes`, which are None for skips, where nobody else answered, and where they may not be
    seen.
    """
    rows = own_standing(campaign, annotator).select_related("image").order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    if others_shown(campaign):
        others = (
            Annotation.objects.filter(image=OuterRef("image"))
            .votes()
            .exclude(annotator=annotator)
            .order_by()
            .values("image")
        )
        rows = rows.annotate(
            others_mean=Subquery(others.annotate(mean=Avg("score")).values("mean")),
            others_votes=Subquery(others.annotate(votes=Count("pk")).values("votes")),
        )
    found = list(rows[: count + 1])
    for row in found:
        if row.skip_reason or not others_shown(campaign):
            row.others_mean = row.others_votes = None  # type: ignore[attr-defined]
    return found[:count], len(found) > count

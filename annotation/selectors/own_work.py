"""What one annotator has done in a campaign, shown only to that annotator.

An annotator sees the others' answers to a photo only after answering it, without those of people whom a reviewer has
excluded. In a blind campaign, annotators see them only after the campaign is closed, neither for single photos nor in
summary: 'you give higher scores than the others' would influence later answers. Answers to hidden repeats appear only
in a summary, and gold photos look like all others, because a list that marked them would reveal them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db.models import Avg, Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext
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
    """The answers of one day. A corrected answer counts on the day of the correction."""

    day: date
    answers: int
    seconds_per_answer: float | None
    """Median time from showing the photo to the answer; None when it is unknown."""


@dataclass(frozen=True)
class Comparison:
    """Own answers compared with the others', on photos that both answered."""

    agreement: AgreementWithOthers | None
    """None without such photos."""
    others_votes: int
    simulated: int
    """How many of these votes are from programs."""
    watch: Interval | None
    """Share of photos where the own watch label equals the majority label of the others. Photos with a tie are left
    out."""
    own_histogram: NDArray[np.int64]
    """Own votes per score [K], lowest first."""
    others_histogram: NDArray[np.int64]

    @property
    def photos(self) -> int:
        """Return how many photos are compared."""
        return self.agreement.n if self.agreement else 0


def others_shown(campaign: Campaign) -> bool:
    """Return whether annotators may see the others' answers to photos that they have answered."""
    return campaign.mode != Campaign.Mode.BLIND or campaign.state == Campaign.State.CLOSED


def correction_refused(image: Image) -> str:
    """Return why an answer to this photo cannot be corrected, or '' when it can. Reads `image.campaign`."""
    if image.campaign.state == Campaign.State.CLOSED:
        return gettext("The campaign is closed. Answers cannot be changed.")
    if image.role in Image.TAUGHT:
        return gettext("This photo is now a practice or example photo. Your answer to it cannot be changed.")
    return ""


def own_days(campaign: Campaign, annotator: User, *, today: date | None = None) -> list[OwnDay]:
    """Return the last `DAYS` days in the site's time zone, oldest first, including days without answers (one query)."""
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
    """Compare own votes with the others' votes on the same photos (three queries).

    The caller must check `others_shown` first.
    """
    mine = own_standing(campaign, annotator).filter(skip_reason="", image__withdrawn_at=None)
    own = {image: (score or 0, watch) for image, score, watch in mine.values_list("image_id", "score", "watch")}
    others = (
        Annotation.objects.filter(campaign=campaign, image__in=mine.values("image"))
        .counted_votes()
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
    photos = [row for row in rows if row["image_id"] in own]  # an answer may have been added since the first query
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
    """Return the annotator's self-agreement on hidden repeats; None without any (one query)."""
    pairs = repeat_pairs(campaign, annotator=annotator).get(annotator.pk)
    return self_agreement(*pairs) if pairs else None

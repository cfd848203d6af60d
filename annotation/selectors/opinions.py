"""MOS and majority label per photo, for practice, example and gold photos."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Avg, Count, Q, StdDev, Variance

from annotation.consensus.labels import majority_label
from annotation.measures.vote_variance import VoteVariance, variance_of
from annotation.models import LIVE, Annotation, AnnotationQuerySet, Campaign, Image
from annotation.selectors.consensus import stored_vote_variance


@dataclass(frozen=True)
class Opinion:
    """The combined independent votes on one photo."""

    image_id: int
    votes: int
    simulated: int
    """How many of the votes are from programs."""
    mean: float
    """Mean of the opinion scores."""
    spread: float
    """Standard deviation of the opinion scores, over n − 1; 0 with one vote."""
    watch: str
    """The majority label, 'yes' or 'no'; '' for a tie. 'Unsure' counts for neither."""
    unsure: int
    """How many of the votes are unsure about the watch."""

    @property
    def score(self) -> int:
        """Return the mean rounded to an opinion score; halves are rounded up."""
        return int(self.mean + 0.5)


@dataclass(frozen=True)
class SpecialCounts:
    """Number of special photos of a campaign, and of photos with a problem."""

    practice: int
    example: int
    gold: int
    problem: int


def special_counts(campaign: Campaign) -> SpecialCounts:
    """Count the special photos and those with a problem (one query)."""
    images = campaign.images.filter(LIVE).filter(~Q(role=Image.Role.RATED) | ~Q(problem=""))
    roles = {role.value: Count("pk", filter=Q(role=role)) for role in Image.Role if role != Image.Role.RATED}
    return SpecialCounts(**images.aggregate(**roles, problem=Count("pk", filter=~Q(problem=""))))


def opinions_of(campaign: Campaign, *, min_votes: int) -> list[Opinion]:
    """Return the opinions on photos that can become practice photos, ordered by photo (one query).

    These photos are rated photos without a problem, in the training split, with at least `min_votes` independent votes.
    They have a majority label, and less than half of the votes are unsure. From a group of near-duplicates, only the
    photo with the most votes is returned.
    """
    votes = Annotation.objects.filter(
        campaign=campaign,
        image__split=Image.Split.TRAIN,
        image__role=Image.Role.RATED,
        image__problem="",
    )
    groups = set()
    opinions = []
    for opinion, group in sorted(_opinions(votes, min_votes), key=lambda row: (-row[0].votes, row[0].image_id)):
        if opinion.watch and 2 * opinion.unsure < opinion.votes and group not in groups:
            groups.add(group)
            opinions.append(opinion)
    return sorted(opinions, key=lambda opinion: opinion.image_id)


def campaign_vote_variance(campaign: Campaign) -> VoteVariance:
    """Return how much independent votes on one photo differ in this campaign, for intervals of a MOS.

    It comes from the newest fit of the stored consensus (one query). Before the first fit, and when no worker has
    run for a day, it comes from the votes (a second query). Withdrawn photos are left out.
    """
    stored = stored_vote_variance(campaign)
    if stored is not None:
        return stored
    photos = (
        Annotation.objects.filter(campaign=campaign, image__withdrawn_at=None)
        .independent_votes()
        .order_by()
        .values("image_id")
        .annotate(votes=Count("pk"), variance=Variance("score", sample=True))
        .filter(votes__gt=1)
        .values_list("variance", "votes")
    )
    rows = np.array(photos, dtype=np.float64).reshape(-1, 2)
    return variance_of(rows[:, 0], rows[:, 1])


def opinion_of(image: Image) -> Opinion | None:
    """Return the opinion on one photo; None without independent votes."""
    found = _opinions(Annotation.objects.filter(image=image), min_votes=1)
    return found[0][0] if found else None


def _opinions(annotations: AnnotationQuerySet, min_votes: int) -> list[tuple[Opinion, object]]:
    """Return the opinion on each photo from its independent votes, with the photo's group of near-duplicates."""
    answers = {label.value: Count("pk", filter=Q(watch=label)) for label in Annotation.Watch}
    rows: Iterable[Mapping[str, Any]] = (
        annotations.independent_votes()
        .order_by()
        .values("image_id", "image__group")
        .annotate(
            votes=Count("pk"),
            simulated=Count("pk", filter=Q(annotator__is_simulated=True)),
            mean=Avg("score"),
            spread=StdDev("score", sample=True),
            **answers,
        )
        .filter(votes__gte=min_votes)
    )
    return [
        (
            Opinion(
                image_id=row["image_id"],
                votes=row["votes"],
                simulated=row["simulated"],
                mean=float(row["mean"]),
                spread=float(row["spread"] or 0.0),
                watch=majority_label(row[Annotation.Watch.YES], row[Annotation.Watch.NO]),
                unsure=row[Annotation.Watch.UNSURE],
            ),
            row["image__group"],
        )
        for row in rows
    ]

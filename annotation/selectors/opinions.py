"""What people said about photos, added up to an answer that others can be taught or checked by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, Q, StdDev

from annotation.consensus.labels import majority_label
from annotation.models import Annotation, AnnotationQuerySet, Campaign, Image


@dataclass(frozen=True)
class Opinion:
    """What the annotators of one photo say together."""

    image_id: int
    votes: int
    simulated: int
    """How many of the votes are a program's."""
    mean: float
    """Of the opinion scores."""
    spread: float
    """Standard deviation of the opinion scores, over n − 1; 0 with one vote."""
    watch: str
    """'yes' or 'no', what more annotators said; '' for a tie. 'Unsure' counts for neither."""
    unsure: int
    """How many of the votes are unsure about the watch."""

    @property
    def score(self) -> int:
        """Return the opinion score next to the mean; halves go up."""
        return int(self.mean + 0.5)


@dataclass(frozen=True)
class SpecialCounts:
    """How many photos of a campaign are special, and how many have a problem."""

    practice: int
    example: int
    gold: int
    problem: int


def special_counts(campaign: Campaign) -> SpecialCounts:
    """Count the special photos and those with a problem (one query)."""
    images = campaign.images.filter(~Q(role=Image.Role.RATED) | ~Q(problem=""))
    roles = {role.value: Count("pk", filter=Q(role=role)) for role in Image.Role if role != Image.Role.RATED}
    return SpecialCounts(**images.aggregate(**roles, problem=Count("pk", filter=~Q(problem=""))))


def opinions_of(campaign: Campaign, *, least_votes: int) -> list[Opinion]:
    """Return the opinions on photos that may teach others, ordered by photo (one query).

    They are rated and sound, belong to the training split and have at least `least_votes` independent votes and a
    clear answer about the watch: a majority, with less than half of the votes unsure. Of a group of
    near-duplicates the photo with most votes takes part.
    """
    votes = Annotation.objects.filter(
        campaign=campaign,
        image__split=Image.Split.TRAIN,
        image__role=Image.Role.RATED,
        image__problem="",
    )
    groups = set()
    opinions = []
    for opinion, group in sorted(_opinions(votes, least_votes), key=lambda row: (-row[0].votes, row[0].image_id)):
        if opinion.watch and 2 * opinion.unsure < opinion.votes and group not in groups:
            groups.add(group)
            opinions.append(opinion)
    return sorted(opinions, key=lambda opinion: opinion.image_id)


def opinion_of(image: Image) -> Opinion | None:
    """Return the opinion on one photo; None without independent votes."""
    found = _opinions(Annotation.objects.filter(image=image), least_votes=1)
    return found[0][0] if found else None


def _opinions(annotations: AnnotationQuerySet, least_votes: int) -> list[tuple[Opinion, object]]:
    """Return each photo's opinion, made of the independent votes, with its group of near-duplicates."""
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
        .filter(votes__gte=least_votes)
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

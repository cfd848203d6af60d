"""How many photos match the filters, and how many each choice of a filter would give.

One pass over the photos counts everything: each choice has a condition of its own, together with the conditions of all
other filters. In a campaign with more than `EXACT` photos, the pass reads every n-th photo only, and the counts are
estimates.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q, QuerySet

from annotation.models import LIVE, Campaign, Image, PhotoTag
from inference.gallery.places import Hidden, gallery_matches, votes_condition
from inference.gallery.query import GalleryQuery
from inference.models import Distortion, ModelVersion, QualityClass
from inference.selectors import class_limits, distortion_version, shown_threshold

#: With more photos, the counts are estimates from a part of them.
EXACT = 300_000
#: With at most this many, the page itself waits for the counts. They take some hundredths of a second.
AT_ONCE = 20_000
#: Read every n-th photo. Prime numbers, because imports often repeat a pattern of some files.
_PARTS = (3, 7, 13, 31, 61, 127)
#: The filters with a fixed number of choices.
FACETS = ("quality_class", "watch", "votes", "split", "distortion_class")
#: Those by predictions.
_BY_MODEL = {"quality_class", "watch"}


@dataclass(frozen=True)
class GalleryCounts:
    """Numbers of photos."""

    total: int
    """Photos that match all filters, and that have a value to sort by."""
    choices: dict[str, dict[str, int]]
    """{filter: {choice: photos that match it and all other filters}}"""
    tags: dict[str, int] = field(default_factory=dict)
    """{tag: photos that have it and match all other filters}; without tags that give no photo."""
    is_estimate: bool = False


def photos_up_to(campaign: Campaign, most: int) -> int:
    """Return the number of photos of a campaign, or `most` + 1 if there are more (one query that reads no more)."""
    return campaign.images.filter(LIVE).order_by().values("pk")[: most + 1].count()


def gallery_counts(
    campaign: Campaign,
    version: ModelVersion | None,
    query: GalleryQuery,
    hidden: Hidden | None = None,
    *,
    photos: int | None = None,
) -> GalleryCounts:
    """Count the photos (two queries, one more with `hidden`).

    One more without `photos`, the number of photos of the campaign.

    Choices by predictions leave out the `hidden` photos, as the gallery does. For the orders by disagreement, call
    `disagreements_refresh` first.
    """
    photos = photos_up_to(campaign, EXACT * _PARTS[-1]) if photos is None else photos
    every = 1 if photos <= EXACT else next((part for part in _PARTS if photos / part <= EXACT), _PARTS[-1])
    conditions = _conditions(campaign, version)
    chosen = {name: conditions[name][value] for name in FACETS if (value := getattr(query, name)) in conditions[name]}
    if query.tag:
        has_tag = PhotoTag.objects.filter(tag__campaign=campaign, tag__name=query.tag, image=OuterRef("pk"))
        chosen["tag"] = Q(Exists(has_tag))
    matches = gallery_matches(campaign, version, query.without(*FACETS, "tag"), hidden)
    rows = _every(matches, every).annotate(
        # Other names than in `gallery_matches`, which may have joined these tables for a range.
        of_model=FilteredRelation("predictions", condition=Q(predictions__model_version=version)),
        of_detectors=FilteredRelation(
            "distortions",
            condition=Q(distortions__version=distortion_version(), distortions__state=Distortion.State.DONE),
        ),
    )
    counts = {"total": chosen}
    for name, choices in conditions.items():
        counts |= {_alias(name, value): chosen | {name: condition} for value, condition in choices.items()}
    found = rows.aggregate(**{alias: _count(together.values()) for alias, together in counts.items()})
    if hidden is not None and not query.without(*FACETS, "tag").uses_predictions:
        # Counting the hidden photos apart finds them once. A condition in each count found them again for each.
        by_model = {alias: together for alias, together in counts.items() if not _BY_MODEL.isdisjoint(together)}
        of_hidden = rows.filter(pk__in=hidden)
        left_out = of_hidden.aggregate(**{alias: _count(together.values()) for alias, together in by_model.items()})
        found |= {alias: found[alias] - count for alias, count in left_out.items()}
    number = {alias: every * count for alias, count in found.items()}
    return GalleryCounts(
        total=number["total"],
        choices={
            name: {value: number[_alias(name, value)] for value in choices} for name, choices in conditions.items()
        },
        tags=_tags(gallery_matches(campaign, version, query.without("tag"), hidden), campaign, every),
        is_estimate=every > 1,
    )


def _conditions(campaign: Campaign, version: ModelVersion | None) -> dict[str, dict[str, Q]]:
    """Return {filter: {choice: condition}} on photos with the relations `of_model` and `of_detectors`.

    The limits of the classes are those of the gallery: see `_conditions` of `inference.gallery.places`.
    """
    reject_at, pending_at = class_limits(campaign, version)
    threshold = shown_threshold(campaign, version)
    mean, watch = "of_model__quality_mean", "of_model__watch_probability"
    by_model = {
        "quality_class": {
            QualityClass.REJECTED.value: Q(**{f"{mean}__lte": reject_at}),
            QualityClass.PENDING.value: Q(**{f"{mean}__gt": reject_at, f"{mean}__lte": pending_at}),
            QualityClass.ACCEPTED.value: Q(**{f"{mean}__gt": pending_at}),
        },
        "watch": {
            "yes": Q(**{f"{watch}__gt": threshold}),
            "no": Q(**{f"{watch}__lte": threshold}),
        },
    }
    return by_model | {
        "votes": {value: votes_condition(value) for value in GalleryQuery.CHOICES["votes"] if value},
        "split": {value: Q(split=value) for value in Image.Split.values},
        "distortion_class": {value: Q(of_detectors__quality_class=value) for value in QualityClass.values},
    }


def _count(conditions: Iterable[Q]) -> Count:
    together = Q()
    for condition in conditions:
        together &= condition
    return Count("pk", filter=together) if together else Count("pk")


def _alias(name: str, value: str) -> str:
    return f"{name}_{value}"


def _every(images: QuerySet[Image, Any], every: int) -> QuerySet[Image, Any]:
    """Return every n-th photo."""
    return images if every == 1 else images.annotate(place=F("pk") % every).filter(place=0)


def _tags(matches: QuerySet[Image, Any], campaign: Campaign, every: int) -> dict[str, int]:
    rows = PhotoTag.objects.filter(tag__campaign=campaign, image__in=_every(matches, every).values("pk"))
    return {
        name: every * count for name, count in rows.order_by("tag__name").values_list("tag__name").annotate(Count("pk"))
    }

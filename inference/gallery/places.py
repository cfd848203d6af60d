"""Which photos the gallery shows and in which order. Keyset pagination: page 500 costs the same as page 1.

Two steps: `gallery_places` finds ids and sort keys along an index, `gallery_photos` fetches what one page shows.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Avg, Count, Exists, F, FilteredRelation, FloatField, Func, OuterRef, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan

from annotation.models import LIVE, Adjudication, Annotation, Campaign, Image, PhotoConsensus
from annotation.selectors.photo_files import file_finding
from annotation.selectors.tags import selected_photos, tags_of_photos
from inference.gallery.query import (
    BY_CONSENSUS,
    BY_DISTORTION,
    BY_PEOPLE,
    BY_PREDICTION,
    BY_VOTES,
    DISTORTIONS,
    ORDERS,
    GalleryQuery,
)
from inference.models import Distortion, ModelVersion, QualityClass, quality_class_sql
from inference.selectors import class_limits, distortion_version, shown_threshold

PAGE_SIZE = 48
_CHUNK = 2000  # photos in memory at a time when a whole gallery is read


#: Photos whose predictions are hidden from the viewer, from `annotation.selectors.adjudications.predictions_hidden`.
Hidden = QuerySet[PhotoConsensus, Any]


class Place(NamedTuple):
    """The position of a photo in an order."""

    image_id: int
    key: float
    """The sort key. Photos with the same key are sorted by id."""

    @property
    def cursor(self) -> str:
        """Return the place as text for a URL; the key is exact to the last bit."""
        return f"{float(self.key)!r}~{self.image_id}"


@dataclass(frozen=True)
class GalleryPhoto:
    """A photo with everything the gallery shows."""

    image: Any
    """An `Image` with the attributes `quality_mean`, `quality_std`, `quality_class`, `watch_probability`,
    `distortion_quality`, `distortion_class`, `corrected_mos`, `corrected_error` and the four severities, each None if
    unknown, `tags`: their names if asked for, `is_decided`: whether a reviewer has decided about it, `is_hidden`:
    whether its predictions are hidden from the viewer and therefore None, and `file_finding`: what is wrong with its
    files, or ""."""
    mos: float | None
    """Mean of the votes given without seeing a prediction."""
    votes: int
    watch_yes: int
    """Number of these votes with the label yes."""
    place: Place

    @property
    def difference(self) -> float | None:
        """Return the predicted mean minus the MOS; None without one of them."""
        if self.mos is None or self.image.quality_mean is None:
            return None
        return float(self.image.quality_mean - self.mos)


class _Row(Func):
    """(a, b): PostgreSQL compares rows as a whole and uses an index on both columns for it."""

    template = "(%(expressions)s)"
    output_field = FloatField()


def gallery_places(
    campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden | None = None
) -> QuerySet[Image, Any]:
    """Return the photos of the query in its order, as rows `{"pk": …, "tie": …, "key": …}`; `tie` is the photo's id.

    Photos without the value to sort or filter by (no prediction or no votes yet) are left out. For the orders by
    disagreement, call `disagreements_refresh` first. Orders and filters by predictions leave out the
    `hidden` photos.
    """
    key = _key(query.order)
    # The id comes from the table of the sort key, so that one index covers both.
    table = key.rpartition("__")[0]
    sign = "-" if ORDERS[query.order][1] else ""
    images = gallery_matches(campaign, version, query, hidden)
    places = images.values("pk").annotate(tie=F(f"{table}__image_id" if table else "pk"), key=F(key))
    return places.order_by(f"{sign}key", f"{sign}tie")


def gallery_matches(
    campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden | None = None
) -> QuerySet[Image, Any]:
    """Return the photos of the query as `gallery_places` does, in no order."""
    predicted, measured = _conditions(campaign, version, query)
    images = gallery_images(campaign, query)
    if predicted or query.order in BY_PREDICTION:
        relation = FilteredRelation("predictions", condition=Q(predictions__model_version=version))
        images = images.annotate(predicted=relation).filter(predicted__isnull=False, **predicted)
    if measured or query.order in BY_DISTORTION:
        condition = Q(distortions__version=distortion_version(), distortions__state=Distortion.State.DONE)
        images = images.annotate(measured=FilteredRelation("distortions", condition=condition))
        images = images.filter(measured__isnull=False, **measured)
    if query.order in BY_PEOPLE:
        relation = FilteredRelation("disagreements", condition=Q(disagreements__model_version=version))
        images = images.annotate(differing=relation).filter(differing__isnull=False)
    elif query.order in BY_CONSENSUS:
        images = images.filter(consensus__campaign=campaign)
    if hidden is not None and query.uses_predictions:
        images = images.filter(~Exists(hidden.filter(image=OuterRef("pk"))))
    return images.filter(**{f"{_key(query.order)}__isnull": False})


def _conditions(
    campaign: Campaign, version: ModelVersion | None, query: GalleryQuery
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the conditions on the prediction and on the distortions."""
    # The class is a range of means, so the index on the mean finds it.
    reject_at, pending_at = class_limits(campaign, version)
    class_above, class_most = {
        QualityClass.REJECTED.value: (None, reject_at),
        QualityClass.PENDING.value: (reject_at, pending_at),
        QualityClass.ACCEPTED.value: (pending_at, None),
    }.get(query.quality_class, (None, None))
    threshold = shown_threshold(campaign, version)
    predicted = {
        "predicted__quality_mean__gt": class_above,
        "predicted__quality_mean__gte": query.quality_from,
        "predicted__quality_mean__lte": _least(query.quality_to, class_most),
        "predicted__watch_probability__gte": query.watch_from,
        "predicted__watch_probability__lte": _least(query.watch_to, threshold if query.watch == "no" else None),
        "predicted__watch_probability__gt": threshold if query.watch == "yes" else None,
    }
    measured = {
        "measured__quality_class": query.distortion_class or None,
        "measured__quality__gte": query.distortion_from,
        "measured__quality__lte": query.distortion_to,
        **{f"measured__{name}__gte": getattr(query, f"{name}_from") for name in DISTORTIONS},
    }
    chosen = [{name: value for name, value in part.items() if value is not None} for part in (predicted, measured)]
    return chosen[0], chosen[1]


def gallery_images(campaign: Campaign, query: GalleryQuery) -> QuerySet[Image, Any]:
    """Return the photos by the filters that need neither a prediction nor distortions, in no order."""
    images = campaign.images.filter(LIVE)
    if query.split:
        images = images.filter(split=query.split)
    if query.votes:
        images = images.filter(votes_condition(query.votes))
    if query.mos_from is not None or query.mos_to is not None:
        # The campaign leads to the index on the MOS.
        images = images.filter(consensus__campaign=campaign)
        if query.mos_from is not None:
            images = images.filter(consensus__mos__gte=query.mos_from)
        if query.mos_to is not None:
            images = images.filter(consensus__mos__lte=query.mos_to)
    if query.tag:
        images = images.filter(photo_tags__tag__campaign=campaign, photo_tags__tag__name=query.tag)
    if query.selection:
        images = images.filter(pk__in=selected_photos(campaign, query.selection))
    if query.name:
        images = images.filter(_name_contains(query.name))
    return images


def votes_condition(votes: str) -> Q:
    """Return the condition of the filter by votes: 'none', 'some' or 'enough'."""
    return {
        "none": Q(vote_count=0),
        "some": Q(vote_count__gt=0, vote_count__lt=F("votes_needed")),
        "enough": Q(vote_count__gt=0, vote_count__gte=F("votes_needed")),
    }[votes]


def _name_contains(part: str) -> Q:
    """Return the condition that a name contains this text. File systems have letters in both Unicode forms."""
    forms = {unicodedata.normalize(form, part) for form in ("NFC", "NFD")}
    return Q(*[("name__icontains", form) for form in sorted(forms)], _connector=Q.OR)


def _least(*limits: float | None) -> float | None:
    """Return the smallest limit, or None without any."""
    return min((limit for limit in limits if limit is not None), default=None)


def _key(order: str) -> str:
    keys = {
        "newest": "pk",
        "best": "predicted__quality_mean",
        "worst": "predicted__quality_mean",
        "watch": "predicted__watch_probability",
        "unlike": "predicted__watch_probability",
        "distorted": "measured__quality",
        "undistorted": "measured__quality",
        "people_best": "consensus__corrected_mos",
        "people_worst": "consensus__corrected_mos",
        "mos_best": "consensus__mos",
        "mos_worst": "consensus__mos",
        "votes_most": "vote_count",
        "votes_fewest": "vote_count",
        "apart": "differing__quality",
        "watch_apart": "differing__watch",
    }
    return keys.get(order) or f"measured__{order}"


def places_after(places: QuerySet[Image, Any], query: GalleryQuery, cursor: str) -> QuerySet[Image, Any]:
    """Return the places after this cursor. Raises ValueError for an invalid cursor."""
    return _beyond(places, query.order, cursor, ascending=not ORDERS[query.order][1])


def places_before(places: QuerySet[Image, Any], query: GalleryQuery, cursor: str) -> QuerySet[Image, Any]:
    """Return the places before this cursor, nearest first. Raises ValueError for an invalid cursor."""
    return _beyond(places.reverse(), query.order, cursor, ascending=ORDERS[query.order][1])


def _beyond(places: QuerySet[Image, Any], order: str, cursor: str, *, ascending: bool) -> QuerySet[Image, Any]:
    key_text, _, pk_text = cursor.partition("~")
    try:
        key, pk = float(key_text), int(pk_text)
        if not (abs(key) < float("inf") and 0 <= pk < 2**63):
            raise ValueError(cursor)
    except ValueError:
        raise ValueError("This page address is not valid. Go back to the first page of the gallery.") from None
    if order == "newest":
        return places.filter(pk__gt=pk) if ascending else places.filter(pk__lt=pk)
    # A whole number is compared as one, because an index on whole numbers does not find others.
    own = Value(int(key)) if order in BY_VOTES else Value(key)
    here, there = _Row(F("key"), F("tie")), _Row(own, Value(pk))
    return places.filter(GreaterThan(here, there) if ascending else LessThan(here, there))


def gallery_ids(places: QuerySet[Image, Any]) -> list[int]:
    """Return the ids of all photos of `gallery_places`, in no order (one query)."""
    return list(places.order_by().values_list("pk", flat=True))


def places_read(places: QuerySet[Image, Any]) -> list[Place]:
    """Return the places of a slice of `gallery_places`."""
    return [Place(row["pk"], row["key"]) for row in places]


def place_of(places: QuerySet[Image, Any], image_id: int) -> Place | None:
    """Return the place of a photo, or None if it is not among them."""
    return next(iter(places_read(places.filter(pk=image_id)[:1])), None)


def gallery_photos(
    version: ModelVersion | None, places: Sequence[Place], hidden: Hidden | None = None, *, with_tags: bool = False
) -> list[GalleryPhoto]:
    """Return the photos at these places with everything the gallery shows, in their order.

    Two queries, one more for the `hidden` photos, which come without predictions, and one more with tags.
    """
    # As `class_limits`, with the campaign of each photo.
    shift, stretch = (version.class_shift, version.class_stretch) if version else (0.0, 1.0)
    limits = ((F(f"campaign__{name}") - Value(shift)) / Value(stretch) for name in ("reject_at", "pending_at"))
    images: dict[int, Any] = (
        Image.objects.filter(pk__in=[place.image_id for place in places])
        .annotate(
            predicted=FilteredRelation("predictions", condition=Q(predictions__model_version=version)),
            measured=FilteredRelation(
                "distortions",
                condition=Q(distortions__version=distortion_version(), distortions__state=Distortion.State.DONE),
            ),
        )
        .annotate(
            **{name: F(f"predicted__{name}") for name in ("quality_mean", "quality_std", "watch_probability")},
            quality_class=quality_class_sql("predicted__quality_mean", *limits),
            **{name: F(f"measured__{name}") for name in (*DISTORTIONS, "laplacian_variance")},
            distortion_quality=F("measured__quality"),
            distortion_class=F("measured__quality_class"),
            corrected_mos=F("consensus__corrected_mos"),
            corrected_error=F("consensus__corrected_error"),
            is_decided=Exists(Adjudication.objects.filter(image=OuterRef("pk"), undone_at=None)),
            file_finding=file_finding(),
        )
        .in_bulk()
    )
    ids = [place.image_id for place in places]
    left_out = set() if hidden is None else {row["image_id"] for row in hidden.filter(image__in=ids)}
    for pk, image in images.items():
        image.is_hidden = pk in left_out
        if image.is_hidden:
            image.quality_mean = image.quality_std = image.quality_class = image.watch_probability = None
    tags = tags_of_photos(ids) if with_tags else {}
    for pk, image in images.items():
        image.tags = tags.get(pk, [])
    people = _opinions(ids)
    none = {"mos": None, "votes": 0, "watch_yes": 0}
    # A photo may have been deleted between the two steps.
    return [
        GalleryPhoto(image=images[place.image_id], place=place, **people.get(place.image_id, none))
        for place in places
        if place.image_id in images
    ]


def _opinions(image_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return {image id: mos, votes, watch_yes} from independent votes (one query)."""
    rows = (
        Annotation.objects.filter(image__in=image_ids)
        .independent_votes()
        .order_by()
        .values("image_id")
        .annotate(
            mos=Avg("score", output_field=FloatField()),
            votes=Count("pk"),
            watch_yes=Count("pk", filter=Q(watch=Annotation.Watch.YES)),
        )
    )
    return {row["image_id"]: {name: row[name] for name in ("mos", "votes", "watch_yes")} for row in rows}


def gallery_iterate(
    campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, hidden: Hidden | None = None
) -> Iterator[GalleryPhoto]:
    """Yield every photo of the query in its order; only some thousand are in memory at a time."""
    rows = gallery_places(campaign, version, query, hidden).iterator(chunk_size=_CHUNK)
    while part := [Place(row["pk"], row["key"]) for row in islice(rows, _CHUNK)]:
        yield from gallery_photos(version, part, hidden, with_tags=True)

"""Which photos the gallery shows and in which order, by keyset: page 500 costs what page 1 costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import Avg, F, FilteredRelation, FloatField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Abs, Cast

from annotation.models import Annotation, Campaign, Image
from inference.models import ModelVersion, QualityClass

# Name → (what the person chooses, whether the largest key comes first).
ORDERS = {
    "newest": ("newest first", True),
    "best": ("best predicted quality", True),
    "worst": ("worst predicted quality", False),
    "watch": ("most likely a watch", True),
    "unlike": ("least likely a watch", False),
    "apart": ("model and people furthest apart", True),
}
PAGE_SIZE = 48


@dataclass(frozen=True)
class GalleryQuery:
    """What the person asked for; an empty filter lets everything through."""

    order: str = "newest"
    quality_class: str = ""
    watch: str = ""
    split: str = ""

    CHOICES = {
        "order": tuple(ORDERS),
        "quality_class": ("", *QualityClass.values),
        "watch": ("", "yes", "no"),
        "split": ("", *Image.Split.values),
    }

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> Self:
        """Return the query in an address. Raises ValueError for a choice that does not exist."""
        chosen = {}
        for name, allowed in cls.CHOICES.items():
            value = parameters.get(name, getattr(cls, name))
            if value not in allowed:
                known = ", ".join(choice for choice in allowed if choice)
                raise ValueError(f"The gallery knows no {name.replace('_', ' ')} “{value}”; choose one of {known}.")
            chosen[name] = value
        return cls(**chosen)

    def encode(self, **more: object) -> str:
        """Return the query string that `read` takes back, without what is chosen anyway."""
        chosen = {name: getattr(self, name) for name in self.CHOICES}
        return urlencode({name: value for name, value in chosen.items() if value != getattr(GalleryQuery, name)} | more)

    @property
    def is_filtered(self) -> bool:
        """Return whether some photos are left out."""
        return bool(self.quality_class or self.watch or self.split)


def gallery_images(campaign: Campaign, version: ModelVersion | None, query: GalleryQuery) -> QuerySet[Image, Any]:
    """Return the photos of the query in its order, with the version's prediction and their `key`.

    Photos without the value to sort or filter by (no prediction yet; no votes yet) are left out.
    """
    images = campaign.images.annotate(
        predicted=FilteredRelation("predictions", condition=Q(predictions__model_version=version))
    )
    if query.quality_class:
        images = images.filter(predicted__quality_class=query.quality_class)
    if query.watch == "yes":
        images = images.filter(predicted__watch_probability__gt=campaign.watch_threshold)
    elif query.watch == "no":
        images = images.filter(predicted__watch_probability__lte=campaign.watch_threshold)
    if query.split:
        images = images.filter(split=query.split)
    key: Any = {
        "newest": F("pk"),
        "best": F("predicted__quality_mean"),
        "worst": F("predicted__quality_mean"),
        "watch": F("predicted__watch_probability"),
        "unlike": F("predicted__watch_probability"),
        "apart": Abs(F("predicted__quality_mean") - Subquery(_opinion_mean(), output_field=FloatField())),
    }[query.order]
    direction = "-" if ORDERS[query.order][1] else ""
    return (
        images.annotate(
            key=Cast(key, FloatField()) if query.order != "newest" else key,
            quality_mean=F("predicted__quality_mean"),
            quality_class=F("predicted__quality_class"),
            watch_probability=F("predicted__watch_probability"),
        )
        .filter(key__isnull=False)
        .order_by(f"{direction}key", f"{direction}pk")
    )


def _opinion_mean() -> QuerySet[Annotation, Any]:
    """The mean of the opinion scores given to the outer query's image without seeing a prediction."""
    votes = Annotation.objects.filter(
        image=OuterRef("pk"), superseded_by=None, score__isnull=False, saw_prediction=False
    )
    return votes.order_by().values("image").annotate(mean=Avg("score", output_field=FloatField())).values("mean")


def images_after(images: QuerySet[Image, Any], query: GalleryQuery, cursor: str) -> QuerySet[Image, Any]:
    """Return what follows the photo with this cursor. Raises ValueError for a cursor nobody gave out."""
    return _beyond(images, cursor, ascending=not ORDERS[query.order][1])


def images_before(images: QuerySet[Image, Any], query: GalleryQuery, cursor: str) -> QuerySet[Image, Any]:
    """Return what precedes the photo with this cursor, nearest first. Raises ValueError as `images_after`."""
    return _beyond(images.reverse(), cursor, ascending=ORDERS[query.order][1])


def _beyond(images: QuerySet[Image, Any], cursor: str, *, ascending: bool) -> QuerySet[Image, Any]:
    key_text, _, pk_text = cursor.partition("~")
    try:
        key, pk = float(key_text), int(pk_text)
    except ValueError:
        raise ValueError(
            "This address is not one that the gallery gave out; start again from its first page."
        ) from None
    towards = "gt" if ascending else "lt"
    return images.filter(Q(**{f"key__{towards}": key}) | Q(key=key, **{f"pk__{towards}": pk}))


def cursor_of(image: Any) -> str:
    """Return the place of a photo of `gallery_images` in its order, exact to the last bit."""
    return f"{float(image.key)!r}~{image.pk}"

"""Which tags photos have."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import F, Func, QuerySet
from django.db.models.fields import BigIntegerField

from annotation.models import Campaign, Image, PhotoSelection, PhotoTag, Tag


def tags_of(image: Image) -> list[str]:
    """Return the tags of one photo by name (one query)."""
    return list(PhotoTag.objects.filter(image=image).order_by("tag__name").values_list("tag__name", flat=True))


def tags_of_photos(image_ids: Collection[int]) -> dict[int, list[str]]:
    """Return {image id: its tags by name} of the photos that have tags (one query)."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = PhotoTag.objects.filter(image__in=image_ids).order_by("tag__name").values_list("image_id", "tag__name")
    for image_id, name in rows:
        found[image_id].append(name)
    return found


def tag_names(campaign: Campaign) -> list[str]:
    """Return all tags of a campaign by name (one query)."""
    return list(Tag.objects.filter(campaign=campaign).values_list("name", flat=True))


class _Unnest(Func):
    function = "unnest"
    set_returning = True
    output_field = BigIntegerField()


def selected_photos(campaign: Campaign, key: str) -> QuerySet[PhotoSelection, Any]:
    """Return the ids of a selection's photos, for a condition of a query; none for an unknown key."""
    rows: QuerySet[PhotoSelection, Any] = PhotoSelection.objects.filter(campaign=campaign, key=key)
    return rows.annotate(image=_Unnest(F("image_ids"))).values("image")


def selection_ids(campaign: Campaign, key: str) -> list[int]:
    """Return the photos of a selection, ascending; none for an unknown key (one query)."""
    found = PhotoSelection.objects.filter(campaign=campaign, key=key).values_list("image_ids", flat=True).first()
    return list(found or [])

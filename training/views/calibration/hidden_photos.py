"""Which photos of the calibration page must not show their prediction to this reviewer."""

from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from django.db.models import QuerySet

from annotation.models import Campaign, PhotoConsensus
from inference.gallery.counts import AT_ONCE, photos_up_to


class HiddenPhotos(Collection[int]):
    """The hidden photos among those that the page names.

    A campaign can have 100,000 hidden photos, and finding all of them reads all photos. So a large campaign is asked
    only about the named ones, and counts as one that has others too (`is_part`).
    """

    def __init__(self, rows: QuerySet[PhotoConsensus, Any], *, named: Collection[int] | None) -> None:
        """Read the hidden photos (one query). rows: of `predictions_hidden`. named: None for all photos."""
        self.is_part = named is not None
        self._rows, self._named = rows, set(named or ())
        chosen = rows.filter(image__in=self._named) if self.is_part else rows
        self._ids = {row["image_id"] for row in chosen}

    def __contains__(self, image_id: object) -> bool:
        """Return whether the photo is hidden (one query for a photo that was not named in a large campaign)."""
        if self.is_part and image_id not in self._named:
            pk: Any = image_id  # `Collection` allows every object here
            self._named.add(pk)
            self._ids |= {row["image_id"] for row in self._rows.filter(image=pk)}
        return image_id in self._ids

    def __iter__(self) -> Iterator[int]:
        """Iterate over the hidden photos that are known."""
        return iter(self._ids)

    def __len__(self) -> int:
        """Return how many are known."""
        return len(self._ids)

    def __bool__(self) -> bool:
        """Return whether there are hidden photos. In a large campaign there may always be one."""
        return self.is_part or bool(self._ids)


def hidden_photos(
    campaign: Campaign, rows: QuerySet[PhotoConsensus, Any], *, figures: Any, named: Collection[int] = ()
) -> HiddenPhotos:
    """Return the hidden photos among those that the figures name, and among `named` (two queries)."""
    is_large = photos_up_to(campaign, AT_ONCE) > AT_ONCE
    return HiddenPhotos(rows, named={*named, *_named(figures)} if is_large else None)


def _named(value: Any) -> Iterator[int]:
    """Yield every `image_id` in a tree of dataclasses and tuples."""
    if isinstance(value, (tuple, list)):
        if not value or is_dataclass(value[0]) or isinstance(value[0], (tuple, list)):
            for one in value:
                yield from _named(one)
    elif is_dataclass(value):
        for field in fields(value):
            part = getattr(value, field.name)
            if field.name == "image_id":
                yield part
            elif isinstance(part, (tuple, list)) or is_dataclass(part):
                yield from _named(part)

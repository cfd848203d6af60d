"""Which photos of the calibration page must not show their prediction to this reviewer."""

from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, BooleanField, F, Func, QuerySet, Value

from annotation.language.sentences import Sentence
from annotation.models import Campaign, PhotoConsensus
from inference.gallery.counts import AT_ONCE, photos_up_to

# The field of a dataclass that says which photo it is about.
_IMAGE = "image_id"


class _IsOneOf(Func):
    """Whether a number is in an array. With thousands of numbers, Django needs less time for it than for `__in`."""

    template, arg_joiner = "%(expressions)s)", " = ANY("
    output_field = BooleanField()


class HiddenPhotos(Collection[int]):
    """The hidden photos among those that the page names.

    A campaign can have 100,000 hidden photos, and finding all of them reads all photos. So a large campaign is asked
    only about the named ones, and counts as one that has others too (`is_part`).
    """

    def __init__(self, rows: QuerySet[PhotoConsensus, Any], *, named: Collection[int] | None) -> None:
        """Read the hidden photos (one query). rows: of `predictions_hidden`. named: None for all photos."""
        self.is_part = named is not None
        self._rows, self._named = rows, set(named or ())
        ids = Value(sorted(self._named), ArrayField(BigIntegerField()))
        chosen = rows.filter(_IsOneOf(F("image_id"), ids)) if self.is_part else rows
        self._ids = {row["image_id"] for row in chosen}

    def __contains__(self, image_id: object) -> bool:
        """Return whether the photo is hidden (one query for a photo that was not named in a large campaign)."""
        if self.is_part and isinstance(image_id, int) and image_id not in self._named:
            self._named.add(image_id)
            self._ids |= {row["image_id"] for row in self._rows.filter(image=image_id)}
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
        for one in value:
            yield from _named(one)
    elif is_dataclass(value):
        kind: Any = type(value)
        if _says_photo(kind):
            yield getattr(value, _IMAGE)
        for name in _parts(kind):
            yield from _named(getattr(value, name))


@cache
def _says_photo(kind: type) -> bool:
    """Return whether the dataclass says which photo it is about."""
    return any(field.name == _IMAGE for field in fields(kind))


@cache
def _parts(kind: type) -> tuple[str, ...]:
    """Return the fields of a dataclass in which photos can be named. It saves a walk through thousands of numbers."""
    hints = get_type_hints(kind)
    return tuple(field.name for field in fields(kind) if _can_name(hints[field.name]))


def _can_name(hint: Any) -> bool:
    """Return whether a value of the type can have an `image_id` in it; True for types that do not say what is in them.

    No dataclass of stored figures contains itself, except sentences, which name no photo by its id.
    """
    if hint is Sentence:
        return False
    if is_dataclass(hint):
        kind: Any = hint
        return _says_photo(kind) or bool(_parts(kind))
    return any(map(_can_name, get_args(hint))) if get_args(hint) else hint in (Any, object, tuple, list)

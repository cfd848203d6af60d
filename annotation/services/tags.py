"""Tags of photos. A tag exists as long as a photo has it."""

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext

from annotation.models import Campaign, PhotoTag, Tag, User
from annotation.models.tags import TAG_LENGTH

#: Separate tags in one cell of an export.
SEPARATORS = ",;"
_BATCH = 5000


class TagError(ValueError):
    """The tag has no possible name. The message is a sentence for the reviewer."""


def tag_name_clean(text: str) -> str:
    """Return the name of a tag without spaces at its ends. Raises TagError for an empty, long or divided name."""
    name = " ".join(text.replace("\0", "").split())
    if not 1 <= len(name) <= TAG_LENGTH:
        raise TagError(gettext("Enter a tag of at most %(tag_length)s characters.") % {"tag_length": TAG_LENGTH})
    if any(mark in name for mark in SEPARATORS):
        raise TagError(gettext("A tag has no comma and no semicolon. Add one tag after the other."))
    return name


@transaction.atomic
def photos_tag(*, campaign: Campaign, name: str, image_ids: Collection[int], by: User | None) -> list[int]:
    """Give photos a tag, and return the ids of those that did not have it, ascending. Upper and lower case are equal.

    image_ids: photos of the campaign. Raises TagError as `tag_name_clean`.
    """
    name = tag_name_clean(name)
    if not image_ids:
        return []
    tag = _locked(campaign, name) or Tag.objects.create(campaign=campaign, name=name, created_by=by)
    have = set(PhotoTag.objects.filter(tag=tag, image__in=image_ids).values_list("image_id", flat=True))
    new = sorted(set(image_ids) - have)
    PhotoTag.objects.bulk_create([PhotoTag(tag=tag, image_id=pk, by=by) for pk in new], batch_size=_BATCH)
    return new


@transaction.atomic
def photos_untag(*, campaign: Campaign, name: str, image_ids: Collection[int]) -> list[int]:
    """Take a tag away from photos, and return the ids of those that had it, ascending. Delete it with its last photo.

    Raises TagError as `tag_name_clean`.
    """
    tag = _locked(campaign, tag_name_clean(name))
    if tag is None:
        return []
    rows = PhotoTag.objects.filter(tag=tag, image__in=image_ids)
    had = sorted(rows.values_list("image_id", flat=True))
    rows.delete()
    if not tag.photo_tags.exists():
        tag.delete()
    return had


def _locked(campaign: Campaign, name: str) -> Tag | None:
    """Return the tag, locked: nobody deletes it as unused while somebody else gives it to a photo."""
    return Tag.objects.select_for_update().filter(campaign=campaign, name__iexact=name).first()

"""Photos by the beginning of their file name, for the search. An index holds, so a million photos take no longer."""

from collections.abc import Collection

from django.db.models import QuerySet

from annotation.models import LIVE, Assignment, Image, User
from annotation.models.photos import FILE_NAME


def photos_named(words: str, *, campaign_ids: Collection[int], first: int | None, limit: int) -> list[Image]:
    """Return up to `limit` photos of these campaigns whose file name begins with `words`.

    Upper and lower case are the same. Folders before the file name do not count, unless `words` has a slash: then the
    photos are in that folder. The photos of the campaign `first` come first, in the order of their names. One query for
    it and one for the others.
    """
    found: list[Image] = []
    if first is not None and first in campaign_ids:
        found = list(_named(words, [first]).select_related("campaign")[:limit])
    others = [pk for pk in campaign_ids if pk != first]
    if others and len(found) < limit:
        found += _named(words, others).select_related("campaign")[: limit - len(found)]
    return found


def own_photos_named(words: str, *, annotator: User, campaign_ids: Collection[int], limit: int) -> list[Image]:
    """Return the same among the photos that the annotator has answered: the only ones whose names they see."""
    answered = Assignment.objects.filter(
        annotator=annotator, campaign__in=campaign_ids, state=Assignment.State.DONE, is_repeat=False
    )
    found = _named(words, campaign_ids).filter(pk__in=answered.values("image"))
    return list(found.select_related("campaign")[:limit])


def _named(words: str, campaign_ids: Collection[int]) -> QuerySet[Image]:
    folder, slash, name = words.lower().rpartition("/")
    photos = Image.objects.alias(file_name=FILE_NAME).filter(LIVE, file_name__startswith=name)
    if len(campaign_ids) == 1:  # the index has the names of one campaign in order; those of several need a sort
        photos = photos.filter(campaign=next(iter(campaign_ids))).order_by("file_name")
    else:
        photos = photos.filter(campaign__in=list(campaign_ids))
    return photos.filter(name__icontains=folder + slash) if slash else photos

"""Named orders and filters of the gallery, and selections of photos."""

import hashlib
from collections.abc import Iterable

import numpy as np
from django.utils.translation import gettext

from annotation.models import Campaign, PhotoSelection, SavedView, User
from annotation.models.gallery import VIEW_NAME_LENGTH

#: Most views of one person in one campaign.
MOST_VIEWS = 50


class SavedViewError(ValueError):
    """The view cannot be saved. The message is a sentence for the person."""


def view_save(*, campaign: Campaign, user: User, name: str, query: str) -> SavedView:
    """Save a view, or change the one of the same name. Raises SavedViewError for a bad name and too many views.

    query: a query string that the gallery has read and written.
    """
    name = " ".join(name.replace("\0", "").split())
    if not 1 <= len(name) <= VIEW_NAME_LENGTH:
        raise SavedViewError(
            gettext("Enter a name of at most %(view_name_length)s characters.") % {"view_name_length": VIEW_NAME_LENGTH}
        )
    own = SavedView.objects.filter(campaign=campaign, user=user)
    if own.count() >= MOST_VIEWS and not own.filter(name=name).exists():
        raise SavedViewError(
            gettext("You have %(most_views)s views here already. Delete one first.") % {"most_views": MOST_VIEWS}
        )
    view, _ = own.update_or_create(campaign=campaign, user=user, name=name, defaults={"query": query})
    return view


def view_delete(*, campaign: Campaign, user: User, view_id: int) -> bool:
    """Delete an own view; return whether there was one."""
    deleted, _ = SavedView.objects.filter(campaign=campaign, user=user, pk=view_id).delete()
    return bool(deleted)


def selection_make(*, campaign: Campaign, image_ids: Iterable[int], what: str, by: User) -> PhotoSelection:
    """Store some photos under a short key, or return the selection of the same photos.

    image_ids: photos of the campaign. what: how they were chosen, in words.
    """
    ids = sorted(set(image_ids))
    fingerprint = hashlib.sha256(np.array(ids, dtype="<i8").tobytes()).hexdigest()
    values = {"image_ids": ids, "what": what[:100], "by": by}
    selection, _ = PhotoSelection.objects.get_or_create(campaign=campaign, fingerprint=fingerprint, defaults=values)
    return selection

"""Deleting the files of photos for good. Campaigns share the files of the same content."""

import logging
from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotation.models import Campaign, Image, ImportBatch, PhotoFile
from annotation.photos.storage import photo_file_delete
from annotation.services.photo_files import photo_file_suspect
from annotation.signals import photos_deleted

logger = logging.getLogger(__name__)
# An import without a heartbeat for this long is dead, and another worker begins it again.
_IMPORT_ALIVE = timedelta(minutes=5)


def deletion_must_wait() -> bool:
    """Return whether an import runs: it may have stored a file again and not written its row yet."""
    return ImportBatch.objects.filter(
        state=ImportBatch.State.RUNNING, heartbeat_at__gt=timezone.now() - _IMPORT_ALIVE
    ).exists()


def photo_files_delete(*, image_ids: Collection[int], with_thumbnails: bool) -> list[int]:
    """Delete originals, and thumbnails if asked; return the ids of the photos. Files that another photo needs stay.

    Sends `photos_deleted` if thumbnails are deleted too. The result leaves out photos whose files
    cannot be deleted.
    """
    deleted = []
    for image_id in sorted(image_ids):
        try:
            if _delete(image_id, with_thumbnails=with_thumbnails):
                deleted.append(image_id)
        except OSError as error:
            logger.warning("The files of photo %s cannot be deleted: %s", image_id, error)
    if deleted and with_thumbnails:
        photos_deleted.send(sender=Image, image_ids=deleted)
    return deleted


@transaction.atomic
def _delete(image_id: int, *, with_thumbnails: bool) -> bool:
    image = Image.objects.filter(pk=image_id).first()
    if image is None:
        return False
    # All photos of this content are locked in the order of their ids, so that two calls do not both leave the file to
    # the other one. The index needs the campaigns.
    campaigns = list(Campaign.objects.values_list("pk", flat=True))
    same = (
        Image.objects.filter(campaign__in=campaigns, sha256=image.sha256).order_by("pk").select_for_update(no_key=True)
    )
    photos = {one.pk: one for one in same}
    image = photos.pop(image_id, None)
    if image is None:
        return False
    if image.original_deleted_at is None:
        image.original_deleted_at = timezone.now()
        image.save(update_fields=["original_deleted_at"])
    has_original = any(one.original_deleted_at is None for one in photos.values())
    # A thumbnail is needed as long as one of the photos can be seen.
    has_thumbnail = has_original or any(one.withdrawn_at is None for one in photos.values())
    if not has_original:
        photo_file_delete(image.photo_name)
        PhotoFile.objects.filter(sha256=image.sha256).delete()
    if with_thumbnails and not has_thumbnail:
        photo_file_delete(image.thumbnail_name)
    if not has_original and Image.objects.filter(Q(original_deleted_at=None), sha256=image.sha256).exists():
        photo_file_suspect(sha256=image.sha256)  # an import has just added it for another campaign
    return True

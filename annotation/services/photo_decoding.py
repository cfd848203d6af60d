"""Photos that an earlier version of the decoding has read: finds those that look different now, and reads them again.

`Image.decoding` is the version that made a photo's thumbnail, size and hash, and what models have computed from it.
Most photos look the same in every version. For these, only the number changes.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from annotation.models import FileCheck, Image, PhotoFile
from annotation.photos.decoding import PhotoFacts, PhotoRejected
from annotation.photos.decoding_changes import decoding_changed
from annotation.photos.decoding_version import DECODING_VERSION
from annotation.photos.file_check import photo_files_check
from annotation.photos.sandbox import SandboxError
from annotation.photos.storage import photo_file_open, photo_file_write
from annotation.services.images import photo_facts
from annotation.services.photo_files import content_of, photo_files_record
from annotation.signals import photos_changed

logger = logging.getLogger(__name__)

DECODING = "decoding"
# The next worker continues after this time if a worker dies during a step.
_CLAIM = timedelta(minutes=5)
_BATCH = 50


def photos_outdated() -> QuerySet[Image]:
    """Return the photos that an earlier version has read. Those whose file is missing or damaged wait."""
    damaged = PhotoFile.objects.filter(~Q(finding=""), sha256=OuterRef("sha256"))
    return Image.objects.filter(~Exists(damaged), decoding__lt=DECODING_VERSION, original_deleted_at=None)


def photos_decoding_due() -> bool:
    """Return whether `photos_decoding_update` would do something now."""
    claimed = FileCheck.objects.filter(name=DECODING, next_at__gt=timezone.now())
    return photos_outdated().exists() and not claimed.exists()


def photos_decoding_update(*, seconds: float, stop: Callable[[], bool] = lambda: False) -> int:
    """Look at photos that an earlier version has read until none is left or the time is over; return how many.

    A photo that looks different now gets a new thumbnail, size and hash, and `photos_changed` is sent for it in the
    same transaction. Its group and split stay, because people may have rated it. A call at the same time does nothing.
    """
    check, _created = FileCheck.objects.get_or_create(name=DECODING)
    began = timezone.now()
    if not FileCheck.objects.filter(pk=check.pk, next_at__lte=began).update(next_at=began + _CLAIM):
        return 0
    until = time.monotonic() + seconds
    done, last = 0, 0
    try:
        while time.monotonic() < until and not stop():
            batch = list(photos_outdated().filter(pk__gt=last).order_by("pk")[:_BATCH])
            if not batch:
                break
            done, last = done + _batch_update(batch), batch[-1].pk
    finally:
        FileCheck.objects.filter(pk=check.pk).update(next_at=timezone.now())
    return done


def _batch_update(batch: list[Image]) -> int:
    """Bring some photos to the present version, and return how many."""
    same: list[int] = []
    changed: dict[int, PhotoFacts | None] = {}
    for image in batch:
        try:
            with photo_file_open(image.photo_name) as file:
                data = file.read()
            if not decoding_changed(data, since=image.decoding):
                same.append(image.pk)
                continue
            changed[image.pk] = photo_facts(data)
            photo_file_write(image.thumbnail_name, changed[image.pk].thumbnail)  # type: ignore[union-attr]
        except PhotoRejected:  # the work on it will fail with the reason
            changed[image.pk] = None
        except OSError as error:
            logger.warning("Photo %s cannot be read: %s", image.sha256, error)
            photo_files_record(findings=[photo_files_check(content_of(image))])
        except SandboxError as error:  # try again later
            logger.warning("Photo %s was not decoded again: %s", image.sha256, error)
    with transaction.atomic():
        # In the order of the ids, as the queue locks them.
        locked = Image.objects.filter(pk__in=[*same, *changed]).order_by("pk").select_for_update(no_key=True)
        ids = set(locked.values_list("pk", flat=True))
        Image.objects.filter(pk__in=ids).update(decoding=DECODING_VERSION)
        for image_id, facts in changed.items():
            if facts is not None:
                Image.objects.filter(pk=image_id).update(width=facts.width, height=facts.height, phash=facts.phash)
        if again := sorted(ids & changed.keys()):
            logger.info("%d photos look different since they were imported, and are read again.", len(again))
            photos_changed.send(sender=Image, image_ids=again)
    return len(ids)

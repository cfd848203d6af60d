"""Whether the disks have room for new photos. Some space stays free, so that answers can always be stored."""

from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext

from annotation.files.free_space import Disk, disks_of

_MEGABYTE = 1024 * 1024


def disks_low() -> list[Disk]:
    """Return the disks of this instance that have less free space than `IQS_LOW_DISK_MB`.

    A folder that cannot be read has no disk here; the page that needs it says so.
    """
    folders = {
        "uploads and logs": Path(settings.UPLOADS_ROOT),
        "photos": Path(settings.MEDIA_ROOT),
        "models": Path(settings.MODELS_ROOT),
    }
    try:
        return [disk for disk in disks_of(folders) if disk.free < settings.IQS_LOW_DISK_BYTES]
    except OSError:
        return []


def space_refusal(*, size: int) -> str:
    """Return why `size` bytes of new photos cannot be stored now, or "".

    A photo is on the disk of the uploads first, and then on the disk of the photos.
    """
    folders = {"uploads": Path(settings.UPLOADS_ROOT), "photos": Path(settings.MEDIA_ROOT)}
    try:
        disks = disks_of(folders)
    except OSError as error:
        return gettext("the server cannot read its folders (%(reason)s)") % {"reason": error.strerror}
    for disk in disks:
        if disk.free < size * len(disk.contents) + settings.IQS_LOW_DISK_BYTES:
            kept = settings.IQS_LOW_DISK_BYTES // _MEGABYTE
            return gettext(
                "the server's disk is too full: %(free)s MB are free, and %(kept)s MB stay free for answers"
            ) % {"free": disk.free_megabytes, "kept": kept}
    return ""

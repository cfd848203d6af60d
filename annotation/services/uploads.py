"""Uploads from a browser. Files arrive in pieces; a complete file is renamed to its own name."""

import errno
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from annotation.files.names import name_shortened, name_text
from annotation.files.whole_file import put_in_place
from annotation.models import Campaign, ImportBatch, ImportRejection
from annotation.photos.sources import PART_BYTES, column_name, safe_path
from annotation.services.disk_space import space_refusal
from annotation.services.upload_files import batch_folder

PIECE_BYTES = 4 * 1024 * 1024  # maximum size of one request
_MEGABYTE = 1024 * 1024


class UploadRefused(Exception):
    """The file is not accepted. The message says why, and the batch lists the file as rejected."""


class UploadClosed(Exception):
    """The batch accepts no more files."""


class WrongOffset(Exception):
    """The piece does not start where the received part ends. `offset`: number of bytes received so far."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"The server has {offset} bytes of the file. Continue from there.")
        self.offset = offset


def upload_piece_store(
    *, campaign: Campaign, batch_id: int, number: int, name: str, size: int, offset: int, piece: bytes
) -> bool:
    """Append a piece to file `number` of an upload, and return whether the file is complete.

    `number` counts the files of the upload in the browser, `name` is the file's path there, and `size` its length in
    bytes. A complete file gets its name from `safe_path`; if the name exists, a number is added. Raises UploadClosed,
    UploadRefused or WrongOffset, and OSError when the disk is full.
    """
    batch = ImportBatch.objects.filter(pk=batch_id, campaign=campaign, state=ImportBatch.State.RECEIVING).first()
    if batch is None:
        raise UploadClosed(gettext("This upload accepts no more files. Start a new one."))
    path = safe_path(name)
    part = batch_folder(batch) / f".{number}.part"  # hidden names are never imported
    try:
        if offset == 0:
            _file_check(path.suffix, number, size)
            part.parent.mkdir(parents=True, exist_ok=True)
            _disk_check(size)
        _piece_append(part, offset, piece, size)
        if offset + len(piece) == size:
            _file_finish(batch, part, path)
            return True
    except UploadRefused as refusal:
        part.unlink(missing_ok=True)
        rejection = ImportRejection(batch=batch, name=column_name(name_text(path)), reason=str(refusal))
        ImportRejection.objects.bulk_create([rejection], ignore_conflicts=True)
        raise
    return False


def _file_check(suffix: str, number: int, size: int) -> None:
    """Raise UploadRefused for files that the import would reject anyway, before they are uploaded."""
    limit = settings.IQS_MAX_ZIP_BYTES if suffix.lower() == ".zip" else settings.IQS_MAX_FILE_BYTES
    if size > limit:
        raise UploadRefused(
            gettext("The file is larger than the allowed %(megabyte)s MB.") % {"megabyte": limit // _MEGABYTE}
        )
    if number >= settings.IQS_MAX_FILES_PER_IMPORT:
        raise UploadRefused(
            gettext("One import can have at most %(iqs_max_files_per_import)s files.")
            % {"iqs_max_files_per_import": settings.IQS_MAX_FILES_PER_IMPORT}
        )


def _disk_check(size: int) -> None:
    if why := space_refusal(size=size):
        raise UploadRefused(gettext("The file cannot be stored: %(why)s.") % {"why": why})


def _piece_append(part: Path, offset: int, piece: bytes, size: int) -> None:
    received = part.stat().st_size if offset and part.exists() else 0
    if offset != received:
        raise WrongOffset(received)
    if offset + len(piece) > size:
        raise UploadRefused(gettext("The file is longer than announced. Did it change during the upload?"))
    with part.open("ab" if offset else "wb") as file:
        file.write(piece)


@transaction.atomic
def _file_finish(batch: ImportBatch, part: Path, path: PurePosixPath) -> None:
    """Rename a complete file. The row lock makes sure that the import is not queued before the rename."""
    receiving = ImportBatch.objects.filter(pk=batch.pk, state=ImportBatch.State.RECEIVING)
    if not receiving.update(heartbeat_at=timezone.now(), received=F("received") + 1):
        raise UploadClosed(gettext("The upload was finished before the file was complete."))
    wanted = batch_folder(batch) / path
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        number, target = 1, wanted
        while target.exists():  # safe because of the row lock
            number += 1
            name = f"{wanted.stem} ({number}){wanted.suffix}"
            target = wanted.with_name(name_shortened(name, PART_BYTES, in_bytes=True))
        put_in_place(part, target)
    except (FileExistsError, NotADirectoryError) as error:
        raise UploadRefused(gettext("Another file of this upload has the same name as this file's folder.")) from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise UploadRefused(gettext("The path is too long for the server's file system.")) from error

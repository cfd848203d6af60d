"""Files on their way from a browser: in pieces, each at its place, whole only under their own name."""

import shutil
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotation.files.whole_file import put_in_place
from annotation.models import Campaign, ImportBatch, ImportRejection
from annotation.photos.sources import NAME_LENGTH, path_tidied
from annotation.services.batches import batch_folder

PIECE_BYTES = 4 * 1024 * 1024  # the most one request may bring
_MEGABYTE = 1024 * 1024
_SPARE_BYTES = 256 * _MEGABYTE  # never filled up: the database lives on a disk too


class UploadRefused(Exception):
    """The file is not taken; the message says why, and the batch lists it as rejected."""


class UploadClosed(Exception):
    """The batch takes no more files."""


class PieceMisplaced(Exception):
    """The piece does not follow on what is there; `offset` bytes of the file have arrived."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"{offset} bytes of the file have arrived. Continue from there.")
        self.offset = offset


def upload_piece_store(
    *, campaign: Campaign, batch_id: int, number: int, name: str, size: int, offset: int, piece: bytes
) -> bool:
    """Append a piece to file `number` of an upload, and return whether the file is whole now.

    `number` is the sender's own count of the files, `name` the path that the file has there, `size` its
    length in bytes. A whole file gets its (tidied) name; another file of that name does not vanish, it
    is numbered. Raises UploadClosed, UploadRefused or PieceMisplaced; OSError when the disk is full.
    """
    batch = ImportBatch.objects.filter(pk=batch_id, campaign=campaign, state=ImportBatch.State.RECEIVING).first()
    if batch is None:
        raise UploadClosed("This upload accepts no more files. Start a new one.")
    path = path_tidied(name)
    part = batch_folder(batch) / f".{number}.part"  # hidden names are never imported
    try:
        if offset == 0:
            _acceptable(path.suffix, number, size)
            part.parent.mkdir(parents=True, exist_ok=True)
            _room_check(part.parent, size)
        _piece_append(part, offset, piece, size)
        if offset + len(piece) == size:
            _name_give(batch, part, path)
            return True
    except UploadRefused as refusal:
        part.unlink(missing_ok=True)
        ImportRejection.objects.bulk_create(
            [ImportRejection(batch=batch, name=str(path)[-NAME_LENGTH:], reason=str(refusal))], ignore_conflicts=True
        )
        raise
    return False


def _acceptable(suffix: str, number: int, size: int) -> None:
    """Raise UploadRefused for what the import would reject anyhow, before its bytes travel."""
    limit = settings.IQS_MAX_ZIP_BYTES if suffix.lower() == ".zip" else settings.IQS_MAX_FILE_BYTES
    if size > limit:
        raise UploadRefused(f"The file is larger than the {limit // _MEGABYTE} MB allowed here.")
    if number >= settings.IQS_MAX_FILES_PER_IMPORT:
        raise UploadRefused(f"One import can have at most {settings.IQS_MAX_FILES_PER_IMPORT} files.")


def _room_check(folder: Path, size: int) -> None:
    if shutil.disk_usage(folder).free < size + _SPARE_BYTES:
        raise UploadRefused("The server does not have enough disk space for the file.")


def _piece_append(part: Path, offset: int, piece: bytes, size: int) -> None:
    there = part.stat().st_size if offset and part.exists() else 0
    if offset != there:
        raise PieceMisplaced(there)
    if offset + len(piece) > size:
        raise UploadRefused("The upload has more bytes than the file. Did the file change during the upload?")
    with part.open("ab" if offset else "wb") as file:
        file.write(piece)


@transaction.atomic
def _name_give(batch: ImportBatch, part: Path, path: PurePosixPath) -> None:
    """Rename a whole file. Holding the row keeps 'finish' from queueing the import before that."""
    receiving = ImportBatch.objects.filter(pk=batch.pk, state=ImportBatch.State.RECEIVING)
    if not receiving.update(heartbeat_at=timezone.now()):
        raise UploadClosed("This upload was finished before the file had arrived.")
    wanted = batch_folder(batch) / path
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UploadRefused("Another file of this upload has the same name as the folder of this file.") from error
    number, target = 1, wanted
    while target.exists():  # the row's lock makes this safe
        number += 1
        target = wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
    put_in_place(part, target)

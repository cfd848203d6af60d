"""The files in a backup: photos by the rows of the snapshot, models and waiting uploads by their folders."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO

from django.db.models import F

from annotation.files.whole_file import whole_file
from annotation.models import LIVE, Image, ImportBatch
from annotation.photos.file_check import thumbnail_is_good
from annotation.photos.storage import photo_file_open, photo_file_write, photo_name, thumbnail_name
from annotation.services.upload_files import UPLOAD, batch_folder
from iqs_site.backup.archive import ArchiveWriter, BackupError, Member

MEDIA, MODELS, UPLOADS = "media/", "models/", "uploads/"
_LISTED = 20
_CHUNK = 1024 * 1024


@dataclass
class LeftOut:
    """Files that are missing or damaged, so that the backup does not have them."""

    count: int = 0
    first: list[str] = field(default_factory=list)
    """Sentences about the first of them."""

    def add(self, sentence: str) -> None:
        """Add a file."""
        self.count += 1
        if len(self.first) < _LISTED:
            self.first.append(sentence)


@dataclass(frozen=True)
class PhotoList:
    """The photos of a snapshot, one a line, in a temporary file that the caller closes: the list can be long."""

    lines: IO[str]
    count: int


def photos_listed() -> PhotoList:
    """List the photos of all campaigns, each content once, without withdrawn ones.

    Of photos whose original is deleted, only the thumbnail is in the backup.
    """
    rows = Image.objects.filter(LIVE).order_by("sha256", F("original_deleted_at").asc(nulls_first=True))
    columns = rows.distinct("sha256").values_list("sha256", "suffix", "phash", "original_deleted_at")
    lines, count = tempfile.TemporaryFile("w+"), 0  # noqa: SIM115  # the caller closes it
    for sha, suffix, phash, deleted_at in columns.iterator(chunk_size=10_000):
        lines.write(f"{sha} {suffix} {phash} {'original' if deleted_at is None else 'thumbnail'}\n")
        count += 1
    lines.seek(0)
    return PhotoList(lines, count)


def photos_write(archive: ArchiveWriter, photos: PhotoList, *, progress: Callable[[int, int], None]) -> LeftOut:
    """Write the originals and thumbnails of the photos; return those that are missing or damaged."""
    left_out = LeftOut()
    for number, line in enumerate(photos.lines, 1):
        progress(number, photos.count)
        digest, suffix, phash, kind = line.split()
        if kind == "original":
            name = photo_name(digest, suffix)
            try:
                data = _read(name)
            except OSError as error:
                left_out.add(f"{name}: {error.strerror or error}")
                continue
            if sha256(data).hexdigest() == digest:
                archive.member_add(MEDIA + name, data)
            else:
                left_out.add(f"{name}: damaged")
        name = thumbnail_name(digest)
        with suppress(OSError):  # the background check makes missing thumbnails again
            thumbnail = _read(name)
            if thumbnail_is_good(thumbnail, int(phash)):
                archive.member_add(MEDIA + name, thumbnail)
    return left_out


def folders_write(archive: ArchiveWriter, folders: Iterable[tuple[str, Path]], left_out: LeftOut) -> None:
    """Write the files of (prefix, folder), without hidden ones, which are incomplete or locks."""
    for prefix, folder in folders:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if any(part.startswith(".") for part in inside.parts) or not path.is_file():
                continue
            name = prefix + inside.as_posix()
            try:
                with path.open("rb") as file:
                    archive.stream_add(name, file, os.fstat(file.fileno()).st_size)
            except FileNotFoundError:
                continue  # deleted meanwhile, for instance by an import
            except PermissionError as error:
                left_out.add(f"{name}: {error.strerror}")


def uploads_waiting() -> list[tuple[str, Path]]:
    """Return (prefix, folder) of the uploads that are not imported yet."""
    waiting = ImportBatch.objects.filter(source=UPLOAD).exclude(state=ImportBatch.State.DONE)
    return [(f"{UPLOADS}{batch.pk}/", batch_folder(batch)) for batch in waiting if batch_folder(batch).is_dir()]


def photo_restore(member: Member) -> None:
    """Store one file of a photo, and read it again to be sure. Raises BackupError, and OSError on a full disk."""
    name = member.name.removeprefix(MEDIA)
    if not re.fullmatch(r"([0-9a-f]{2})/\1[0-9a-f]{62}\.[a-z0-9.]{1,12}", name):
        raise BackupError(f"The backup has a file of a wrong name ({member.name!r}).")
    data = member.file.read()
    if photo_file_write(name, data) and photo_file_write(name, data):
        raise BackupError(f"{name} cannot be stored: the storage gives back something else.")


class Staged:
    """A folder whose content is restored beside the present one, and then takes its place."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder = folder
        self.prefix = prefix
        folder.mkdir(parents=True, exist_ok=True)
        self._part = Path(tempfile.mkdtemp(prefix=".restore-", dir=folder))

    def add(self, member: Member) -> None:
        """Write one file. Raises BackupError for a name that leads out of the folder, and OSError."""
        inside = PurePosixPath(member.name.removeprefix(self.prefix))
        if inside.is_absolute() or ".." in inside.parts or not inside.parts:
            raise BackupError(f"The backup has a file of a wrong name ({member.name!r}).")
        path = self._part / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            shutil.copyfileobj(member.file, file, _CHUNK)

    def put_in_place(self) -> None:
        """Replace the present content of the folder."""
        for present in self.folder.iterdir():
            if present != self._part:
                shutil.rmtree(present) if present.is_dir() and not present.is_symlink() else present.unlink()
        for restored in self._part.iterdir():
            restored.rename(self.folder / restored.name)
        self.discard()

    def discard(self) -> None:
        """Remove what was restored and is not in place."""
        shutil.rmtree(self._part, ignore_errors=True)


def _read(name: str) -> bytes:
    with photo_file_open(name) as file:
        return file.read()

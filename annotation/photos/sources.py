"""Reads the files of an import from a folder or a zip. Does not use Django.

Zips are never extracted to disk: each entry is read into memory, up to the size limit of one file, and is stored under
the hash of its content. So a name in a zip cannot write to another folder.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from threading import Lock
from types import TracebackType
from typing import IO, NoReturn

from annotation.files.names import name_shortened, name_text, text_storable
from annotation.language import gettext_noop
from annotation.photos.decoding import PhotoRejected
from annotation.photos.zip_directory import ZipDamaged, ZipEntry, directory_read
from annotation.photos.zip_entries import entry_bytes

NAME_LENGTH = 500  # characters; the limit of the database columns
PART_BYTES = 255  # of one part of a path, in common file systems
#: Ends of the names of tables that can bring labels with the photos (`annotation.services.import_labels`).
TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl")
_MEGABYTE = 1024 * 1024
_WINDOWS_PATH = re.compile(r"[A-Za-z]:\\|[A-Za-z]:/.|\\\\")  # with a drive, or of a server
# Files that operating systems add to folders. Hidden files are ignored too.
_IGNORED_NAMES = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini"}
# Maximum size of a zip's directory per allowed file. It limits the memory for reading the directory.
_DIRECTORY_BYTES_PER_FILE = 256


class SourceError(Exception):
    """Nothing can be imported from this path. The message says why."""


@dataclass(frozen=True)
class Limits:
    """Limits of one import."""

    file_bytes: int
    zip_bytes: int  # of all entries of one zip, uncompressed
    files: int


@dataclass(frozen=True)
class Candidate:
    """One file that may become a photo.

    name: unique within the import, as text of `annotation.files.names`, at most 500 characters. file: the file on disk
    (for an entry of a zip, the zip). read: returns the bytes, or raises PhotoRejected with the reason.
    """

    name: str
    file: Path
    read: Callable[[], bytes]


class ImportSource:
    """A folder with its subfolders, or a zip, as a list of candidates in a fixed order.

    The names of candidates are their paths below the folder. Files of a zip in a folder have the zip's name before
    their own, unless the zip is the only file of the folder but for tables. `is_one_zip` overrides this for a folder
    that has lost files since the import began.

    It is a context manager that closes the zips at the end. Raises SourceError when the path is neither a folder nor a
    zip, or has too many files. A zip that breaks a limit becomes one candidate that is rejected as a whole.
    """

    def __init__(self, path: Path, limits: Limits, *, is_one_zip: bool | None = None) -> None:
        self.limits = limits
        self._archives: list[_Archive] = []
        try:
            if path.is_dir():
                files = list(_files_below(path))
                photos = [_is_zip(file) for file in files if not is_table(file.name)]
                self.is_one_zip = photos == [True] if is_one_zip is None else is_one_zip
                found = [candidate for file in files for candidate in self._in_file(path, file)]
            elif _is_zip(path) and path.is_file():
                self.is_one_zip = True
                found = list(self._in_zip(path, "", name_text(path.name)))
            else:
                raise SourceError(
                    gettext_noop("%(path)s is neither a folder nor a .zip file, or it cannot be read.") % {"path": path}
                )
        except OSError as error:
            raise SourceError(
                gettext_noop("%(path)s cannot be read: %(error)s.") % {"path": path, "error": error.strerror or error}
            ) from error
        if len(found) > limits.files:
            raise SourceError(
                gettext_noop(
                    "%(path)s has %(found)s files, but one import can have at most %(files)s. Import it in parts."
                )
                % {"path": path, "found": len(found), "files": limits.files}
            )
        self.candidates = _with_unique_names(found)

    def __enter__(self) -> "ImportSource":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for archive in self._archives:
            archive.close()

    def _in_file(self, folder: Path, file: Path) -> Iterator[Candidate]:
        path = file.relative_to(folder)
        if _is_zip(file):
            before = path.parent if self.is_one_zip else path
            prefix = "" if before == Path() else f"{name_text(before)}/"
            yield from self._in_zip(file, prefix, name_text(path))
        else:
            yield Candidate(name_text(path), file, partial(self._file_bytes, file))

    def _file_bytes(self, file: Path) -> bytes:
        try:
            with file.open("rb") as handle:
                data = handle.read(self.limits.file_bytes + 1)
        except OSError as error:
            raise PhotoRejected(
                gettext_noop("The file cannot be read: %(error)s.") % {"error": error.strerror or error}
            ) from error
        _size_check(len(data), self.limits.file_bytes)
        return data

    def _in_zip(self, path: Path, prefix: str, whole: str) -> Iterator[Candidate]:
        """Yield the files of a zip, with `prefix` before their names. `whole` names the zip if it is rejected."""
        try:
            archive = _Archive(path, self.limits)
        except PhotoRejected as rejection:
            yield Candidate(whole, path, _refusal(str(rejection)))
            return
        self._archives.append(archive)
        for entry in archive.entries:
            yield Candidate(prefix + entry.name, path, partial(archive.read, entry))
        if archive.lost:
            reason = gettext_noop("The list of files in this zip is damaged. %(lost)s files could not be found.") % {
                "lost": archive.lost
            }
            yield Candidate(whole, path, _refusal(reason))


class _Archive:
    """One zip. Its file is open only from the first read to the last, so that many zips need few file handles."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        self._lock = Lock()
        self._file: IO[bytes] | None = None
        try:
            with path.open("rb") as file:
                directory = directory_read(file, most_bytes=max(limits.files, 100) * _DIRECTORY_BYTES_PER_FILE)
        except ZipDamaged as damage:
            raise PhotoRejected(str(damage)) from damage
        except OSError as error:
            raise PhotoRejected(
                gettext_noop("The zip cannot be read: %(error)s.") % {"error": error.strerror or error}
            ) from error
        if directory is None:
            raise PhotoRejected(
                gettext_noop("The zip has more files than the allowed %(files)s.") % {"files": limits.files}
            )
        self.lost = directory.lost
        self.entries = [one for one in directory.entries if not one.is_folder and not is_ignored(one.name.split("/"))]
        if len(self.entries) > limits.files:
            raise PhotoRejected(
                gettext_noop("The zip has %(entries)s files, but at most %(files)s are allowed.")
                % {"entries": len(self.entries), "files": limits.files}
            )
        declared = sum(entry.size for entry in self.entries)
        if declared > limits.zip_bytes:
            raise PhotoRejected(
                gettext_noop("Uncompressed, the zip has %(declared)s MB, but at most %(zip_bytes)s MB are allowed.")
                % {"declared": declared // _MEGABYTE, "zip_bytes": limits.zip_bytes // _MEGABYTE}
            )
        self._unread = len(self.entries)

    def read(self, entry: ZipEntry) -> bytes:
        """Return the bytes of one entry. Raises PhotoRejected when it breaks a limit or cannot be read."""
        try:
            return entry_bytes(self._handle(), entry, most_bytes=self.limits.file_bytes)
        finally:
            self._read_one()

    def close(self) -> None:
        """Close the file. A later read opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _handle(self) -> int:
        with self._lock:
            if self._file is None:
                try:
                    self._file = self.path.open("rb")
                except OSError as error:
                    raise PhotoRejected(
                        gettext_noop("The zip cannot be read: %(error)s.") % {"error": error.strerror or error}
                    ) from error
            return self._file.fileno()

    def _read_one(self) -> None:
        with self._lock:
            self._unread -= 1
            last = self._unread == 0
        if last:
            self.close()


def safe_path(name: str) -> PurePosixPath:
    """Return a file name from a browser as a relative path that cannot leave its folder.

    The parts keep every character except NUL. Empty parts, `.` and `..` are removed, and parts that are too long for a
    file system are shortened at their start. A full Windows path loses its drive, and its backslashes separate folders;
    elsewhere a backslash is part of a name.
    """
    if _WINDOWS_PATH.match(name):
        name = re.sub(r"^[A-Za-z]:", "", name).replace("\\", "/")
    storable = text_storable(name.replace("\0", "\N{REPLACEMENT CHARACTER}"))
    parts = [part for part in storable.split("/") if part not in {"", ".", ".."}] or ["unnamed"]
    return PurePosixPath(*(name_shortened(part, PART_BYTES, in_bytes=True) for part in parts))


def column_name(name: str) -> str:
    """Return the text of a name, shortened at its start to what the database columns hold."""
    return name_shortened(name, NAME_LENGTH)


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and its subfolders, sorted by name, without ignored files."""
    for entry in sorted(folder.iterdir()):
        if is_ignored([entry.name]):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _files_below(entry)
        elif entry.is_file():
            yield entry


def is_table(name: str) -> bool:
    """Return whether a file with this name can be a table of labels."""
    return name.lower().endswith(TABLE_SUFFIXES)


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


def is_ignored(parts: list[str]) -> bool:
    """Return whether a path, given in parts, is hidden or a file of the operating system."""
    return any(part.lower() in _IGNORED_NAMES or (part.startswith(".") and part not in {".", ".."}) for part in parts)


def _size_check(size: int, limit: int) -> None:
    if size > limit:
        raise PhotoRejected(
            gettext_noop("The file is larger than the allowed %(limit)s MB.") % {"limit": limit // _MEGABYTE}
        )


def _refusal(reason: str) -> Callable[[], NoReturn]:
    def refuse() -> NoReturn:
        raise PhotoRejected(reason)

    return refuse


def _with_unique_names(found: list[Candidate]) -> list[Candidate]:
    """Return the candidates with unique names that fit the database columns."""
    seen: set[str] = set()
    renamed = []
    for candidate in found:
        name = column_name(candidate.name)
        count = 1
        while name in seen:
            count += 1
            name = column_name(f"{candidate.name} ({count})")
        seen.add(name)
        renamed.append(Candidate(name, candidate.file, candidate.read))
    return renamed

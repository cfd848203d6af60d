"""Reads the files of an import from a folder or a zip. Does not use Django.

Zips are never extracted to disk: each entry is read into memory, up to the size limit of one file, and is stored under
the hash of its content. So a name in a zip cannot write to another folder.
"""

import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from threading import Lock
from types import TracebackType
from typing import NoReturn

from annotation.photos.decoding import PhotoRejected

NAME_LENGTH = 500  # characters; the limit of the database columns
_MEGABYTE = 1024 * 1024
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

    name: unique within the import, at most 500 characters. file: the file on disk (for an entry of a zip, the zip).
    read: returns the bytes, or raises PhotoRejected with the reason.
    """

    name: str
    file: Path
    read: Callable[[], bytes]


class ImportSource:
    """A folder with its subfolders, or a zip, as a list of candidates in a fixed order.

    It is a context manager that closes the zips at the end. Raises SourceError when the path is neither a folder nor a
    zip, or has too many files. A zip that breaks a limit becomes one candidate that is rejected as a whole.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self.limits = limits
        self._archives: list[_Archive] = []
        try:
            if path.is_dir():
                found = [candidate for file in _files_below(path) for candidate in self._in_file(path, file)]
            elif path.suffix.lower() == ".zip" and path.is_file():
                found = list(self._in_zip(path, ""))
            else:
                raise SourceError(f"{path} is neither a folder nor a .zip file, or it cannot be read.")
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror or error}.") from error
        if len(found) > limits.files:
            raise SourceError(
                f"{path} has {len(found)} files, but one import can have at most {limits.files}. Import it in parts."
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
        name = file.relative_to(folder).as_posix()
        if file.suffix.lower() == ".zip":
            yield from self._in_zip(file, f"{name}/")
        else:
            yield Candidate(name, file, partial(self._file_bytes, file))

    def _file_bytes(self, file: Path) -> bytes:
        try:
            with file.open("rb") as handle:
                data = handle.read(self.limits.file_bytes + 1)
        except OSError as error:
            raise PhotoRejected(f"The file cannot be read: {error.strerror or error}.") from error
        _size_check(len(data), self.limits.file_bytes)
        return data

    def _in_zip(self, path: Path, prefix: str) -> Iterator[Candidate]:
        try:
            archive = _Archive(path, self.limits)
        except PhotoRejected as rejection:
            yield Candidate(prefix.rstrip("/") or path.name, path, _refusal(str(rejection)))
            return
        self._archives.append(archive)
        for entry in archive.entries:
            name = prefix + entry.filename.replace("\\", "/")
            yield Candidate(name, path, partial(archive.entry_bytes, entry))


class _Archive:
    """One zip. Its file is open only from the first read to the last, so that many zips need few file handles."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        self._lock = Lock()
        self._zip: zipfile.ZipFile | None = None
        try:
            _directory_check(path, limits.files)
            with zipfile.ZipFile(path) as opened:
                infos = opened.infolist()
        except PhotoRejected:
            raise
        except Exception as error:  # zipfile also raises struct.error and others for broken files
            raise PhotoRejected(f"The zip cannot be read ({error}).") from error
        self.entries = [info for info in infos if not info.is_dir() and not is_ignored(_parts(info.filename))]
        if len(self.entries) > limits.files:
            raise PhotoRejected(f"The zip has {len(self.entries)} files, but at most {limits.files} are allowed.")
        declared = sum(info.file_size for info in self.entries)
        if declared > limits.zip_bytes:
            raise PhotoRejected(
                f"Uncompressed, the zip has {declared // _MEGABYTE} MB, but at most {limits.zip_bytes // _MEGABYTE} MB "
                "are allowed."
            )
        self._unread = len(self.entries)

    def entry_bytes(self, info: zipfile.ZipInfo) -> bytes:
        """Return the bytes of one entry. Raises PhotoRejected when it breaks a limit or cannot be read."""
        try:
            parts = _parts(info.filename)
            if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in parts[0]:
                raise PhotoRejected("Its name points to a folder outside the zip.")
            if stat.S_ISLNK(info.external_attr >> 16):
                raise PhotoRejected("It is a link to another file, not a photo.")
            if parts[-1].lower().endswith(".zip"):
                raise PhotoRejected("Zips inside zips are not supported. Import it separately.")
            if info.flag_bits & 0x1:
                raise PhotoRejected("It is encrypted. Import an unencrypted zip.")
            _size_check(info.file_size, self.limits.file_bytes)
            try:
                with self._opened().open(info) as entry:
                    data = entry.read(self.limits.file_bytes + 1)
                    # zipfile checks the checksum only when the entry is read to its end.
                    _size_check(len(data) + len(entry.read(1)), self.limits.file_bytes)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
                raise PhotoRejected(f"This entry of the zip is damaged ({error}).") from error
            return data
        finally:
            self._read_one()

    def close(self) -> None:
        """Close the file. A later read opens it again."""
        with self._lock:
            if self._zip is not None:
                self._zip.close()
                self._zip = None

    def _opened(self) -> zipfile.ZipFile:
        with self._lock:
            if self._zip is None:
                self._zip = zipfile.ZipFile(self.path)
            return self._zip

    def _read_one(self) -> None:
        with self._lock:
            self._unread -= 1
            last = self._unread == 0
        if last:
            self.close()


def safe_path(name: str) -> PurePosixPath:
    """Return a file name from a browser as a relative path that cannot leave its folder.

    Removes drive letters, `.`, `..` and empty parts, replaces characters that cannot be printed, and shortens parts
    that are too long for a file system at their start.
    """
    parts = [part for part in _parts(_printable(name)) if part not in {"", ".", ".."} and not part.endswith(":")]
    return PurePosixPath(*(_shortened(part, 200) for part in parts or ["unnamed"]))


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and its subfolders, sorted by name, without ignored files."""
    for entry in sorted(folder.iterdir()):
        if is_ignored([entry.name]):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _files_below(entry)
        elif entry.is_file():
            yield entry


def _parts(name: str) -> list[str]:
    return name.replace("\\", "/").split("/")


def is_ignored(parts: list[str]) -> bool:
    """Return whether a path, given in parts, is hidden or a file of the operating system."""
    return any(part.lower() in _IGNORED_NAMES or (part.startswith(".") and part not in {".", ".."}) for part in parts)


def _size_check(size: int, limit: int) -> None:
    if size > limit:
        raise PhotoRejected(f"The file is larger than the allowed {limit // _MEGABYTE} MB.")


def _refusal(reason: str) -> Callable[[], NoReturn]:
    def refuse() -> NoReturn:
        raise PhotoRejected(reason)

    return refuse


def _directory_check(path: Path, files: int) -> None:
    """Raise PhotoRejected when the zip's directory is so large that reading it would use too much memory.

    The end record (APPNOTE.TXT 4.3.16, for large files 4.3.14 and 4.3.15) contains the size of the directory.
    """
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 65_557))
        tail = file.read()
        end = tail.rfind(b"PK\x05\x06")
        if end < 0 or len(tail) < end + 22:
            raise PhotoRejected("It is not a zip, or it is incomplete.")
        (size,) = struct.unpack_from("<I", tail, end + 12)
        if size == 0xFFFF_FFFF and end >= 20 and tail[end - 20 : end - 16] == b"PK\x06\x07":
            (offset,) = struct.unpack_from("<Q", tail, end - 12)
            file.seek(offset)
            record = file.read(56)
            if len(record) == 56:
                (size,) = struct.unpack_from("<Q", record, 40)
    if size > max(files, 100) * _DIRECTORY_BYTES_PER_FILE:
        raise PhotoRejected(f"The zip has more files than the allowed {files}.")


def _with_unique_names(found: list[Candidate]) -> list[Candidate]:
    """Return the candidates with unique names that fit the database columns."""
    seen: set[str] = set()
    renamed = []
    for candidate in found:
        name = _shortened(_printable(candidate.name), NAME_LENGTH)
        count = 1
        while name in seen:
            count += 1
            name = _shortened(f"{_printable(candidate.name)} ({count})", NAME_LENGTH)
        seen.add(name)
        renamed.append(Candidate(name, candidate.file, candidate.read))
    return renamed


def _printable(name: str) -> str:
    """Return the name in Unicode form NFC, with characters that cannot be printed replaced."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in unicodedata.normalize("NFC", name)
    )


def _shortened(text: str, room: int) -> str:
    """Return the text if it has at most `room` bytes in UTF-8, else a digest of it and its end."""
    if len(text.encode()) <= room:
        return text
    digest = blake2b(text.encode(), digest_size=4).hexdigest()
    return f"{digest}…{text.encode()[-(room - 11) :].decode(errors='ignore')}"

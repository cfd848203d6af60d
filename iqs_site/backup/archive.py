"""The file of a backup: a tar in which every member has a checksum. Pure.

The file is written and read from its start to its end, so nothing is copied to another place first:

    header.json             what the file is, written first
    database/… media/…      the members
    checksums/000001.txt …  SHA-256 of the members since the last such list, as `sha256sum -c` reads them
    manifest.json           row counts and totals, written last: without it, the file was cut off

The manifest has the checksums of the lists. So a change of any member, and a missing one, is found.
"""

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

FORMAT = 1
HEADER, MANIFEST, LISTS = "header.json", "manifest.json", "checksums/"
_LIST_MEMBERS = 5000
_CHUNK = 1024 * 1024
_SMALL = 64 * 1024 * 1024  # of a header, list or manifest; a foreign tar may have a larger member of that name

Progress = Callable[[int, int], None]


class BackupError(Exception):
    """A backup cannot be made or restored. The message is one sentence or two that say why."""


class ArchiveWriter:
    """Writes the members of a backup to an open file. Use it as a context manager."""

    def __init__(self, file: IO[bytes], header: dict[str, Any]) -> None:
        # PAX: names and sizes without limits. `__exit__` closes it.
        self._tar = tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._listed: list[str] = []
        self._lists: list[str] = []
        self.members = 0
        self.bytes = 0
        self._add(HEADER, _json({"format": FORMAT, **header}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError, ValueError):  # after an error, for instance on a full disk, the file is thrown away
            self._tar.close()

    def member_add(self, name: str, data: bytes) -> None:
        """Add a member with this content."""
        self._add(name, data)
        self._list(name, sha256(data).hexdigest(), len(data))

    def stream_add(self, name: str, file: IO[bytes], size: int) -> str:
        """Add a member with the next `size` bytes of a file; return its SHA-256. Zeros replace what is missing.

        Raises OSError when the file cannot be read; the backup is then incomplete.
        """
        source = _HashedReader(file, size)
        self._tar.addfile(_info(name, size), source)
        _members_forget(self._tar)
        self._list(name, source.digest.hexdigest(), size)
        return source.digest.hexdigest()

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write the last list and the manifest."""
        self._list_write()
        totals = {"members": self.members, "bytes": self.bytes, "lists": self._lists}
        self._add(MANIFEST, _json({**manifest, **totals}))
        self._tar.close()

    def _list(self, name: str, digest: str, size: int) -> None:
        self.members += 1
        self.bytes += size
        self._listed.append(_line(name, digest))
        if len(self._listed) == _LIST_MEMBERS:
            self._list_write()

    def _list_write(self) -> None:
        if self._listed:
            text = "".join(self._listed).encode(errors="surrogateescape")
            self._add(f"{LISTS}{len(self._lists) + 1:06}.txt", text)
            self._lists.append(sha256(text).hexdigest())
            self._listed = []

    def _add(self, name: str, data: bytes) -> None:
        self._tar.addfile(_info(name, len(data)), io.BytesIO(data))
        _members_forget(self._tar)


@dataclass(frozen=True)
class Member:
    """A member of a backup while it is read."""

    name: str
    size: int
    file: IO[bytes]


class ArchiveReader:
    """Reads a backup from its start to its end. Use it as a context manager.

    Every error of the file is a BackupError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.header: dict[str, Any] = {}
        self.manifest: dict[str, Any] = {}

    def __enter__(self) -> Self:
        try:
            self.size = self.path.stat().st_size
            self._file = self.path.open("rb")
        except OSError as error:
            raise BackupError(f"{self.path} cannot be read ({error.strerror}).") from error
        try:
            self._tar = tarfile.open(fileobj=self._file, mode="r|")
            first = self._tar.next()
            if first is None or first.name != HEADER or first.size > _SMALL:
                raise BackupError(f"{self.path} is not a backup of IQS.")
            self.header = json.loads(self._content(first))
            number = int(self.header["format"])
        except BackupError:
            self._file.close()
            raise
        except (tarfile.TarError, ValueError, KeyError, TypeError, EOFError, OSError) as error:
            self._file.close()
            raise BackupError(f"{self.path} is not a backup of IQS, or it is damaged at its start.") from error
        if number > FORMAT:
            self._file.close()
            raise BackupError(f"{self.path} was made by a newer version of IQS. Restore it with that version.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def members(self, *, progress: Progress = lambda done, total: None) -> Iterator[Member]:
        """Yield the members and check all checksums; `manifest` is known at the end.

        A caller that does not read a member's file leaves that to this function. `progress` gets bytes.
        """
        listed: dict[str, str] = {}
        lists: list[str] = []
        count = total = 0
        while (info := self._next()) is not None:
            progress(self._file.tell(), self.size)
            if self.manifest or not info.isreg():
                raise self._damaged(f"{info.name} does not belong to it")
            if info.name == MANIFEST:
                self.manifest = self._json_of(info)
                continue
            if info.name.startswith(LISTS):
                text = self._content(info)
                lists.append(sha256(text).hexdigest())
                self._compare(text.decode(errors="surrogateescape"), listed)
                listed = {}
                continue
            source = _HashedReader(self._extracted(info), info.size, cut=self._cut())
            yield Member(info.name, info.size, source)  # type: ignore[arg-type]  # it only reads
            while source.read(_CHUNK):
                pass
            listed[info.name] = source.digest.hexdigest()
            count, total = count + 1, total + info.size
        if not self.manifest:
            # tarfile takes a damaged header for the end.
            is_end = self._tar.offset + 2 * tarfile.RECORDSIZE > self.size
            raise self._cut() if is_end else self._damaged("a header cannot be read")
        found = {"members": count, "bytes": total, "lists": lists}
        if listed or any(self.manifest.get(name) != value for name, value in found.items()):
            raise self._damaged("members are missing")
        progress(self.size, self.size)

    def _next(self) -> tarfile.TarInfo | None:
        try:
            info = self._tar.next()
            _members_forget(self._tar)
            return info
        except tarfile.ReadError as error:
            if "unexpected end" in str(error) or "empty" in str(error):
                raise self._cut() from error
            raise self._damaged("a header cannot be read") from error
        except (tarfile.TarError, EOFError, ValueError) as error:
            raise self._damaged("a header cannot be read") from error

    def _compare(self, text: str, found: dict[str, str]) -> None:
        """Compare the checksums of a list with those of the members before it."""
        written = {_line(name, digest): name for name, digest in found.items()}
        expected = {f"{line}\n" for line in text.split("\n") if line}
        if extra := written.keys() - expected:
            raise self._damaged(f"{written[min(extra)]} has another checksum")
        if expected - written.keys():
            raise self._damaged("members are missing")

    def _json_of(self, info: tarfile.TarInfo) -> dict[str, Any]:
        try:
            return dict(json.loads(self._content(info)))
        except (ValueError, TypeError) as error:
            raise self._damaged(f"{info.name} cannot be read") from error

    def _content(self, info: tarfile.TarInfo) -> bytes:
        if info.size > _SMALL:
            raise self._damaged(f"{info.name} is too large")
        try:
            data = self._extracted(info).read()
        except (tarfile.TarError, EOFError) as error:
            raise self._cut() from error
        if len(data) != info.size:
            raise self._cut()
        return data

    def _extracted(self, info: tarfile.TarInfo) -> IO[bytes]:
        file = self._tar.extractfile(info)
        assert file is not None  # a regular file
        return file

    def _cut(self) -> BackupError:
        return BackupError(f"{self.path} is cut off: its end is missing. Use another copy of the backup.")

    def _damaged(self, what: str) -> BackupError:
        return BackupError(f"{self.path} is damaged: {what}. Use another copy of the backup.")


class _HashedReader:
    """Reads at most `size` bytes of a file and computes their SHA-256.

    If the file is shorter, `cut` is raised; without it, zeros replace what is missing.
    """

    def __init__(self, file: IO[bytes], size: int, *, cut: BackupError | None = None) -> None:
        self._file = file
        self._cut = cut
        self.left = size
        self.digest = sha256()

    def read(self, count: int = -1) -> bytes:
        count = self.left if count < 0 else min(count, self.left)
        try:
            data = self._file.read(count) if count else b""
        except (tarfile.TarError, EOFError) as error:
            raise self._cut or BackupError("The file cannot be read.") from error
        if len(data) < count and self._cut is None:
            data += bytes(count - len(data))
        elif count and not data and self._cut is not None:
            raise self._cut
        self.left -= len(data)
        self.digest.update(data)
        return data


def _members_forget(tar: tarfile.TarFile) -> None:
    """Forget the members that are done; otherwise all of them stay in memory."""
    tar.members.clear()  # type: ignore[attr-defined]  # not in the type stubs


def _line(name: str, digest: str) -> str:
    """Return the line of a member in a list; `sha256sum` marks names with line ends by a backslash."""
    if "\n" in name or "\\" in name:
        escaped = name.replace("\\", "\\\\").replace("\n", "\\n")
        return f"\\{digest}  {escaped}\n"
    return f"{digest}  {name}\n"


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(time.time())
    return info


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()

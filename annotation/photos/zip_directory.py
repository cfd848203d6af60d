"""Reads the list of files of a zip. Pure.

Python's zipfile refuses the whole zip when one entry of the list is odd, and reads names as code page 437 unless a flag
says UTF-8, which many programs do not set. This module reads each entry by itself.

Source: APPNOTE.TXT 6.3.10 (PKWARE), the sections are named below; Info-ZIP's extra field 0x7075.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from annotation.files.names import text_escaped
from annotation.language import gettext_noop

_TAIL_BYTES = 1024 * 1024  # in which the end record is searched: its comment, and bytes that do not belong to the zip
_MOST_CANDIDATES = 1000  # for the end record
_END, _END_64, _LOCATOR, _ENTRY = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02"
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFF_FFFF
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_FOLDER_ATTRIBUTE = 0x10  # of MS-DOS


class ZipDamaged(Exception):
    """The file is not a zip, or its list of files cannot be read. The message says why."""


@dataclass(frozen=True)
class ZipEntry:
    """One entry of the list."""

    name: str
    """With / between folders; as text of `annotation.files.names`."""
    is_folder: bool
    is_outside: bool
    """The name is absolute, or leads out of the zip by `..`."""
    method: int
    """Compression method, a number of APPNOTE.TXT 4.4.5."""
    is_encrypted: bool
    crc: int
    """CRC-32 of the uncompressed bytes."""
    packed_size: int
    size: int
    """Uncompressed, in bytes."""
    offset: int
    """Of its local header in the file, in bytes."""
    mode: int
    """Unix mode; 0 if the zip has none."""


@dataclass(frozen=True)
class ZipDirectory:
    """The list of files of a zip."""

    entries: list[ZipEntry]
    lost: int
    """Number of entries that the zip announces but that cannot be read."""


@dataclass(frozen=True)
class _End:
    """What the end record says. `start`: where the list begins in the file. `shift`: to add to each offset."""

    start: int
    size: int
    count: int
    shift: int
    is_last: bool
    """Whether the file ends with this record and its comment."""


def directory_read(file: IO[bytes], *, most_bytes: int) -> ZipDirectory | None:
    """Return the list of files, or None when it has more than `most_bytes` bytes. Raises ZipDamaged."""
    end = _end_find(file)
    if end.size > most_bytes:
        return None
    file.seek(end.start)
    data = file.read(end.size)
    entries = list(_entries(data, end.shift))
    # Old programs write only the last 16 bits of a larger number.
    return ZipDirectory(entries, max(0, end.count - len(entries)))


def _end_find(file: IO[bytes]) -> _End:
    """Return the end record (4.3.16). Its mark can also be part of a comment, so the record must fit the file."""
    file_size = file.seek(0, 2)
    tail_start = max(0, file_size - _TAIL_BYTES)
    file.seek(tail_start)
    tail = file.read(_TAIL_BYTES)
    places = [found.start() for found in re.finditer(re.escape(_END), tail)][-_MOST_CANDIDATES:]
    ends = [end for place in reversed(places) if (end := _end_at(file, tail, place, tail_start, file_size))]
    if not ends:
        raise ZipDamaged(gettext_noop("It is not a zip, or it is incomplete, for example one part of several."))
    # A comment can contain a whole empty record, so a list with entries comes first.
    return max(ends, key=lambda end: (end.size > 0, end.is_last))


def _end_at(file: IO[bytes], tail: bytes, place: int, tail_start: int, file_size: int) -> _End | None:
    if place + 22 > len(tail):
        return None
    disk, first_disk, _, count, size, offset, comment = struct.unpack_from("<4H2LH", tail, place + 4)
    position = tail_start + place
    comment_end = position + 22 + comment
    if comment_end > file_size:
        return None
    before = position
    if _MAX_16 in (disk, first_disk, count) or _MAX_32 in (size, offset):
        found = _end_64(file, tail, place, tail_start)
        if found:
            before, disk, first_disk, count, size, offset = found
    if disk != first_disk:
        return None
    # Usually the list ends where the end record begins; other bytes before the zip move both. A few programs write
    # other records between them.
    for start in (before - size, offset):
        if start >= 0 and start + size <= before and (size == 0 or _is_entry(file, start)):
            return _End(start, size, count, start - offset, comment_end == file_size)
    return None


def _end_64(file: IO[bytes], tail: bytes, place: int, tail_start: int) -> tuple[int, int, int, int, int, int] | None:
    """Return (its position, disk, first disk, entries, size, offset) of the zip64 end record (4.3.14 and 4.3.15)."""
    if place < 20 or tail[place - 20 : place - 16] != _LOCATOR:
        return None
    (written,) = struct.unpack_from("<Q", tail, place - 12)
    for position in (tail_start + place - 20 - 56, written):
        if position < 0 or position > 2**62:
            continue
        file.seek(position)
        record = file.read(56)
        if len(record) == 56 and record[:4] == _END_64:
            disk, first_disk, _, count, size, offset = struct.unpack_from("<2L4Q", record, 16)
            return position, disk, first_disk, count, size, offset
    return None


def _is_entry(file: IO[bytes], start: int) -> bool:
    file.seek(start)
    return file.read(4) == _ENTRY


def _entries(data: bytes, shift: int) -> Iterator[ZipEntry]:
    """Yield the entries (4.3.12) until the end, or until one cannot be read."""
    place = 0
    while place + 46 <= len(data) and data[place : place + 4] == _ENTRY:
        flags, method = struct.unpack_from("<HH", data, place + 8)
        crc, packed, size, name_size, extra_size, comment_size = struct.unpack_from("<3L3H", data, place + 16)
        attributes, offset = struct.unpack_from("<LL", data, place + 38)
        name_end = place + 46 + name_size
        extra_end = name_end + extra_size
        if extra_end > len(data):
            return
        raw = data[place + 46 : name_end]
        extra = dict(_extra_fields(data[name_end:extra_end]))
        size, packed, offset = _sizes_64(extra.get(0x0001, b""), size, packed, offset)
        text = _decoded(raw, flags, extra.get(0x7075, b""))
        name = _tidy(text)
        yield ZipEntry(
            name=name,
            is_folder=text.endswith(("/", "\\")) or (not size and bool(attributes & _FOLDER_ATTRIBUTE)),
            is_outside=text.startswith(("/", "\\")) or bool(_DRIVE.match(text)) or ".." in name.split("/"),
            method=method,
            is_encrypted=bool(flags & 0x1) or method == 99,
            crc=crc,
            packed_size=packed,
            size=size,
            offset=offset + shift,
            mode=attributes >> 16,
        )
        place = extra_end + comment_size


def _extra_fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (id, content) of the extra fields (4.5), until one is longer than what is left."""
    place = 0
    while place + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, place)
        if place + 4 + size > len(data):
            return
        yield kind, data[place + 4 : place + 4 + size]
        place += 4 + size


def _sizes_64(field: bytes, *numbers: int) -> tuple[int, ...]:
    """Return size, packed size and offset; the zip64 field (4.5.3) has those that need more than 32 bits."""
    wide = iter(struct.unpack_from(f"<{len(field) // 8}Q", field))
    return tuple(next(wide, number) if number == _MAX_32 else number for number in numbers)


def _decoded(raw: bytes, flags: int, unicode_path: bytes) -> str:
    """Return the name of an entry; bytes that are not UTF-8 as surrogates, if the zip says that they are UTF-8.

    Info-ZIP's Unicode path field has a version, the CRC-32 of the name that it replaces, and the name in UTF-8.
    Programs that rename an entry without knowing the field leave it, so the CRC must fit.
    """
    if unicode_path[:1] == b"\x01" and unicode_path[1:5] == struct.pack("<L", zlib.crc32(raw)):
        try:
            return unicode_path[5:].decode()
        except UnicodeDecodeError:
            pass
    if flags & 0x800:
        return raw.decode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _tidy(name: str) -> str:
    """Return a name with / between its parts, without empty parts and `.`; an absolute one begins with /."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", "."}]
    start = "/" if name.startswith(("/", "\\")) else ""
    return start + text_escaped("/".join(parts)) or "unnamed"

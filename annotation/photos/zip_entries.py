"""Reads the files in a zip. Pure.

Each file is unpacked in memory, in pieces, and never beyond its limit. So a file that says it is small and is not costs
no memory, whatever its compression. Python's zipfile limits this only for Deflate.
"""

import bz2
import lzma
import os
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from annotation.language import gettext_noop
from annotation.photos.decoding import PhotoRejected
from annotation.photos.zip_directory import ZipEntry

_MEGABYTE = 1024 * 1024
_PIECE = 256 * 1024  # compressed bytes at a time
_SMALLEST_DICTIONARY = 4096  # bytes; the format's minimum

#: Compression methods that are not supported, by the numbers of APPNOTE.TXT 4.4.5.
_METHODS = {
    1: "Shrink",
    2: "Reduce",
    3: "Reduce",
    4: "Reduce",
    5: "Reduce",
    6: "Implode",
    9: "Deflate64",
    10: "PKWARE Implode",
    16: "IBM z/OS CMPSC",
    18: "IBM TERSE",
    19: "IBM LZ77",
    20: "Zstandard",
    93: "Zstandard",
    94: "MP3",
    96: "JPEG recompression",
    97: "WavPack",
    98: "PPMd",
}


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def entry_bytes(handle: int, entry: ZipEntry, *, most_bytes: int) -> bytes:
    """Return the bytes of one file in a zip.

    handle: file descriptor of the zip; several threads may share it. most_bytes: limit of the unpacked file. Raises
    PhotoRejected when the file breaks the limit, is damaged, is not supported or is not a file.
    """
    if entry.is_outside:
        raise PhotoRejected(gettext_noop("Its name points to a folder outside the zip."))
    if stat.S_ISLNK(entry.mode):
        raise PhotoRejected(gettext_noop("It is a link to another file, not a photo."))
    if entry.name.lower().endswith(".zip"):
        raise PhotoRejected(gettext_noop("Zips inside zips are not supported. Import it separately."))
    if entry.is_encrypted:
        raise PhotoRejected(gettext_noop("It is encrypted. Import an unencrypted zip."))
    if entry.method not in _UNPACKERS:
        name = _METHODS.get(entry.method, f"method {entry.method}")
        raise PhotoRejected(
            gettext_noop("It is compressed with %(name)s, which is not supported. Make the zip with Deflate.")
            % {"name": name}
        )
    _size_check(entry.size, most_bytes)
    try:
        data = _unpacked(handle, entry)
    except PhotoRejected:
        raise
    except Exception as error:  # each library raises others, and one bad file must not stop the import
        raise _damaged(str(error) or type(error).__name__) from error
    if len(data) != entry.size:
        raise _damaged(
            gettext_noop("it is longer than the zip says")
            if len(data) > entry.size
            else gettext_noop("its end is missing")
        )
    if zlib.crc32(data) != entry.crc:
        raise _damaged(gettext_noop("its checksum is wrong"))
    return data


def _unpacked(handle: int, entry: ZipEntry) -> bytes:
    """Return the unpacked bytes: at most one more than announced, which shows that the list of files is wrong."""
    pieces = _Pieces(handle, entry)
    unpacker = _UNPACKERS[entry.method](pieces, entry)
    if unpacker is None:
        return b"".join(pieces)
    found = bytearray()
    for piece in pieces:
        given: bytes | None = piece
        while given is not None and not unpacker.eof and len(found) <= entry.size:
            found += unpacker.decompress(given, entry.size + 1 - len(found))
            given = _left(unpacker)
    return bytes(found)


def _left(unpacker: _Decompressor) -> bytes | None:
    """Return what to give to a decompressor next; None when it needs new bytes.

    zlib returns what it did not use. The others keep it, and go on when they get nothing.
    """
    if hasattr(unpacker, "needs_input"):
        return None if unpacker.needs_input else b""
    return getattr(unpacker, "unconsumed_tail", b"") or None


class _Pieces:
    """The compressed bytes of an entry, in pieces."""

    def __init__(self, handle: int, entry: ZipEntry) -> None:
        self.handle = handle
        header = os.pread(handle, 30, entry.offset)  # APPNOTE.TXT 4.3.7
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise _damaged(gettext_noop("the zip has no file at this place"))
        name_size, extra_size = struct.unpack_from("<HH", header, 26)
        self.place = entry.offset + 30 + name_size + extra_size
        self.end = self.place + entry.packed_size

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes. Raises PhotoRejected when fewer are left."""
        data = os.pread(self.handle, min(size, self.end - self.place), self.place)
        self.place += len(data)
        if len(data) < size:
            raise _damaged(gettext_noop("its end is missing"))
        return data

    def __iter__(self) -> Iterator[bytes]:
        while self.place < self.end:
            yield self.take(min(_PIECE, self.end - self.place))


def _stored(pieces: _Pieces, entry: ZipEntry) -> None:
    if entry.packed_size != entry.size:
        raise _damaged(gettext_noop("it has two sizes"))


def _deflate(pieces: _Pieces, entry: ZipEntry) -> _Decompressor:
    return zlib.decompressobj(-zlib.MAX_WBITS)


def _bzip2(pieces: _Pieces, entry: ZipEntry) -> _Decompressor:
    return bz2.BZ2Decompressor()


def _lzma(pieces: _Pieces, entry: ZipEntry) -> _Decompressor:
    """Read the properties before the data (APPNOTE.TXT 5.8.8) and return their decompressor."""
    _, size = struct.unpack("<HH", pieces.take(4))
    properties = pieces.take(size)
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    (dictionary,) = struct.unpack_from("<L", properties, 1)
    # No photo needs a dictionary larger than itself, and a wrong number here would reserve gigabytes.
    dictionary = max(_SMALLEST_DICTIONARY, min(dictionary, entry.size))
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)


def _xz(pieces: _Pieces, entry: ZipEntry) -> _Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * entry.size + 64 * _MEGABYTE)


_UNPACKERS: dict[int, Callable[[_Pieces, ZipEntry], _Decompressor | None]] = {
    0: _stored,
    8: _deflate,
    12: _bzip2,
    14: _lzma,
    95: _xz,
}


def _size_check(size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise PhotoRejected(
            gettext_noop("The file is larger than the allowed %(limit)s MB.") % {"limit": most_bytes // _MEGABYTE}
        )


def _damaged(why: str) -> PhotoRejected:
    return PhotoRejected(gettext_noop("This entry of the zip is damaged (%(why)s).") % {"why": why})

"""The structure of a PNG file: chunks, EXIF and what it says about its colours. Does not use Django, decodes no pixels.

Source: W3C, Portable Network Graphics (third edition), 2025.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, PALETTE = 0, 2, 3  # colour types without alpha
PROFILE_BYTES = 4 * 1024 * 1024  # a longer profile is ignored; the largest printer profiles have about 3 MB
_CHANNELS = {GREY: 1, COLOUR: 3, PALETTE: 1, 4: 2, 6: 4}
# First column and row of each pass, and the steps.
_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
# The chunks that the pixels need. All others are left out before decoding, so none of them can stop it.
_NEEDED = {b"IHDR", b"PLTE", b"tRNS", b"IDAT"}


class Chunk(NamedTuple):
    """A chunk of a PNG. start: offset of its data. length: of its data, in bytes."""

    kind: bytes
    start: int
    length: int


@dataclass(frozen=True)
class PngFile:
    """The chunks of a PNG, and its header.

    has_end: whether the end chunk was found; `chunks` has it as the last one.
    """

    data: bytes
    chunks: tuple[Chunk, ...]
    has_end: bool
    width: int
    height: int
    depth: int
    """Bits per channel."""
    colour_type: int

    @property
    def frames(self) -> int:
        """Return the number of frames: 1 unless the file says that it is animated."""
        control = self.before_pixels(b"acTL")
        if len(control) < 8:
            return 1
        frames = int.from_bytes(control[:4], "big")
        if frames == 1 and not self.before_pixels(b"fcTL"):
            return 2  # the picture is not part of the animation
        return max(1, frames)

    @property
    def transparency(self) -> bytes:
        """Return the data of the chunk tRNS, or b""."""
        return self.before_pixels(b"tRNS")

    @property
    def profile(self) -> bytes:
        """Return the decompressed colour profile, or b"" when there is none or it cannot be read."""
        _name, _, rest = self.before_pixels(b"iCCP").partition(b"\0")
        if rest[:1] != b"\0":
            return b""
        unpacker = zlib.decompressobj()
        try:
            profile = unpacker.decompress(rest[1:], PROFILE_BYTES)
        except zlib.error:
            return b""
        return b"" if unpacker.unconsumed_tail else profile

    @property
    def is_interlaced(self) -> bool:
        """Return whether the rows come in the seven passes of Adam7."""
        return self.data[self.chunks[0].start + 12] == 1

    @property
    def unpacked_bytes(self) -> int:
        """Return the length of the unpacked pixels in bytes, with a byte for the filter of each row."""
        bits = self.depth * _CHANNELS.get(self.colour_type, 1)
        passes = _ADAM7 if self.is_interlaced else [(0, 0, 1, 1)]
        sizes = [(-(-(self.width - x) // dx), -(-(self.height - y) // dy)) for x, y, dx, dy in passes]
        return sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sizes if columns > 0 and rows > 0)

    def pixel_parts(self) -> Iterator[bytes]:
        """Yield the data of the pixel chunks."""
        for chunk in self.chunks:
            if chunk.kind == b"IDAT":
                yield self.data[chunk.start : chunk.start + chunk.length]

    def before_pixels(self, kind: bytes) -> bytes:
        """Return the data of the first chunk of a kind before the pixels, or b"".

        Decoders ignore chunks with a wrong checksum that are not needed for the pixels; so does this.
        """
        for chunk in self.chunks:
            if chunk.kind == b"IDAT":
                return b""
            if chunk.kind == kind and self.has_right_checksum(chunk):
                return self.data[chunk.start : chunk.start + chunk.length]
        return b""

    def has_right_checksum(self, chunk: Chunk) -> bool:
        """Return whether the checksum of a chunk fits its data."""
        end = chunk.start + chunk.length
        found = zlib.crc32(memoryview(self.data)[chunk.start - 4 : end])
        return found.to_bytes(4, "big") == self.data[end : end + 4]

    def needed(self) -> bytes:
        """Return a PNG with only the chunks that the pixels need. Transparency of grey and RGB is left out too."""
        kept = _NEEDED if self.colour_type == PALETTE else _NEEDED - {b"tRNS"}
        view = memoryview(self.data)
        parts = [view[c.start - 8 : c.start + c.length + 4] for c in self.chunks if c.kind in kept]
        return b"".join([SIGNATURE, *parts, struct.pack(">I", 0), b"IEND", struct.pack(">I", zlib.crc32(b"IEND"))])


def png_read(data: bytes) -> PngFile:
    """Read the chunks. Raises ValueError when the header is missing or wrong.

    A file that ends inside a chunk has the chunks before it.
    """
    chunks = []
    place = len(SIGNATURE)
    has_end = False
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        if place + 12 + length > len(data):
            break
        chunks.append(Chunk(kind, place + 8, length))
        place += 12 + length
        if kind == b"IEND":
            has_end = True
            break
    if not chunks or chunks[0].kind != b"IHDR" or chunks[0].length < 13:
        raise ValueError("it has no header")
    width, height, depth, colour_type = struct.unpack_from(">IIBB", data, chunks[0].start)
    return PngFile(data, tuple(chunks), has_end, width, height, depth, colour_type)

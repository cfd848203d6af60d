"""A PNG without metadata. Does not use Django, decodes no pixels.

Source: W3C, Portable Network Graphics (third edition), section 11.
"""

import zlib

from annotation.photos.metadata.exif import orientation_exif
from annotation.photos.orientation import UPRIGHT, exif_orientation
from annotation.photos.png_file import PROFILE_BYTES, SIGNATURE, Chunk, PngFile, png_read

_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
# Chunks of a fixed length that say how the colours are meant, with their lengths in bytes.
_COLOUR = {
    b"cICP": {4},
    b"sRGB": {1},
    b"gAMA": {4},
    b"cHRM": {32},
    b"sBIT": {1, 2, 3, 4},
    b"bKGD": {1, 2, 6},
    b"pHYs": {9},
    b"mDCV": {24},
    b"cLLI": {8},
}
_NAME_BYTES = 79  # the longest name of a profile


def png_parts(data: bytes) -> list[bytes | memoryview]:
    """Return the pieces of the file without metadata. Raises ValueError when it has no header.

    Kept: the pixels, the palette, transparency, what says how colours are meant (the profile without its name), and an
    EXIF that has only the orientation.
    """
    file = png_read(data)
    view = memoryview(data)
    orientation = exif_orientation(file.before_pixels(b"eXIf"))
    parts: list[bytes | memoryview] = [SIGNATURE]
    seen: set[bytes] = set()
    for chunk in file.chunks:
        if chunk.kind in _PICTURE:
            parts.append(view[chunk.start - 8 : chunk.start + chunk.length + 4])
            if chunk.kind == b"IDAT":
                seen |= {*_COLOUR, b"iCCP", b"eXIf"}  # behind the pixels they have no effect
            continue
        if chunk.kind in seen or not file.has_right_checksum(chunk):
            continue
        seen.add(chunk.kind)
        if chunk.length in _COLOUR.get(chunk.kind, ()):
            parts.append(view[chunk.start - 8 : chunk.start + chunk.length + 4])
        elif chunk.kind == b"iCCP":
            parts += _profile(file, chunk)
        elif chunk.kind == b"eXIf" and orientation != UPRIGHT:
            parts.append(_chunk(b"eXIf", orientation_exif(orientation)))
    return parts


def _profile(file: PngFile, chunk: Chunk) -> list[bytes]:
    """Return the chunk with the profile, without its name and without bytes behind the profile."""
    name, _, rest = file.data[chunk.start : chunk.start + chunk.length].partition(b"\0")
    if not 1 <= len(name) <= _NAME_BYTES or rest[:1] != b"\0":
        return []
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(rest[1:], PROFILE_BYTES)
    except zlib.error:
        return []
    packed = rest if unpacker.unconsumed_tail else rest[: len(rest) - len(unpacker.unused_data)]
    return [_chunk(b"iCCP", b"icc\0" + packed)]


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + checksum

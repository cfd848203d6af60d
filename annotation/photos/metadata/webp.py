"""A WebP without metadata. Does not use Django, decodes no pixels.

Source: RFC 9649, WebP Image Format, section 2.
"""

from collections.abc import Iterator

from annotation.photos.metadata.exif import orientation_exif
from annotation.photos.orientation import UPRIGHT, exif_orientation

_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04
_PICTURES = {b"VP8 ", b"VP8L"}
_ONCE = {b"VP8X", b"ICCP", b"ANIM", b"ALPH"}
_EXTENDED_BYTES, _FRAME_BYTES = 10, 16


def webp_parts(data: bytes) -> list[bytes | memoryview]:
    """Return the pieces of the file without metadata. Raises ValueError when it has no picture.

    Kept: the picture, transparency, the colour profile, and an EXIF that has only the orientation. Chromium does not
    turn a WebP by its EXIF, but other programs do.
    """
    view = memoryview(data)
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    is_extended = data[12:16] == b"VP8X" and len(data) >= 30
    flags = data[20] if is_extended else 0
    parts: list[bytes | memoryview] = []
    seen: set[bytes] = set()
    for kind, content in _chunks(view, 12, end):
        if kind in seen or (not is_extended and parts):
            continue
        if kind in _PICTURES:
            seen |= _PICTURES
            parts += _chunk(kind, content)
        elif kind == b"VP8X" and not parts:
            seen.add(kind)
        elif is_extended and kind in _ONCE:
            seen.add(kind)
            parts += _chunk(kind, content)
        elif is_extended and kind == b"ANMF":
            inside = _chunks(content, _FRAME_BYTES, len(content))
            frame = [part for one, piece in inside if one in {*_PICTURES, b"ALPH"} for part in _chunk(one, piece)]
            parts += _chunk(kind, b"".join([content[:_FRAME_BYTES], *frame]))
            seen |= _PICTURES
        elif kind == b"EXIF" and flags & _EXIF_FLAG:
            seen.add(kind)
            tiff = bytes(content)
            orientation = exif_orientation(tiff.removeprefix(b"Exif\0\0"))
            if orientation != UPRIGHT:
                parts += _chunk(kind, orientation_exif(orientation))
            else:
                flags &= ~_EXIF_FLAG
    if not seen & _PICTURES:
        raise ValueError("it has no picture")
    if is_extended:
        flags &= ~_XMP_FLAG if b"EXIF" in seen else ~(_XMP_FLAG | _EXIF_FLAG)
        head = bytes([flags, 0, 0, 0]) + bytes(view[24 : 20 + _EXTENDED_BYTES])
        parts = [*_chunk(b"VP8X", head), *parts]
    size = 4 + sum(map(len, parts))
    return [b"RIFF" + size.to_bytes(4, "little") + b"WEBP", *parts]


def _chunks(view: memoryview, place: int, end: int) -> Iterator[tuple[bytes, memoryview]]:
    while place + 8 <= end:
        length = int.from_bytes(view[place + 4 : place + 8], "little")
        if place + 8 + length > end:
            return
        yield bytes(view[place : place + 4]), view[place + 8 : place + 8 + length]
        place += 8 + length + length % 2


def _chunk(kind: bytes, content: bytes | memoryview) -> list[bytes | memoryview]:
    return [kind + len(content).to_bytes(4, "little"), content, bytes(len(content) % 2)]

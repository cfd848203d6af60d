"""A JPEG without metadata. Does not use Django, decodes no pixels.

Source: ITU-T T.81, annex B; JFIF 1.02; ICC.1:2022, annex B.4.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from annotation.photos.jpeg_file import FRAMES, JpegFile, Segment, jpeg_read, jpeg_segments
from annotation.photos.metadata.exif import orientation_exif
from annotation.photos.orientation import UPRIGHT, exif_orientation

_END, _SCAN = 0xD9, 0xDA
# Tables, frame headers, the restart interval and scan headers. Decoders check their lengths, so they have no room for
# anything else.
_PICTURE = {*FRAMES, 0xC4, 0xCC, 0xDB, 0xDD, _SCAN}
_JFIF_BYTES = 14  # without the thumbnail
_ADOBE_BYTES = 12
_BLOCK = 1 << 20  # bytes searched at a time
_PROFILE = b"ICC_PROFILE\0"


def jpeg_parts(data: bytes) -> list[bytes | memoryview]:
    """Return the pieces of the file without metadata. Raises ValueError when it has no picture.

    Kept: the picture, JFIF without its thumbnail, Adobe's colour code, the colour profile, and an EXIF that has only
    the orientation. Everything after the end mark goes, so also the further pictures of an MPO file.
    """
    file = jpeg_read(data)
    view = memoryview(data)
    parts: list[bytes | memoryview] = [b"\xff\xd8", *_head(file)]
    place = file.segments[-1].end
    markers = _markers(data, place)
    while True:
        after_place = np.searchsorted(markers, place)
        if after_place == len(markers):  # cameras write files without an end mark
            parts.append(view[place:])
            return parts
        end = int(markers[after_place])
        parts.append(view[place:end])
        after = _after_scan(jpeg_segments(data, end))
        parts += [_written(segment) for segment in after]
        if not after or after[-1].marker != _SCAN:
            parts.append(b"\xff\xd9")
            return parts
        place = after[-1].end


def _markers(data: bytes, place: int) -> npt.NDArray[np.intp]:
    """Return the offsets from a place on at which the data of a scan would end.

    In these data, 0xFF is followed by 0, and by 0xD0 … 0xD7 for a restart. A regular expression takes 20 times
    as long.
    """
    octets = np.frombuffer(data, np.uint8)
    found = [np.zeros(0, np.intp)]
    for start in range(place, len(octets) - 1, _BLOCK):
        here = octets[start : start + _BLOCK]
        following = octets[start + 1 : start + 1 + _BLOCK]
        here = here[: len(following)]
        is_marker = (here == 0xFF) & (following != 0) & (following != 0xFF) & (following & 0xF8 != 0xD0)
        found.append(np.flatnonzero(is_marker) + start)
    return np.concatenate(found)


def _head(file: JpegFile) -> list[bytes]:
    """Return the segments to keep up to the first scan."""
    orientation = exif_orientation(file.exif)
    profile = _profile_segments(file)
    parts = []
    for segment in file.segments:
        if segment.marker in _PICTURE:
            parts.append(_written(segment))
        elif segment.marker == 0xE0 and segment.data.startswith(b"JFIF\0") and len(segment.data) >= _JFIF_BYTES:
            parts.append(_segment(0xE0, segment.data[: _JFIF_BYTES - 2] + b"\0\0"))
        elif segment.marker == 0xEE and segment.data.startswith(b"Adobe") and len(segment.data) >= _ADOBE_BYTES:
            parts.append(_segment(0xEE, segment.data[:_ADOBE_BYTES]))
        elif segment in profile:
            parts.append(_written(segment))
        elif orientation != UPRIGHT and segment.marker == 0xE1 and segment.data[6:] == file.exif:
            parts.append(_segment(0xE1, b"Exif\0\0" + orientation_exif(orientation)))
            orientation = UPRIGHT  # only once
    return parts


def _profile_segments(file: JpegFile) -> set[Segment]:
    """Return the segments of a complete colour profile. Segments behind it are not used (`JpegFile.profile`)."""
    kept: dict[int, Segment] = {}
    if file.profile:
        for segment in file.segments:
            is_piece = segment.marker == 0xE2 and segment.data.startswith(_PROFILE)
            if is_piece and len(segment.data) >= len(_PROFILE) + 2:
                number, count = segment.data[len(_PROFILE) : len(_PROFILE) + 2]
                kept.setdefault(number, segment)
                if len(kept) == count:
                    break
    return set(kept.values())


def _after_scan(segments: Iterable[Segment]) -> list[Segment]:
    """Return the tables after a scan up to the header of the next one. Without a next one, nothing of them is used."""
    kept: list[Segment] = []
    for segment in segments:
        if segment.marker == _SCAN:
            return [*kept, segment]
        if segment.marker not in _PICTURE and not (0xE0 <= segment.marker <= 0xEF or segment.marker in {0xFE, 0xDC}):
            break  # the end mark, or the start of another picture
        if segment.marker in _PICTURE:
            kept.append(segment)
    return []


def _written(segment: Segment) -> bytes:
    return _segment(segment.marker, segment.data)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content

"""The structure of a JPEG file: segments, EXIF, colour profile and scans. Does not use Django, decodes no pixels.

Source: ITU-T T.81, annex B; ICC.1:2022, annex B.4 for the profile; CIPA DC-008 (EXIF), section 4.7.2.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xCA}
# Comments and application segments, without APP0 (JFIF) and APP14 (Adobe), which say how colours are coded.
_BESIDE_PICTURE = {0xFE, *range(0xE1, 0xEE), 0xEF}
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
# The next marker in compressed data: 0xFF is followed by 0 in data, and by 0xD0 … 0xD7 for a restart.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")


class Segment(NamedTuple):
    """A marker with its data, without the two bytes of the length."""

    marker: int
    data: bytes
    end: int
    """Offset of the first byte behind it."""


@dataclass(frozen=True)
class JpegFile:
    """The segments of a JPEG up to its first scan.

    width, height: pixels as stored. components: 1 for grey, 3 for colour, 4 for CMYK. frame: the marker of the frame
    header, 0xC0 … 0xCF.
    """

    width: int
    height: int
    components: int
    frame: int
    segments: tuple[Segment, ...]

    @property
    def exif(self) -> bytes:
        """Return the TIFF structure of the first EXIF segment that is not empty, or b""."""
        for segment in self.segments:
            if segment.marker == 0xE1 and segment.data.startswith(b"Exif\0") and len(segment.data) > 6:
                return segment.data[6:]
        return b""

    @property
    def profile(self) -> bytes:
        """Return the colour profile, or b"" when there is none or a piece of it is missing.

        Segments behind a complete profile are ignored, as Chromium does.
        """
        name = b"ICC_PROFILE\0"
        pieces: dict[int, bytes] = {}
        count = 0
        for segment in self.segments:
            if segment.marker != 0xE2 or not segment.data.startswith(name) or len(segment.data) < len(name) + 2:
                continue
            number, of = segment.data[len(name) : len(name) + 2]
            count = count or of
            if of != count or not 1 <= number <= count:
                return b""
            pieces.setdefault(number, segment.data[len(name) + 2 :])
            if len(pieces) == count:
                return b"".join(pieces[place] for place in sorted(pieces))
        return b""

    def needed(self, data: bytes) -> bytes:
        """Return the file without the segments that the pixels do not need, such as profiles and comments.

        Numbers in the header that make libjpeg warn, but that it ignores, are put right: the version of JFIF, Adobe's
        colour code, and the range of coefficients of a sequential scan.
        """
        view = memoryview(data)
        parts = []
        for segment in self.segments:
            if segment.marker in _BESIDE_PICTURE or segment.marker in {_START, _END}:
                continue
            content = bytearray(segment.data)
            if segment.marker == 0xE0 and content.startswith(b"JFIF\0"):
                content[5:7] = b"\1\1"
            elif segment.marker == 0xEE and content.startswith(b"Adobe") and len(content) > 11 and content[11] > 2:
                content[11] = 1 if self.components == 3 else 2
            elif segment.marker == _SCAN and self.frame not in _PROGRESSIVE:
                content[-3:] = b"\0\x3f\0"
            parts.append(bytes([0xFF, segment.marker]) + (len(content) + 2).to_bytes(2, "big") + content)
        return b"".join([b"\xff\xd8", *parts, view[self.segments[-1].end :]])


def jpeg_read(data: bytes) -> JpegFile:
    """Read the segments up to the first scan. Raises ValueError when there is no frame header or no scan."""
    segments: list[Segment] = []
    frame: Segment | None = None
    for segment in jpeg_segments(data):
        segments.append(segment)
        if segment.marker in FRAMES:
            frame = segment
        if segment.marker == _SCAN:
            break
        if segment.marker == _END:
            raise ValueError("it has no picture")
    else:
        raise ValueError("it ends before the picture")
    if frame is None or len(frame.data) < 6:
        raise ValueError("it has no frame header")
    height, width = int.from_bytes(frame.data[1:3], "big"), int.from_bytes(frame.data[3:5], "big")
    return JpegFile(width, height, frame.data[5], frame.marker, tuple(segments))


def jpeg_has_all_scans(data: bytes, file: JpegFile) -> bool:
    """Return whether the scans carry every coefficient of every component to its last bit.

    A sequential picture with all components in one scan needs no search. Otherwise the whole file is searched for
    scans, at about a gigabyte per second.
    """
    frame = next(segment for segment in file.segments if segment.marker == file.frame)
    names = [frame.data[6 + 3 * place] for place in range(file.components) if 6 + 3 * place < len(frame.data)]
    last = 64 if file.frame in _PROGRESSIVE else 1
    missing = {(name, coefficient) for name in names for coefficient in range(last)}
    for scan in _scans(data, file):
        count = scan.data[0] if scan.data else 0
        if len(scan.data) < 4 + 2 * count:
            continue
        first, final, approximation = scan.data[1 + 2 * count : 4 + 2 * count]
        for place in range(count):
            if last == 1:
                missing.discard((scan.data[1 + 2 * place], 0))
            elif approximation & 15 == 0:
                missing -= {(scan.data[1 + 2 * place], coefficient) for coefficient in range(first, final + 1)}
        if not missing:
            return True
    return False


def jpeg_scan_count(data: bytes, file: JpegFile) -> int:
    """Return the number of scans up to the end mark. Usually 1, and then the rest of the file is not parsed."""
    if data.find(b"\xff\xda", file.segments[-1].end) < 0:
        return 1
    return sum(1 for _ in _scans(data, file))


def jpeg_coefficient_bytes(file: JpegFile) -> int:
    """Return the bytes of all coefficients at full size: two for each sample of each component."""
    frame = next(segment for segment in file.segments if segment.marker == file.frame)
    factors = [(size >> 4, size & 15) for size in frame.data[7 : 7 + 3 * file.components : 3]]
    across, down = (max((factor[axis] for factor in factors), default=1) for axis in (0, 1))
    samples = sum(horizontal * vertical for horizontal, vertical in factors) / max(1, across * down)
    return int(2 * samples * file.width * file.height)


def jpeg_end(data: bytes, file: JpegFile) -> int:
    """Return the offset of the end marker, or -1 when there is none."""
    return data.find(b"\xff\xd9", file.segments[-1].end)


def _scans(data: bytes, file: JpegFile) -> Iterator[Segment]:
    """Yield the headers of all scans up to the end marker."""
    yield file.segments[-1]
    place = file.segments[-1].end
    while found := _MARKER.search(data, place):
        marker = found.group(1)[0]
        place = found.end()
        if marker == _END:
            return
        if marker in _ALONE or marker == _START:
            continue
        length = int.from_bytes(data[place : place + 2], "big")
        segment = Segment(marker, data[place + 2 : place + length], place + length)
        place = segment.end if length >= 2 else place
        if marker == _SCAN:
            yield segment


def jpeg_segments(data: bytes, place: int = 2) -> Iterator[Segment]:
    """Yield the segments from a place on, by default from the start. Skip bytes between segments, as libjpeg does."""
    while True:
        place = data.find(b"\xff", place)
        if place < 0:
            return
        while place < len(data) and data[place] == 0xFF:
            place += 1
        if place >= len(data):
            return
        marker = data[place]
        place += 1
        if marker == 0 or marker in _ALONE:
            continue
        if marker in {_START, _END}:
            yield Segment(marker, b"", place)
            continue
        length = int.from_bytes(data[place : place + 2], "big")
        if length < 2 or place + length > len(data):
            return
        yield Segment(marker, data[place + 2 : place + length], place + length)
        place += length

"""What decoding a photo costs, known from its header before it is decoded: memory, and passes over the picture. Pure.

A small file can need much memory (a compressed flat PNG) or much time (a JPEG whose scans repeat). Both are refused
before decoding. `annotation.photos.sandbox` limits what a header cannot tell.
"""

import re
from collections.abc import Callable
from typing import IO

from PIL import Image

from annotation.photos.rejection import PhotoRejected

MEGABYTE = 1024 * 1024
MAX_BYTES = 1536 * MEGABYTE
#: A decoder passes over the whole picture once for each scan of a JPEG. Progressive photos have about 10.
MAX_SCANS = 100

#: Photos of up to a megapixel, for which it is not worth to ask for memory.
SMALL_BYTES = 16 * MEGABYTE

#: A function that waits until this many bytes may be used, and returns then.
Reserve = Callable[[int], None]

# Bytes per pixel of Pillow's modes. Every other mode takes 4.
_STORED = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
# Copies of 4 bytes per pixel: turned upright, converted from its colour profile, converted to RGB.
_COPIES = 12
# Also the picture with transparency, the ground behind it, and both together.
_COPIES_TRANSPARENT = 20
# Buffers of the decoders themselves. WebP holds two canvases and a copy, AVIF its planes in up to 16 bits and a copy.
_BUFFERS = {"WEBP": 12, "AVIF": 12}

# A marker in a JPEG: not a stuffed byte (FF 00), a restart marker (FF D0 … FF D7) or a fill byte (FF FF).
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_WITHOUT_LENGTH = {0x01, _START}


def unlimited(size: int) -> None:
    """Reserve nothing: for callers that decode one photo at a time."""


class DecodingCost:
    """What decoding an opened picture costs. Raises PhotoRejected if a JPEG has more than MAX_SCANS scans.

    `source`: the file that the picture was opened from. Its position stays the same.
    """

    def __init__(self, picture: Image.Image, source: IO[bytes]) -> None:
        self._picture = picture
        self._coefficients = 0
        if picture.format in {"JPEG", "MPO"}:
            place = source.tell()
            source.seek(0)
            scans = jpeg_scans(source.read())
            source.seek(place)
            if scans > MAX_SCANS:
                raise PhotoRejected(f"The JPEG has {scans:,} scans. At most {MAX_SCANS} are allowed.")
            if scans > 1:  # the decoder keeps every coefficient until the last scan
                self._coefficients = _coefficient_bytes(picture)

    def memory(self) -> int:
        """Return how many bytes decoding takes at its peak, with the conversion to upright RGB, at the present size.

        The size is smaller after `picture.draft`. An upper estimate; the bytes of the file are not included.
        """
        picture = self._picture
        stored = _STORED.get(picture.mode, 4)
        copies = _COPIES_TRANSPARENT if picture.has_transparency_data else _COPIES
        buffers = _BUFFERS.get(str(picture.format), 0)
        return picture.width * picture.height * (stored + copies + buffers) + self._coefficients

    def check(self, max_bytes: int) -> None:
        """Raise PhotoRejected if decoding takes more than `max_bytes` at the present size."""
        needed = self.memory()
        if needed > max_bytes:
            raise PhotoRejected(
                f"Decoding needs more than the allowed {max_bytes // MEGABYTE:,} MB of memory: "
                f"about {needed / MEGABYTE:,.0f} MB for {self._picture.width} × {self._picture.height} pixels."
            )


def jpeg_scans(data: bytes) -> int:
    """Return the number of scans in the first picture of a JPEG. 0 if there is none before the data ends."""
    scans, place = 0, 2
    while marker := _MARKER.search(data, place):
        kind, place = data[marker.start() + 1], marker.end()
        if kind == _END:
            break
        if kind in _WITHOUT_LENGTH:
            continue
        if kind == _SCAN:
            scans += 1
            if scans == 1 and data.find(b"\xff\xda", place) < 0:
                break  # the usual case: nothing else needs to be read
        place += int.from_bytes(data[place : place + 2], "big")
    return scans


def _coefficient_bytes(picture: Image.Image) -> int:
    """Return the bytes of a JPEG's coefficients: two for each sample of each component, at full size."""
    layers: list[tuple[int, int, int, int]] = getattr(picture, "layer", [])
    if not layers:
        return 0
    across, down = max(layer[1] for layer in layers), max(layer[2] for layer in layers)
    samples = sum(layer[1] * layer[2] for layer in layers) / max(1, across * down)
    return int(2 * samples * picture.width * picture.height)

"""How much memory decoding a photo takes, known from its header before it is decoded. Pure.

A small file can need much memory (a compressed flat PNG). It is refused before decoding. `annotation.photos.sandbox`
limits what a header cannot tell.
"""

from collections.abc import Callable

from annotation.language import gettext_noop
from annotation.photos.rejected import PhotoRejected
from annotation.photos.stored_picture import StoredPicture

MEGABYTE = 1024 * 1024
MAX_BYTES = 1536 * MEGABYTE

#: Photos of up to a megapixel, for which it is not worth to ask for memory.
SMALL_BYTES = 16 * MEGABYTE

#: A function that waits until this many bytes may be used, and returns then.
Reserve = Callable[[int], None]

# Copies of 4 bytes per pixel: turned upright, converted from its colour profile, converted to RGB.
_COPIES = 12
# Also the picture with transparency, the ground behind it, and both together.
_COPIES_TRANSPARENT = 20


def unlimited(size: int) -> None:
    """Reserve nothing: for callers that decode one photo at a time."""


class DecodingCost:
    """What decoding a picture costs. `at_least`: the argument of `StoredPicture.decode`."""

    def __init__(self, stored: StoredPicture, at_least: int = 0) -> None:
        self._stored = stored
        scale = stored.scale(at_least) if at_least else 1
        self._pixels = -(-stored.width // scale) * -(-stored.height // scale)

    def memory(self) -> int:
        """Return how many bytes decoding takes at its peak, with the conversion to upright sRGB.

        An upper estimate; the bytes of the file are not included.
        """
        copies = _COPIES_TRANSPARENT if self._stored.is_transparent else _COPIES
        return self._pixels * (self._stored.decoder_bytes + copies) + self._stored.kept_bytes

    def check(self, max_bytes: int) -> None:
        """Raise PhotoRejected if decoding takes more than `max_bytes`."""
        needed = self.memory()
        if needed > max_bytes:
            raise PhotoRejected(
                gettext_noop(
                    "Decoding needs more than the allowed %(max_bytes)s MB of memory: about %(needed)s MB for "
                    "%(width)s × %(height)s pixels."
                )
                % {
                    "max_bytes": f"{max_bytes // MEGABYTE:,}",
                    "needed": f"{needed / MEGABYTE:,.0f}",
                    "width": self._stored.width,
                    "height": self._stored.height,
                }
            )

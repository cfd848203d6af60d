"""A picture whose header has been read. Does not use Django."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from annotation.photos.colour import ColourTransform


def full_size(at_least: int) -> int:
    """Return 1: most decoders cannot reduce a picture."""
    return 1


@dataclass(frozen=True)
class StoredPicture:
    """A picture as its file stores it. Only the header has been read.

    width, height: pixels as stored. orientation: 1 … 8, as in EXIF. colour: how to convert it to sRGB, None when
    nothing is to be done.

    decode: returns the pixels as an 8-bit picture (L, RGB or CMYK) and, if some are transparent, the alpha channel
    (mode L). Its argument is a side in pixels; a JPEG is decoded no smaller than that, at 1/2, 1/4 or 1/8 of its size;
    0 means full size. Raises PhotoRejected when the picture is damaged, and anything that a decoder raises.

    What decoding costs: decoder_bytes, per decoded pixel, of the decoder's result and its own buffers; kept_bytes, of
    what the decoder keeps at any size; scale, by how much `decode` reduces the sides for its argument.
    """

    format: str
    width: int
    height: int
    orientation: int
    is_animated: bool
    colour: ColourTransform | None
    decode: Callable[[int], tuple[Image.Image, Image.Image | None]]
    decoder_bytes: int = 4
    is_transparent: bool = False
    kept_bytes: int = 0
    scale: Callable[[int], int] = full_size

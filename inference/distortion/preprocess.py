"""The conversion that all detectors share: a picture of any mode to arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

#: Larger photos are scaled down to this long side, in pixels.
LONG_SIDE = 1024


@dataclass(frozen=True)
class Planes:
    """The arrays that the detectors measure."""

    grey: NDArray[np.uint8]
    """Luma [H, W], 0 … 255 (ITU-R BT.601 as Pillow computes it), at the fixed resolution."""
    grey_counts: NDArray[np.int64]
    """How often each value occurs in `grey`, [256]."""
    brightest_counts: NDArray[np.int64]
    """The same for the maximum of red, green and blue, [256]."""
    native: NDArray[np.uint8]
    """Luma at the original resolution: `grey` itself, or the centre of a larger photo, at most 1,024 pixels a side."""


def planes_of(picture: Image.Image) -> Planes:
    """Return the arrays for a picture of any mode and any size from 1 × 1.

    Thresholds on differences between neighbouring pixels depend on the resolution, so larger photos are scaled down to
    a fixed one. Smaller photos are not enlarged, because interpolation would blur them. Transparent pixels become
    white; of 16-bit values the upper 8 bits are used.
    """
    native = picture = _rgb_or_grey(picture)
    longest = max(picture.size)
    if longest > LONG_SIDE:
        left, top = (max(0, (side - LONG_SIDE) // 2) for side in picture.size)
        native = picture.crop((left, top, min(picture.width, left + LONG_SIDE), min(picture.height, top + LONG_SIDE)))
        width, height = (max(1, round(side * LONG_SIDE / longest)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.HAMMING, reducing_gap=2.0)
    grey = picture.convert("L")
    brightest = grey
    if picture.mode == "RGB":
        red, green, blue = picture.split()
        brightest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    values = np.asarray(grey)
    return Planes(
        grey=values,
        grey_counts=np.array(grey.histogram()),
        brightest_counts=np.array(brightest.histogram()),
        native=np.asarray(native.convert("L")) if longest > LONG_SIDE else values,
    )


def _rgb_or_grey(picture: Image.Image) -> Image.Image:
    if picture.mode in {"RGB", "L"} and not picture.has_transparency_data:
        return picture
    if picture.mode.startswith("I"):  # Pillow's own conversion cuts 16-bit values at 255 instead of scaling
        return Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if picture.mode == "F":
        return Image.fromarray(np.nan_to_num(np.asarray(picture), nan=0.0).clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert({"La": "LA"}.get(picture.mode, "RGBA")).convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")

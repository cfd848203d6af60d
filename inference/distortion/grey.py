"""The one conversion that all four detectors share: any picture to grey values at a fixed resolution."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Long side in pixels above which a photo is brought down to it.
LONG_SIDE = 1024


def grey_of(picture: Image.Image) -> NDArray[np.uint8]:
    """Return a picture of any mode as grey values, uint8 [H, W], its long side at most 1,024 pixels.

    Thresholds on differences between neighbouring pixels depend on the resolution, so larger photos are
    brought to one. Smaller ones are never enlarged: interpolation would put blur into every one of them,
    and their pixels are all that there is to see. Transparent pixels lie on white, as people see them;
    of 16-bit values the upper 8 count.
    """
    grey = _on_white(picture)
    longest = max(grey.size)
    if longest > LONG_SIDE:
        width, height = (max(1, round(side * LONG_SIDE / longest)) for side in grey.size)
        grey = grey.resize((width, height), Image.Resampling.HAMMING, reducing_gap=2.0)
    return np.asarray(grey)


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # Pillow's own conversion cuts 16-bit values at 255 instead of scaling
        return Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("L")

"""Seven degradations of a photo, each in five grades: 0 none, 1 slight, 2 clear, 3 strong, 4 severe.

Lengths scale with the photo, so that a grade looks the same at every size.
"""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

GRADES = 5
#: Standard deviation of the blur in pixels, at a long side of 1,024.
BLUR_PIXELS = (0.0, 3.0, 5.5, 9.0, 15.0)
#: Length of the smear in pixels, at a long side of 1,024.
MOTION_PIXELS = (0.0, 20.0, 36.0, 58.0, 90.0)
#: Standard deviation of the noise on 0 … 255.
NOISE_LEVELS = (0.0, 18.0, 32.0, 50.0, 78.0)
#: Side of a grain of noise in pixels, at a long side of 1,024; never less than one pixel.
NOISE_GRAIN = 2.0
#: JPEG quality; photos without this degradation are saved with 92.
JPEG_QUALITIES = (92, 20, 12, 7, 3)
#: Stops of exposure lost or gained, in linear light.
UNDER_STOPS = (0.0, 1.7, 2.6, 3.6, 4.8)
OVER_STOPS = (0.0, 0.7, 1.3, 2.0, 2.8)
#: Share of the pixels not white before that overexposure clips; the stops above are the minimum. Stops alone would
#: improve many dark photos.
OVER_SHARES = (0.0, 0.15, 0.35, 0.55, 0.75)
#: Pixels left on the long side.
DOWNSCALE_SIDES = (0, 150, 100, 68, 44)

_WHITE = 250
_MOST_STOPS = 6.0

Pixels = npt.NDArray[np.floating[Any]]


def photo_degrade(photo: Image.Image, degradation: str, grade: int, rng: np.random.Generator) -> bytes:
    """Return the degraded photo as the bytes of a JPEG file.

    `degradation`: a key of DEGRADATIONS. `grade`: 0 … 4; grade 0 leaves the photo as it is.
    Raises KeyError or IndexError for anything else.
    """
    degraded = DEGRADATIONS[degradation](photo, grade, rng) if grade else photo
    quality = JPEG_QUALITIES[grade if degradation == "compression" else 0]
    buffer = io.BytesIO()
    degraded.save(buffer, "JPEG", quality=quality, subsampling=2 if degradation == "compression" else 0)
    return buffer.getvalue()


def _relative(photo: Image.Image) -> float:
    return max(photo.size) / 1024


def _blur(photo: Image.Image, grade: int, rng: np.random.Generator) -> Image.Image:
    return photo.filter(ImageFilter.GaussianBlur(BLUR_PIXELS[grade] * _relative(photo)))


def _motion(photo: Image.Image, grade: int, rng: np.random.Generator) -> Image.Image:
    """Each pass averages the photo with itself shifted twice as far as before, which doubles the smear."""
    pixels = np.asarray(photo, dtype=np.float32)
    length, angle = MOTION_PIXELS[grade] * _relative(photo), rng.uniform(0, np.pi)
    passes = max(1, int(np.ceil(np.log2(length))))
    rows, columns = np.arange(pixels.shape[0]), np.arange(pixels.shape[1])
    for power in range(passes):
        step = length * 2**power / 2**passes
        down = np.clip(rows + round(step * np.sin(angle)), 0, rows[-1])
        right = np.clip(columns + round(step * np.cos(angle)), 0, columns[-1])
        pixels = (pixels + pixels[down][:, right]) / 2
    return _picture(pixels)


def _noise(photo: Image.Image, grade: int, rng: np.random.Generator) -> Image.Image:
    """Luminance noise with some colour in it, with grains of the size that cameras produce."""
    grain = max(1.0, NOISE_GRAIN * _relative(photo))
    shape = (round(photo.height / grain), round(photo.width / grain))
    luminance = rng.standard_normal((*shape, 1), dtype=np.float32)
    colour = rng.standard_normal((*shape, 3), dtype=np.float32)
    noise = 0.85 * luminance + 0.5 * colour
    rows, columns = (np.arange(side) * small // side for side, small in zip(photo.size[::-1], shape, strict=True))
    pixels = np.asarray(photo, dtype=np.float32)
    return _picture(pixels + NOISE_LEVELS[grade] * noise[rows][:, columns])


def _compression(photo: Image.Image, grade: int, rng: np.random.Generator) -> Image.Image:
    return photo  # the file is written at a low quality


def _exposed(photo: Image.Image, stops: float) -> Image.Image:
    # A table of 256 entries: display values to linear light (exponent 2.2), gain, and back.
    table = np.clip(255 * ((np.arange(256) / 255) ** 2.2 * 2.0**stops) ** (1 / 2.2), 0, 255)
    return photo.point([int(value) for value in table] * 3)


def _underexposure(photo: Image.Image, grade: int, rng: np.random.Generator) -> Image.Image:
    return _exposed(photo, -UNDER_STOPS[grade])


def _overexposure(photo: Image.Image, grade: int, rng: np.random.Generator) -> Image.Image:
    grey = np.asarray(photo.convert("L"))
    open_pixels = grey[grey < _WHITE]
    level = max(1.0, float(np.quantile(open_pixels, 1 - OVER_SHARES[grade]))) if open_pixels.size else 255.0
    return _exposed(photo, min(_MOST_STOPS, max(OVER_STOPS[grade], 2.2 * float(np.log2(255 / level)))))


def _downscaling(photo: Image.Image, grade: int, rng: np.random.Generator) -> Image.Image:
    factor = max(1.0, max(photo.size) / DOWNSCALE_SIDES[grade])
    small = (max(8, round(photo.width / factor)), max(8, round(photo.height / factor)))
    return photo.resize(small, Image.Resampling.BOX).resize(photo.size, Image.Resampling.BICUBIC)


def _picture(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


DEGRADATIONS: dict[str, Callable[[Image.Image, int, np.random.Generator], Image.Image]] = {
    "blur": _blur,
    "motion blur": _motion,
    "noise": _noise,
    "compression": _compression,
    "underexposure": _underexposure,
    "overexposure": _overexposure,
    "downscaling": _downscaling,
}

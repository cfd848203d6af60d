"""Seven ways in which a photo is bad, each in five known grades: 0 none, 1 slight, 2 plain, 3 strong, 4 severe.

Lengths grow with the photo, so that a grade looks alike at every size.
"""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

GRADES = 5
#: Standard deviation of the blur in pixels, at a long side of 1,024.
BLUR_PIXELS = (0.0, 1.4, 2.8, 5.0, 9.0)
#: Length of the smear in pixels, at a long side of 1,024.
MOTION_PIXELS = (0.0, 8.0, 16.0, 30.0, 52.0)
#: Standard deviation of the noise on 0 … 255.
NOISE_LEVELS = (0.0, 12.0, 25.0, 42.0, 70.0)
#: JPEG quality; 92 is what photos without this fault are written with.
JPEG_QUALITIES = (92, 26, 14, 8, 4)
#: Stops of exposure lost or gained, in linear light.
UNDER_STOPS = (0.0, 1.0, 2.0, 3.0, 4.2)
OVER_STOPS = (0.0, 0.7, 1.3, 2.0, 2.9)
#: By what the resolution is divided, at a long side of 1,024: grade 4 leaves 102 pixels of any photo.
DOWNSCALE_FACTORS = (1.0, 2.6, 4.2, 6.5, 10.0)

Pixels = npt.NDArray[np.floating[Any]]


def photo_degrade(photo: Image.Image, degradation: str, grade: int, rng: np.random.Generator) -> bytes:
    """Return the photo, degraded, as the bytes of a JPEG file.

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
    pixels = np.asarray(photo, dtype=np.float32)
    luminance = rng.standard_normal((*pixels.shape[:2], 1), dtype=np.float32)
    colour = rng.standard_normal(pixels.shape, dtype=np.float32)
    return _picture(pixels + NOISE_LEVELS[grade] * (0.85 * luminance + 0.5 * colour))


def _compression(photo: Image.Image, grade: int, rng: np.random.Generator) -> Image.Image:
    return photo  # the file is written at a low quality


def _exposed(photo: Image.Image, stops: float) -> Image.Image:
    # A table of 256 entries: display values to linear light (exponent 2.2), gain, and back.
    table = np.clip(255 * ((np.arange(256) / 255) ** 2.2 * 2.0**stops) ** (1 / 2.2), 0, 255)
    return photo.point([int(value) for value in table] * 3)


def _underexposure(photo: Image.Image, grade: int, rng: np.random.Generator) -> Image.Image:
    return _exposed(photo, -UNDER_STOPS[grade])


def _overexposure(photo: Image.Image, grade: int, rng: np.random.Generator) -> Image.Image:
    return _exposed(photo, OVER_STOPS[grade])


def _downscaling(photo: Image.Image, grade: int, rng: np.random.Generator) -> Image.Image:
    factor = DOWNSCALE_FACTORS[grade] * _relative(photo)
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

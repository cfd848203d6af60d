"""Measures of a photo's pixels, from which simulated annotators compute their scores."""

import io
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from PIL import Image

#: Every photo is scaled to this long side in pixels, as a viewer fits it to the screen.
VIEWING_SIDE = 640
Grey = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PhotoMeasures:
    """Measures of one photo, each about 0 … 1.

    sharpness: strength of edges in the most blurred direction, logarithmic (1: every edge is sharp).
    noise: standard deviation of the noise in the tenth of the photo with the least detail (1: about 30 of 255).
    blockiness: excess of the steps at the borders of 8×8 blocks over those elsewhere (1: only blocks).
    clipping: share of colour values at the upper end of the range, 252 … 255.
    darkness: how far the bright parts are below mid-grey (1: night).
    contrast: spread of grey values, 5th to 95th percentile, as a share of the range.
    colourfulness: Hasler and Süsstrunk's M3 ('Measuring colourfulness in natural images', 2003) / 100.
    """

    sharpness: float
    noise: float
    blockiness: float
    clipping: float
    darkness: float
    contrast: float
    colourfulness: float


MEASURE_NAMES = tuple(field.name for field in fields(PhotoMeasures))


def photo_measure(data: bytes) -> PhotoMeasures:
    """Return the measures of an encoded photo. Raises Pillow's error (an OSError) when the bytes are not a photo."""
    with Image.open(io.BytesIO(data)) as picture:
        photo = picture.convert("RGB")
    scale = VIEWING_SIDE / max(photo.size)
    viewed = photo.resize(
        (max(16, round(photo.width * scale)), max(16, round(photo.height * scale))), Image.Resampling.BICUBIC
    )
    grey = np.asarray(viewed.convert("L"), dtype=np.float32)
    # Blocks are aligned to the pixels of the file; resizing would move them.
    stored = np.asarray(photo.convert("L"), dtype=np.float32)
    noise = _noise(grey)
    low, high = np.percentile(grey, (5, 95))
    bright = float(np.percentile(grey, 90))
    return PhotoMeasures(
        sharpness=_sharpness(grey, noise),
        noise=min(1.0, noise / 30),
        blockiness=_blockiness(stored),
        clipping=float((np.asarray(viewed) >= 252).mean()),
        darkness=float(np.clip((130 - bright) / 110, 0, 1)),
        contrast=float((high - low) / 255),
        colourfulness=min(1.0, _colourfulness(viewed) / 100),
    )


def _sharpness(grey: Grey, noise: float) -> float:
    """Return the log of the edge strength in the most blurred of four directions, 1.5 … 90 grey values → 0 … 1.

    Edge strength: 98th percentile of the absolute second difference. Motion blur leaves edges along it sharp, so the
    weakest direction counts. White noise of standard deviation s has a variance of 6·s² in a second difference, and
    a 98th percentile of 2.33 times its root; it is subtracted, so that noise does not count as detail.
    """
    centre = grey[1:-1, 1:-1]
    pairs = (
        (grey[1:-1, :-2], grey[1:-1, 2:]),
        (grey[:-2, 1:-1], grey[2:, 1:-1]),
        (grey[:-2, :-2], grey[2:, 2:]),
        (grey[:-2, 2:], grey[2:, :-2]),
    )
    weakest = min(float(np.percentile(np.abs(before + after - 2 * centre), 98)) for before, after in pairs)
    clean = np.sqrt(max(weakest**2 - 6 * (2.33 * noise) ** 2, 1.0))
    return float(np.clip(np.log(clean / 1.5) / np.log(60), 0, 1))


def _noise(grey: Grey) -> float:
    """Return the standard deviation of the noise: 10th percentile over 16×16 tiles of that of diagonal Haar details."""
    height, width = grey.shape[0] // 16 * 16, grey.shape[1] // 16 * 16
    part = grey[:height, :width]
    details = (part[::2, ::2] - part[1::2, ::2] - part[::2, 1::2] + part[1::2, 1::2]) / 2
    tiles = details.reshape(height // 16, 8, width // 16, 8).std(axis=(1, 3)).ravel()
    return float(np.percentile(tiles, 10))


def _blockiness(grey: Grey) -> float:
    """Return the excess of the steps across 8-pixel borders over the other steps, as a share of both."""
    if min(grey.shape) < 17:
        return 0.0  # fewer than two borders
    excess = []
    for steps in (np.abs(np.diff(grey, axis=1)).mean(axis=0), np.abs(np.diff(grey, axis=0)).mean(axis=1)):
        borders = steps[7::8]
        inside = np.delete(steps, np.arange(7, len(steps), 8))
        excess.append((borders.mean() - inside.mean()) / (borders.mean() + inside.mean() + 0.5))
    return float(np.clip(np.mean(excess) * 1.6, 0, 1))


def _colourfulness(photo: Image.Image) -> float:
    red, green, blue = np.moveaxis(np.asarray(photo, dtype=np.float32), -1, 0)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))

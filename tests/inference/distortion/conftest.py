"""Photos with known degradations, measured once for all tests of this folder."""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from inference.distortion.combine import DistortionScores, distortions_measure
from inference.distortion.degradations import DEGRADATIONS, GRADES, photo_degrade

#: Bundled with scikit-image's wheel.
PHOTOS = ("astronaut.png", "chelsea.png", "rocket.jpg")

Measured = dict[tuple[str, str], list[DistortionScores]]


@cache
def bundled(name: str, side: int = 300) -> Image.Image:
    photo = Image.open(Path(skimage.data.__file__).parent / name).convert("RGB")
    photo.thumbnail((side, side), Image.Resampling.LANCZOS)
    return photo


def degraded(photo: Image.Image, degradation: str, grade: int) -> Image.Image:
    return Image.open(io.BytesIO(photo_degrade(photo, degradation, grade, np.random.default_rng(1))))


def drawn(side: int = 280) -> Image.Image:
    """Return a picture with only sharp edges: overlapping discs of many colours."""
    rng = np.random.default_rng(7)
    pixels = np.full((side, side, 3), 120, dtype=np.uint8)
    rows, columns = np.mgrid[:side, :side]
    for _ in range(250):
        centre, radius = rng.integers(0, side, 2), rng.integers(4, 40)
        pixels[(rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2] = rng.integers(15, 240, 3)
    return Image.fromarray(pixels)


@pytest.fixture(scope="session")
def photos() -> dict[str, Image.Image]:
    return {name: bundled(name) for name in PHOTOS} | {"drawn": drawn()}


@pytest.fixture(scope="session")
def measured(photos: dict[str, Image.Image]) -> Measured:
    """Return the scores of each photo, by name and degradation, for grades 0 … 4."""
    return {
        (name, degradation): [distortions_measure(degraded(photo, degradation, grade)) for grade in range(GRADES)]
        for name, photo in photos.items()
        for degradation in DEGRADATIONS
    }


@pytest.fixture(scope="session")
def scores_of(measured: Measured, photos: dict[str, Image.Image]) -> Callable[[str, str], np.ndarray]:
    """Return a function that gives one detector's scores of one degradation, [photos, grades]."""

    def scores(detector: str, degradation: str) -> np.ndarray:
        return np.array([[getattr(found, detector) for found in measured[name, degradation]] for name in photos])

    return scores

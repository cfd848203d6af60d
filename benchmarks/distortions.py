"""The four distortion detectors, compared with a direct implementation of their formulas.

The baseline uses SciPy's filters in double precision. It applies every filter to the whole photo at full size,
including the median and all 15 noise bands, and it has no motion blur.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from annotation.photos.decoding import photo_open
from benchmarks._claims import Claim, Setting, seconds_of
from benchmarks._photos import photo_files
from inference.distortion.combine import distortions_measure

LARGE = (4000, 3000)
HALF = 0.5**0.5
ROWS = np.array([[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, -0.5, -0.5], [HALF, -HALF, 0, 0], [0, 0, HALF, -HALF]])


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure decoded photos with both implementations, then one large photo."""
    with tempfile.TemporaryDirectory() as name:
        files = photo_files(setting, Path(name), 4 if setting.tiny else 64)
        photos = [photo_open(path) for path in files]
    few = photos[: max(2, len(photos) // 8)]
    large = few[0].resize((400, 300) if setting.tiny else LARGE)
    times = 1 if setting.tiny else 3
    for picture in few:  # the first calls also import modules
        distortions_measure(picture)
        direct(picture)

    ours = seconds_of(lambda: [distortions_measure(photo) for photo in few], times=times) / len(few)
    theirs = seconds_of(lambda: [direct(photo) for photo in few], times=times) / len(few)
    size = "{} × {}".format(*np.median([photo.size for photo in photos], axis=0).astype(int))
    yield Claim(
        claim=f"Four distortions of a photo (median size {size} pixels): {1000 * ours:.1f} ms on one core",
        value=theirs / ours,
        unit="times as fast",
        baseline="direct implementation of the formulas with SciPy's filters in double precision, without motion blur: "
        f"{1000 * theirs:.0f} ms",
        target=10.0,
    )

    ours = seconds_of(lambda: distortions_measure(large), times=times)
    theirs = seconds_of(lambda: direct(large))
    yield Claim(
        claim=f"Four distortions of a photo of {large.width} × {large.height} pixels: {1000 * ours:.0f} ms on one core",
        value=theirs / ours,
        unit="times as fast",
        baseline=f"the same direct implementation: {1000 * theirs:.0f} ms",
        target=100.0,
    )


def direct(picture: Image.Image) -> tuple[float, float, float, float]:
    """Return blur, noise, exposure and compression, computed directly from the formulas."""
    grey = np.asarray(picture.convert("L"), dtype=np.float64)
    return _blur(grey), _noise(grey), _exposure(grey), _compression(grey)


def _blur(grey: NDArray[np.float64]) -> float:
    strength = np.log(np.maximum(np.abs(ndimage.laplace(grey, mode="mirror")), 1)) / np.log(30)
    blurred = ndimage.median_filter(ndimage.uniform_filter(strength, 5), size=5) * 255 <= 115
    soft = counted = 0
    for top in range(0, grey.shape[0], 40):
        for left in range(0, grey.shape[1], 40):
            tile = np.s_[top : top + 40, left : left + 40]
            if grey[tile].std() >= 10:
                soft, counted = soft + int(blurred[tile].sum()), counted + blurred[tile].size
    return soft / max(1, counted)


def _noise(grey: NDArray[np.float64]) -> float:
    inverses, roots = [], []
    for number in range(1, 16):
        band = ndimage.convolve(grey, np.outer(ROWS[number // 4], ROWS[number % 4]))
        variance = max(float(band.var()), 1e-6)
        kurtosis = float(((band - band.mean()) ** 4).mean()) / variance**2 - 3
        inverses.append(1 / variance)
        roots.append(max(0.0, kurtosis) ** 0.5)
    slope, whole = np.polyfit(inverses, roots, 1)
    return float(1 / (1 + np.exp(np.clip((18 + slope / whole) / 7, -500, 500))))


def _exposure(grey: NDArray[np.float64]) -> float:
    over = 15 * np.sum(grey >= 245) + np.sum((grey >= 235) & (grey < 245))
    under = 15 * np.sum(grey < 15) + 6 * np.sum((grey >= 15) & (grey < 30))
    normal = np.sum((grey >= 30) & (grey < 235))
    return float(max(over / max(1, over + normal), under / max(1, under + normal)))


def _compression(grey: NDArray[np.float64]) -> float:
    flat = float(np.sum(grey == ndimage.median_filter(grey, size=5)))
    steps = 0.0
    for plane in (grey, grey.T):
        change = np.abs(np.diff(plane, axis=1))
        middle = change[:, 1:-1]
        steps += float(np.sum((middle - change[:, :-2] >= 2) & (middle - change[:, 2:] >= 2)))
    return (10 * flat + steps) / (10 * flat + steps + grey.size)

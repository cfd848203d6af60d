"""Blur: the share of a photo's structured parts in which even the edges are soft."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

_TILE = 40
_FLAT = 10.0


def laplacian(grey: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the sum of the four neighbours less four times the pixel, mirrored at the borders."""
    wide = np.pad(grey.astype(np.int16), 1, mode="reflect")
    return wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] - 4 * wide[1:-1, 1:-1]


def laplacian_variance(second: NDArray[np.int16]) -> float:
    """Return the variance of the Laplacian: larger is sharper."""
    return float(second.astype(np.float32).var(dtype=np.float64))


def blur_score(grey: NDArray[np.uint8], second: NDArray[np.int16]) -> float:
    """Return 0 … 1, larger is worse: the blurred share of the tiles that are not flat."""
    strength = np.log(np.maximum(np.abs(second), 1).astype(np.float32)) / np.float32(np.log(30))
    sharp = uniform_filter(strength, 5) * 255 > 115
    blurred = total = 0
    for top in range(0, grey.shape[0], _TILE):
        for left in range(0, grey.shape[1], _TILE):
            tile = grey[top : top + _TILE, left : left + _TILE]
            if tile.std() >= _FLAT:
                part = sharp[top : top + _TILE, left : left + _TILE]
                blurred += part.size - int(part.sum())
                total += part.size
    return blurred / total if total else 0.0

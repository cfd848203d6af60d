"""Compression: steps between the blocks of 8 × 8 pixels that JPEG writes."""

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8


def compression_score(grey: NDArray[np.uint8]) -> float:
    """Return 0 … 1, larger is worse: how much more often a step lies on the grid of blocks than beside it."""
    return max(_steps(grey), _steps(grey.T))


def _steps(grey: NDArray[np.uint8]) -> float:
    if grey.shape[1] < 3 * _BLOCK:
        return 0.0
    slope = np.diff(grey.astype(np.int16), axis=1)
    middle = np.abs(slope[:, 1:-1])
    step = (middle - np.abs(slope[:, :-2]) >= 2) & (middle - np.abs(slope[:, 2:]) >= 2)
    shares = np.array([step[:, phase::_BLOCK].mean() for phase in range(_BLOCK)])
    first, second = np.sort(shares)[[-1, -2]]
    return float(first - second)

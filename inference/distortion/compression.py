"""Compression: how much of a photo's change from pixel to pixel lies on the borders of 8 × 8 blocks."""

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8
_WEIGHT = 10.0


def compression_score(native: NDArray[np.uint8]) -> float:
    """Return 0 … 1, larger is worse, of grey values at the photo's own resolution, where blocks are 8 pixels wide."""
    excess = block_excess(native)
    return _WEIGHT * excess / (_WEIGHT * excess + 1 - excess)


def block_excess(native: NDArray[np.uint8]) -> float:
    """Return the share 0 … 1 of all change that one of the 8 positions has more than the next one.

    Change: absolute differences of neighbouring pixels, along rows and along columns.
    """
    more = whole = 0.0
    for axis in (0, 1):
        along = np.moveaxis(native.astype(np.int16), axis, 0)
        if along.shape[0] <= _BLOCK + 1:
            continue
        change = np.abs(along[1:] - along[:-1]).mean(axis=1, dtype=np.float64)
        phases = np.sort([change[phase::_BLOCK].mean() for phase in range(_BLOCK)])
        more += phases[-1] - phases[-2]
        whole += phases.sum()
    return more / whole if whole else 0.0

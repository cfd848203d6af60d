"""Compression: how much larger the change from pixel to pixel is on the borders of 8 × 8 blocks."""

import math

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8
#: Excess of photos without visible blocks.
_USUAL = 0.02
_WEIGHT = 25.0
#: Share of lines with the largest change that is left out at each position.
_LEFT_OUT = 0.1


def compression_score(native: NDArray[np.uint8]) -> float:
    """Return 0 … 1, larger is worse, of grey values at the photo's own resolution, where blocks are 8 pixels wide.

    score = 25 · edge / (25 · edge + normal), with edge = max(0, excess − .02) and normal = 1 − edge.

    Differences from the usual measure, with reasons. The usual measure counts pixels that change by 2 grey levels or
    more across a block border. With stronger compression, steps become fewer and larger, so the count stays constant
    below JPEG quality 20, while sums of differences still rise. It also gives flat pixels tenfold weight, so it calls
    every photo on plain paper compressed. Here only change counts, and only the excess of one position over the next,
    because fine patterns, noise and blur affect all positions equally. Blocks are visible on all their borders, so a
    tenth of the lines is left out to exclude the few straight edges of frames and pasted pictures.
    """
    edge = max(0.0, block_excess(native) - _USUAL)
    return _WEIGHT * edge / (_WEIGHT * edge + 1 - edge)


def block_excess(native: NDArray[np.uint8]) -> float:
    """Return (largest − second largest change) / sum of changes over the 8 positions modulo 8, 0 … 1.

    Change of a line between two rows or two columns: mean absolute difference of its pixels. Change of a position: mean
    of its lines without the largest tenth. The position of the borders is estimated from the photo, because cropping
    and rotation move them. Sides shorter than 24 pixels are ignored.
    """
    more = whole = 0.0
    for axis in (0, 1):
        along = np.moveaxis(native.astype(np.int16), axis, 0)
        if along.shape[0] < 3 * _BLOCK:
            continue
        change = np.abs(along[1:] - along[:-1]).mean(axis=1, dtype=np.float64)
        lines = (np.sort(change[phase::_BLOCK]) for phase in range(_BLOCK))
        phases = np.sort([line[: line.size - math.ceil(_LEFT_OUT * line.size)].mean() for line in lines])
        more += float(phases[-1] - phases[-2])
        whole += float(phases.sum())
    return more / whole if whole else 0.0

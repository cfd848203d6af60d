"""Compression: how much of a photo's change from pixel to pixel lies on the borders of 8 × 8 blocks."""

import math

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8
#: Excess that photos have without visible blocks.
_USUAL = 0.02
_WEIGHT = 25.0
#: Share of the lines at each position, those with the largest change, that does not count.
_LEFT_OUT = 0.1


def compression_score(native: NDArray[np.uint8]) -> float:
    """Return 0 … 1, larger is worse, of grey values at the photo's own resolution, where blocks are 8 pixels wide.

    score = 25 · edge / (25 · edge + normal), with edge = max(0, excess − .02) and normal = 1 − edge.

    What differs from the usual measure, and why. It counts pixels that step over a border of blocks by 2 grey
    levels or more; but steps get fewer and larger as compression gets stronger, so their number stands still from
    JPEG quality 20 down. Sums of differences go on rising. It also counts flat pixels ten times, which calls each
    photo on plain paper compressed. Only change counts here, and only what one position has more than the next
    one, so that fine patterns, noise and blur weigh on all positions alike. Blocks show on all their borders:
    leaving out a tenth of the lines keeps the few straight edges of frames and pasted pictures out.
    """
    edge = max(0.0, block_excess(native) - _USUAL)
    return _WEIGHT * edge / (_WEIGHT * edge + 1 - edge)


def block_excess(native: NDArray[np.uint8]) -> float:
    """Return the share 0 … 1 of all change that one of the 8 positions modulo 8 has more than the next one.

    Change of a line between two rows or two columns: mean absolute difference of its pixels; of a position: mean
    of its lines without the largest tenth. Which position the borders have is found in the photo, for cropping and
    turning move them. A side of less than 24 pixels counts nothing.
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

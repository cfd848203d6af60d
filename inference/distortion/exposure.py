"""Over- and underexposure: the share of grey values at the ends of the scale."""

import numpy as np
from numpy.typing import NDArray


def exposure_score(counts: NDArray[np.int64]) -> float:
    """Return 0 … 1, larger is worse, from the 256 counts of a photo's grey values (fully clipped ones included)."""
    total = int(counts.sum())
    bright, near_bright = int(counts[245:].sum()), int(counts[235:245].sum())
    dark, near_dark = int(counts[:15].sum()), int(counts[15:30].sum())
    over, under = 15 * bright + near_bright, 15 * dark + 6 * near_dark
    return max(over / (over + total - bright - near_bright), under / (under + total - dark - near_dark))

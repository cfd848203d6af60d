"""Histograms of votes on another scale. Pure."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def histograms_moved(counts: ArrayLike, of_scale: tuple[int, int], to_scale: tuple[int, int]) -> NDArray[np.float64]:
    """Return histograms [N, K] of one scale on another [N, L], as sums of votes.

    of_scale, to_scale: lowest and highest score. The line that maps the ends of the scales to each other gives each
    score its place. Where the place is between two scores, the votes are divided between them, so that number and mean
    of the votes stay the same. No vote is rounded, but the votes can lie up to half a score further apart.
    """
    given = np.asarray(counts, dtype=np.float64)
    if of_scale == to_scale:
        return given
    bins, wanted = of_scale[1] - of_scale[0] + 1, to_scale[1] - to_scale[0] + 1
    if given.shape[-1] != bins or min(bins, wanted) < 2:
        raise ValueError(f"Histograms with {given.shape[-1]} scores do not have the scale {of_scale}.")
    places = np.arange(bins) * ((wanted - 1) / (bins - 1))
    below = np.minimum(np.floor(places + 1e-9).astype(np.int64), wanted - 2)
    above = np.clip(places - below, 0.0, 1.0)
    above[np.abs(above) < 1e-9] = 0.0
    parts = np.zeros((bins, wanted))
    parts[np.arange(bins), below] += 1 - above
    parts[np.arange(bins), below + 1] += above
    return given @ parts

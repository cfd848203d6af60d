"""How well predicted means order, follow and hit the mean opinion scores.

Every function takes arrays whose last axis runs over the images and gives one number for each
leading index, so that all resamples of a bootstrap [B, N] are measured in one call.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]


def plcc(predicted: ArrayLike, observed: ArrayLike) -> Floats:
    """Return Pearson's linear correlation, in [-1, 1], of arrays [..., N].

    NaN where either side is constant: a constant says nothing about order.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    x = x - x.mean(axis=-1, keepdims=True)
    y = y - y.mean(axis=-1, keepdims=True)
    spread = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    # Rounding leaves a spread of about 1e-16·N for equal numbers; that is no spread.
    scale = np.abs(np.asarray(predicted)).max(axis=-1) * np.abs(np.asarray(observed)).max(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.where(spread > 1e-12 * scale, (x * y).sum(axis=-1) / spread, np.nan)
    return np.clip(correlation, -1.0, 1.0)


def srcc(predicted: ArrayLike, observed: ArrayLike) -> Floats:
    """Return Spearman's rank correlation, in [-1, 1], of arrays [..., N]; ties share their mean rank."""
    return plcc(rankdata(predicted, axis=-1), rankdata(observed, axis=-1))


def rmse(predicted: ArrayLike, observed: ArrayLike) -> Floats:
    """Return the root of the mean squared error of arrays [..., N], in units of the scale."""
    difference = np.asarray(predicted, dtype=np.float64) - np.asarray(observed, dtype=np.float64)
    result: Floats = np.sqrt((difference**2).mean(axis=-1))
    return result

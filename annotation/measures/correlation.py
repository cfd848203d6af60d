"""Correlation and error of predicted means compared with mean opinion scores.

Every function takes arrays [..., N] whose last axis is images and returns [...], so that one call measures all
resamples of a bootstrap [B, N].
"""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def plcc(predicted: ArrayLike, observed: ArrayLike) -> Floats:
    """Return Pearson's linear correlation, in [-1, 1], of arrays [..., N].

    NaN where either side is constant, or with fewer than two images.
    """
    from scipy import stats

    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    if x.shape[-1] < 2:
        return np.full(x.shape[:-1], np.nan)
    with warnings.catch_warnings():  # NaN is the documented result, and resamples of few images are often constant
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        warnings.simplefilter("ignore", stats.NearConstantInputWarning)
        correlation: Floats = stats.pearsonr(x, y, axis=-1).statistic
    return correlation


def srcc(predicted: ArrayLike, observed: ArrayLike) -> Floats:
    """Return Spearman's rank correlation, in [-1, 1], of arrays [..., N]; ties get their mean rank."""
    from scipy.stats import rankdata

    return plcc(rankdata(predicted, axis=-1), rankdata(observed, axis=-1))


def krcc(predicted: ArrayLike, observed: ArrayLike) -> Floats:
    """Return Kendall's rank correlation τ_b, in [-1, 1], of arrays [..., N].

    Without ties it is the share of pairs of images in the same order, minus the share of pairs in the opposite order.
    Ties count for neither side, and the result is divided by the pairs without ties (Kendall, 1945, 'The treatment of
    ties in ranking problems'). NaN where either side is constant, or with fewer than two images.

    SciPy measures one pair of arrays per call, so a bootstrap takes sixteen times as long as with `srcc`.
    """
    from scipy.stats import kendalltau

    x, y = np.broadcast_arrays(np.asarray(predicted, dtype=np.float64), np.asarray(observed, dtype=np.float64))
    if x.shape[-1] < 2:
        return np.full(x.shape[:-1], np.nan)
    # SciPy sorts one pair of arrays per call. Its p-value is not used, and the asymptotic one costs nothing.
    found = [
        kendalltau(one, other, method="asymptotic").statistic
        for one, other in zip(x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1]), strict=True)
    ]
    return np.array(found, dtype=np.float64).reshape(x.shape[:-1])


def mae(predicted: ArrayLike, observed: ArrayLike) -> Floats:
    """Return the mean absolute error of arrays [..., N], in units of the scale."""
    difference = np.asarray(predicted, dtype=np.float64) - np.asarray(observed, dtype=np.float64)
    result: Floats = np.abs(difference).mean(axis=-1)
    return result


def rmse(predicted: ArrayLike, observed: ArrayLike) -> Floats:
    """Return the root of the mean squared error of arrays [..., N], in units of the scale."""
    difference = np.asarray(predicted, dtype=np.float64) - np.asarray(observed, dtype=np.float64)
    result: Floats = np.sqrt((difference**2).mean(axis=-1))
    return result


def bias(predicted: ArrayLike, observed: ArrayLike) -> Floats:
    """Return the mean of predicted − observed of arrays [..., N]: above 0 the predictions are too high."""
    result: Floats = (np.asarray(predicted, dtype=np.float64) - np.asarray(observed, dtype=np.float64)).mean(axis=-1)
    return result

"""Mean and spread of predicted distributions and score histograms, and distances between them.

Sources: Talebi & Milanfar (2018), 'NIMA: neural image assessment', for the normalised earth mover's
distance; Epstein (1969) and Gneiting & Raftery (2007) for the ranked probability score.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def emd(distribution: ArrayLike, histogram: ArrayLike, *, r: float = 2.0) -> Floats:
    """Return the earth mover's distance (1/K · Σ_k |CDF_p − CDF_c|^r)^(1/r) per image.

    `distribution` [..., K] holds probabilities, `histogram` [..., K] counts of opinion scores, lowest
    first. Lies in [0, 1); NaN for an image without votes.
    """
    difference = np.abs(_cumulated(distribution) - _cumulated(histogram))
    distance: Floats = (difference**r).mean(axis=-1) ** (1.0 / r)
    return distance


def rps(distribution: ArrayLike, histogram: ArrayLike) -> Floats:
    """Return the ranked probability score Σ_k (CDF_k − 1[y ≤ k])² per image, averaged over its votes y.

    It equals the continuous ranked probability score in units of one step of the scale. It is 0 when the prediction
    gives probability 1 to the score of unanimous votes. NaN for an image without votes.
    """
    predicted, given = _cumulated(distribution), _cumulated(histogram)
    # The indicator equals its square, so the mean of both over the votes is the histogram's CDF.
    score: Floats = (predicted**2 - 2.0 * predicted * given + given).sum(axis=-1)
    return score


def mean_score(distribution: ArrayLike, *, lowest: int) -> Floats:
    """Return the mean Σ_k score_k·w_k / Σ_k w_k of distributions or histograms [..., K] on the scale from `lowest`.

    NaN for a histogram without votes.
    """
    weights = np.asarray(distribution, dtype=np.float64)
    steps = np.arange(weights.shape[-1], dtype=np.float64)
    with np.errstate(invalid="ignore"):
        mean: Floats = lowest + weights @ steps / weights.sum(axis=-1)
    return mean


def score_deviation(distribution: ArrayLike) -> Floats:
    """Return the standard deviation of the scores under distributions or histograms [..., K], over Σ_k w_k."""
    weights = np.asarray(distribution, dtype=np.float64)
    # Deviations from the mean instead of Σx² − n·x̄², because that difference can become negative by rounding.
    distance = np.arange(weights.shape[-1]) - mean_score(weights, lowest=0)[..., np.newaxis]
    with np.errstate(invalid="ignore"):
        deviation: Floats = np.sqrt((weights * distance**2).sum(axis=-1) / weights.sum(axis=-1))
    return deviation


def score_quantile(distribution: ArrayLike, share: float) -> NDArray[np.int64]:
    """Return the place of the lowest score up to which at least `share` of the weight lies, of arrays [..., K].

    0 is the lowest score of the scale.
    """
    # A share such as 0.95 is often reached exactly, and rounding must not move it to the next score.
    places: NDArray[np.int64] = (_cumulated(distribution) >= share - 1e-9).argmax(axis=-1).astype(np.int64)
    return places


def _cumulated(weights: ArrayLike) -> Floats:
    array = np.asarray(weights, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        cumulated: Floats = np.cumsum(array, axis=-1) / array.sum(axis=-1, keepdims=True)
    return cumulated

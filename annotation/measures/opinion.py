"""Statistics of opinion scores: histograms, mean opinion score (MOS), standard deviation (SOS), interval.

A score histogram has K = highest − lowest + 1 counts, the lowest score first. Every function of a histogram takes an
array [..., K] and returns [...]. The result is NaN for an image without votes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.distribution import mean_score, score_deviation
from annotation.measures.intervals import CONFIDENCE
from annotation.measures.vote_variance import VoteVariance

Floats = NDArray[np.float64]


def score_histogram(scores: ArrayLike, *, lowest: int, highest: int) -> NDArray[np.int64]:
    """Return how often each score was given, [K].

    Raises ValueError for a score outside lowest … highest, and for a scale of less than two scores.
    """
    _, histograms = image_histograms(np.zeros(np.size(scores)), scores, lowest=lowest, highest=highest)
    total: NDArray[np.int64] = histograms.sum(axis=0)
    return total


def image_histograms(
    image_ids: ArrayLike, scores: ArrayLike, *, lowest: int, highest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the images that have votes, ascending [N], and their score histograms [N, K].

    `image_ids` and `scores` hold one entry per vote. Raises ValueError when they differ in length,
    and as `score_histogram` does.
    """
    known, counts = weighted_histograms(image_ids, scores, np.ones(np.size(scores)), lowest=lowest, highest=highest)
    return known, counts.astype(np.int64)


def weighted_histograms(
    image_ids: ArrayLike, scores: ArrayLike, weights: ArrayLike, *, lowest: int, highest: int
) -> tuple[NDArray[np.int64], Floats]:
    """Return the images that have votes, ascending [N], and the sum of the weights of each score [N, K].

    `weights`: how much each vote counts. Raises ValueError as `image_histograms` does.
    """
    if highest <= lowest:
        raise ValueError(f"A scale needs at least two scores, not {lowest} … {highest}.")
    ids = np.asarray(image_ids, dtype=np.int64).ravel()
    given = np.asarray(scores).ravel()
    if len(ids) != len(given):
        raise ValueError(f"{len(ids)} image ids do not match {len(given)} scores.")
    bins = highest - lowest + 1
    offset = given.astype(np.int64) - lowest
    if np.any((offset < 0) | (offset >= bins) | (offset + lowest != given)):
        raise ValueError(f"Opinion scores are whole numbers from {lowest} to {highest}.")
    known, row = np.unique(ids, return_inverse=True)
    sums = np.bincount(row * bins + offset, np.asarray(weights, dtype=np.float64).ravel(), len(known) * bins)
    return known, sums.reshape(len(known), bins).astype(np.float64)


def mos(histogram: ArrayLike, lowest: int) -> Floats:
    """Return the mean opinion score on the scale that starts at `lowest`; NaN without votes."""
    return mean_score(histogram, lowest=lowest)


def sos(histogram: ArrayLike) -> Floats:
    """Return the standard deviation of the opinion scores (over n − 1); NaN with fewer than two votes."""
    n = np.asarray(histogram, dtype=np.float64).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread: Floats = score_deviation(histogram) * np.sqrt(np.where(n > 1, n, np.nan) / (n - 1))
    return spread


def sos_parameter(histograms: ArrayLike) -> float:
    """Return a, how much opinions differ on a scale: SOS² = a·(MOS − lowest)·(highest − MOS), over images [N, K].

    0: all votes on an image are equal; 1: every vote is the lowest or the highest score. Campaigns with different
    scales can be compared by it. The curve is that of Hoßfeld, Schatz & Egger (2011, 'SOS: the MOS is not enough!').
    They fit it by least squares, which is too high for few votes (by 11 % with 2 votes a photo of AVA). Here a is the
    ratio of two sums that are right for any number of votes: of SOS², and of the product + SOS²/n, because the product
    is too small by σ²/n on average. NaN without an image with two votes, and when all votes are at one end.
    """
    counts = np.asarray(histograms, dtype=np.float64)
    counts = counts[counts.sum(axis=-1) > 1]
    square, centre = sos(counts) ** 2, mos(counts, 0)
    total = float((centre * (counts.shape[-1] - 1 - centre) + square / counts.sum(axis=-1)).sum())
    return float(square.sum()) / total if total > 0 else float("nan")


def mos_half_width(histogram: ArrayLike, variance: VoteVariance) -> Floats:
    """Return half the width of the 95 % interval of the MOS, in points, without the limits of the scale.

    See `annotation.measures.vote_variance`. Infinite when `variance` is unknown, NaN without votes.
    """
    from scipy.special import stdtrit  # importing SciPy takes long, and most web processes do not need it

    counts = np.asarray(histogram, dtype=np.float64)
    n = counts.sum(axis=-1)
    if not variance.is_known:
        return np.where(n > 0, np.inf, np.nan)
    free = np.maximum(n - 1, 0)
    squares = np.where(n > 1, np.nan_to_num(sos(counts)) ** 2, 0.0)
    degrees = free + variance.degrees
    deviation = np.sqrt((free * squares + variance.degrees * variance.mean) / degrees)
    with np.errstate(invalid="ignore", divide="ignore"):
        half: Floats = np.where(n > 0, stdtrit(degrees, (1 + CONFIDENCE) / 2) * deviation / np.sqrt(n), np.nan)
    return half


def mos_interval(histogram: ArrayLike, lowest: int, variance: VoteVariance) -> tuple[Floats, Floats]:
    """Return the 95 % interval of the MOS, clipped to the scale. See `annotation.measures.vote_variance`.

    `variance` comes from all photos of the campaign. When it is unknown, so is the interval: both ends of the scale.
    Without votes both ends are NaN.
    """
    counts = np.asarray(histogram, dtype=np.float64)
    highest = lowest + counts.shape[-1] - 1
    centre, half = mos(counts, lowest), mos_half_width(counts, variance)
    return np.maximum(centre - half, lowest), np.minimum(centre + half, highest)

"""ICC(1): agreement when each photo has votes of other people.

Sources: Shrout & Fleiss (1979), 'Intraclass correlations: uses in assessing rater reliability'; Searle, Casella &
McCulloch (1992), 'Variance components', for k₀ with unequal numbers of votes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def icc1(image_ids: ArrayLike, scores: ArrayLike) -> float:
    """Return ICC(1), the share of a single vote's variance that the images explain.

    One-way random effects: every image is rated by some annotators, not necessarily the same ones.
    `image_ids` and `scores` hold one entry per vote; images may have different numbers of votes.
    Lies in (−1, 1]; below 0 means that votes on one image differ more than votes on different
    images. NaN when it is undefined: fewer than two images, no image with two votes, or no two
    different scores. Raises ValueError when the arguments differ in length.
    """
    ids = np.asarray(image_ids).ravel()
    values = np.asarray(scores, dtype=np.float64).ravel()
    if len(ids) != len(values):
        raise ValueError(f"{len(ids)} image ids do not match {len(values)} scores.")
    if not len(values):
        return float("nan")
    _, row = np.unique(ids, return_inverse=True)
    return _icc(*one_way_variances(row, values))


def one_way_variances(row: NDArray[np.int64], scores: Floats) -> tuple[float, float]:
    """Return the variance of the images and the variance of votes on one image, in squared points.

    `row` [V] are the places of the images, all from 0 on, and `scores` [V] one per vote. The first one can be below 0.
    Both are NaN with fewer than two images, or without an image with two votes.
    """
    votes = np.bincount(row).astype(np.float64)
    means = np.bincount(row, weights=scores) / votes
    return _variances(votes, means, float(((scores - means[row]) ** 2).sum()))


def icc1_of_histograms(histograms: ArrayLike) -> float:
    """Return ICC(1) as `icc1` does, from score histograms [N, K]; images without votes are left out."""
    counts = np.asarray(histograms, dtype=np.float64)
    counts = counts[counts.sum(axis=1) > 0]
    if not len(counts):
        return float("nan")
    steps = np.arange(counts.shape[1], dtype=np.float64)
    votes = counts.sum(axis=1)
    means = counts @ steps / votes
    within = float((counts * (steps - means[:, np.newaxis]) ** 2).sum())
    return _icc(*_variances(votes, means, within))


def _variances(votes: Floats, means: Floats, within: float) -> tuple[float, float]:
    """Return both variances from the votes [N] and means [N] of the images, and the sum of squares within images."""
    images, total = len(votes), votes.sum()
    if images < 2 or total == images:
        return float("nan"), float("nan")
    grand = (votes * means).sum() / total
    mean_square_between = float((votes * (means - grand) ** 2).sum() / (images - 1))
    mean_square_within = within / float(total - images)
    typical_votes = float((total - (votes**2).sum() / total) / (images - 1))  # k₀
    return (mean_square_between - mean_square_within) / typical_votes, mean_square_within


def _icc(between: float, within: float) -> float:
    return between / (between + within) if between + within > 0 else float("nan")

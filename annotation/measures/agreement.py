"""Agreement between annotators, and the highest correlation that a model can reach with their votes.

Sources: Shrout & Fleiss (1979), 'Intraclass correlations: uses in assessing rater reliability', for
ICC(1); Searle, Casella & McCulloch (1992), 'Variance components', for k₀ with unequal numbers of
votes; Spearman (1910) and Brown (1910) for the reliability of a mean of k votes.
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
    votes = np.bincount(row).astype(np.float64)
    means = np.bincount(row, weights=values) / votes
    within = float(((values - means[row]) ** 2).sum())
    return _icc1(votes, means, within)


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
    return _icc1(votes, means, within)


def _icc1(votes: Floats, means: Floats, within: float) -> float:
    """Return ICC(1) from the votes [N] and means [N] of the images, and the sum of squares within images."""
    images, total = len(votes), votes.sum()
    if images < 2 or total == images:
        return float("nan")
    grand = (votes * means).sum() / total
    mean_square_between = (votes * (means - grand) ** 2).sum() / (images - 1)
    mean_square_within = within / (total - images)
    typical_votes = (total - (votes**2).sum() / total) / (images - 1)  # k₀
    spread = mean_square_between + (typical_votes - 1) * mean_square_within
    return float((mean_square_between - mean_square_within) / spread) if spread > 0 else float("nan")


def reliability(icc: float, votes: ArrayLike) -> float:
    """Return r_k, the reliability of a MOS of k votes: k·ICC/(1 + (k − 1)·ICC), in [0, 1].

    `votes` is one k, or one per image. Unequal k count by their harmonic mean, because the error variance of the MOS
    over the images is that of one vote times the mean of 1/k. Images without votes have no MOS and are left out. An
    ICC below 0 counts as 0. NaN when the ICC is NaN, or without votes.
    """
    counts = np.atleast_1d(np.asarray(votes, dtype=np.float64))
    counts = counts[counts > 0]
    if not len(counts) or np.isnan(icc):
        return float("nan")
    if icc <= 0:
        return 0.0
    return float(icc / (icc + (1 - icc) * np.mean(1 / counts)))


def correlation_ceiling(icc: float, votes: ArrayLike) -> float:
    """Return √r_k, the highest linear correlation with a MOS of k votes that any model can expect.

    Even a model that knows the average opinion of all people cannot predict the noise of these k votes.
    """
    return float(np.sqrt(reliability(icc, votes)))


def split_half(image_ids: ArrayLike, scores: ArrayLike, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the means of two random halves of each image's votes, [M] and [M].

    Their correlation (split-half reliability) is a reference for a model's correlation. Only images with at least two
    votes are used. With an odd number of votes, the second half has one more.
    """
    ids = np.asarray(image_ids).ravel()
    values = np.asarray(scores, dtype=np.float64).ravel()
    order = np.lexsort((rng.random(len(ids)), ids))  # by image, in random order within each image
    _, row, votes = np.unique(ids[order], return_inverse=True, return_counts=True)
    place = np.arange(len(ids)) - (np.cumsum(votes) - votes)[row]
    first = place < (votes // 2)[row]
    has_two_votes = votes > 1
    halves = []
    for half in (first, ~first):
        sums = np.bincount(row[half], weights=values[order][half], minlength=len(votes))
        counts = np.bincount(row[half], minlength=len(votes))
        halves.append((sums[has_two_votes] / counts[has_two_votes]).astype(np.float64))
    return halves[0], halves[1]

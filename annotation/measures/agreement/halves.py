"""Split-half reliability: how two halves of the votes agree, and what that says about all of them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.agreement.jackknife import PARTS, jackknife
from annotation.measures.correlation import plcc, srcc
from annotation.measures.intervals import Interval, Metric

Floats = NDArray[np.float64]

_SPLITS = 10


def split_half(
    image_ids: ArrayLike, scores: ArrayLike, *, rng: np.random.Generator, annotator_ids: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Return the means of two random halves of each image's votes, [M] and [M].

    Their correlation (split-half reliability) is a reference for a model's correlation. Only images with at least two
    votes are used. With an odd number of votes, the second half has one more. With `annotator_ids`, the annotators are
    put into one random order, and the first half of each image's votes is that of its first annotators. So the halves
    have the same people on all images if all images have, as the MOS has.
    """
    ids = np.asarray(image_ids).ravel()
    values = np.asarray(scores, dtype=np.float64).ravel()
    if annotator_ids is None:
        keys = rng.random(len(ids))
    else:
        _, rater = np.unique(np.asarray(annotator_ids).ravel(), return_inverse=True)
        keys = rng.random(int(rater.max()) + 1 if len(rater) else 0)[rater]
    order = np.lexsort((keys, ids))  # by image, in random order within each image
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


def split_half_srcc(image_ids: ArrayLike, annotator_ids: ArrayLike, scores: ArrayLike, *, seed: int) -> Interval:
    """Return the mean SRCC of two halves of the people over ten random splits, in [−1, 1]; n photos have two votes.

    The interval comes from leaving out each of 20 parts of the photos; it is [−1, 1] with fewer than 20 photos. NaN
    when the correlation is undefined. The same seed gives the same splits.
    """
    return _over_splits(srcc, image_ids, annotator_ids, scores, seed)


def spearman_brown(image_ids: ArrayLike, annotator_ids: ArrayLike, scores: ArrayLike, *, seed: int) -> Interval:
    """Return the reliability of the MOS of all votes from halves, 2r/(1 + r) in [0, 1], with its interval as above.

    r is the mean Pearson correlation of two halves over ten random splits; below 0 it counts as 0. Sources: Spearman
    (1910) and Brown (1910). With an odd number of votes the halves are unequal, and the result is a little too low.
    """
    found = _over_splits(plcc, image_ids, annotator_ids, scores, seed)
    value, low, high = (2 * r / (1 + r) for r in np.maximum([found.value, found.low, found.high], 0).tolist())
    return Interval(value, low, high, found.n)


def _over_splits(
    metric: Metric, image_ids: ArrayLike, annotator_ids: ArrayLike, scores: ArrayLike, seed: int
) -> Interval:
    rng = np.random.default_rng(seed)
    halves = [split_half(image_ids, scores, rng=rng, annotator_ids=annotator_ids) for _ in range(_SPLITS)]
    photos = len(halves[0][0])

    def estimate(kept: NDArray[np.bool_]) -> float:
        return float(np.mean([metric(first[kept], second[kept]) for first, second in halves]))

    value = estimate(np.ones(photos, dtype=np.bool_))
    if np.isnan(value):
        return Interval(value, value, value, photos)
    ends = None
    if photos >= PARTS:
        ends = jackknife(estimate, np.arange(photos), value, scale=_fisher, back=np.tanh)
    low, high = ends or (-1.0, 1.0)
    return Interval(value, min(low, value), max(high, value), photos)


def _fisher(correlations: Floats) -> Floats:
    return np.asarray(np.arctanh(np.clip(correlations, -1 + 1e-9, 1 - 1e-9)))

"""How similarly single annotators rank photos: with each other, with the mean of all others, and with themselves."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.agreement.crossed import vote_columns
from annotation.measures.correlation import srcc
from annotation.measures.intervals import CONFIDENCE, Interval, interval

Floats = NDArray[np.float64]

#: A rank correlation of fewer photos says nothing.
FEWEST_COMMON = 10
#: A bootstrap over fewer annotators says nothing.
FEWEST_ANNOTATORS = 5
_MOST_ANNOTATORS = 40
#: Of more annotators, so many are each compared with the others. The interval of a median hardly narrows with more.
MOST_COMPARED = 200
_RESAMPLES = 1000


def pairwise_srcc(image_ids: ArrayLike, annotator_ids: ArrayLike, scores: ArrayLike, *, seed: int) -> Interval:
    """Return the median SRCC of two annotators over all pairs with ten common photos; n is the number of pairs.

    Of more than 40 annotators, 40 are drawn at random. The interval is a bootstrap over annotators, because the pairs
    of one annotator are not independent; its ends are NaN below five annotators. NaN without such a pair.
    """
    photo, rater, values = vote_columns(image_ids, annotator_ids, scores)
    rng = np.random.default_rng(seed)
    people = np.unique(rater)
    if len(people) > _MOST_ANNOTATORS:
        people = np.sort(rng.choice(people, _MOST_ANNOTATORS, replace=False))
    table = np.full((len(people), int(photo.max()) + 1 if len(photo) else 0), np.nan)
    for place, one in enumerate(people):
        table[place, photo[rater == one]] = values[rater == one]
    matrix = np.full((len(people), len(people)), np.nan)
    for first in range(len(people)):
        for second in range(first + 1, len(people)):
            both = ~np.isnan(table[first]) & ~np.isnan(table[second])
            if both.sum() >= FEWEST_COMMON:
                matrix[first, second] = float(srcc(table[first, both], table[second, both]))
    known = matrix[~np.isnan(matrix)]
    if not len(known):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    value = float(np.median(known))
    if len(people) < FEWEST_ANNOTATORS:
        return Interval(value, float("nan"), float("nan"), len(known))
    matrix = np.fmax(matrix, matrix.T)
    medians = []
    for _ in range(_RESAMPLES):
        drawn = np.sort(rng.integers(len(people), size=len(people)))
        part = matrix[np.ix_(drawn, drawn)][np.triu_indices(len(drawn), 1)]
        part = part[~np.isnan(part)]
        if len(part):
            medians.append(float(np.median(part)))
    return _interval(value, medians, len(known))


def leave_one_out_srcc(image_ids: ArrayLike, annotator_ids: ArrayLike, scores: ArrayLike, *, seed: int) -> Interval:
    """Return the median, over annotators, of the SRCC of one annotator and the mean of all others on the same photos.

    Only annotators with ten photos that others rated too count, and of more than `MOST_COMPARED` those that are drawn
    at random; n is their number. The interval is a bootstrap over annotators; its ends are NaN below five of them. NaN
    without such an annotator.
    """
    photo, rater, values = vote_columns(image_ids, annotator_ids, scores)
    if not len(values):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    counts, sums = np.bincount(photo), np.bincount(photo, values)
    shared = counts[photo] > 1
    photo, rater, values = photo[shared], rater[shared], values[shared]
    others = (sums[photo] - values) / (counts[photo] - 1)
    order = np.argsort(rater, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(rater[order])) + 1)
    enough = [rows for rows in groups if len(rows) >= FEWEST_COMMON]
    rng = np.random.default_rng(seed)
    if len(enough) > MOST_COMPARED:
        enough = [enough[place] for place in np.sort(rng.choice(len(enough), MOST_COMPARED, replace=False))]
    found = [float(srcc(values[rows], others[rows])) for rows in enough]
    known = np.array([one for one in found if not np.isnan(one)])
    if not len(known):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    value = float(np.median(known))
    if len(known) < FEWEST_ANNOTATORS:
        return Interval(value, float("nan"), float("nan"), len(known))
    return _interval(value, np.median(rng.choice(known, (_RESAMPLES, len(known))), axis=1), len(known))


def retest_srcc(first: ArrayLike, second: ArrayLike, annotator_ids: ArrayLike, *, seed: int) -> Interval:
    """Return the SRCC of two answers of the same annotator to the same photo, [n] each, with its bootstrap interval.

    The annotator's own mean of all these answers is subtracted first, so that differences between people do not count
    as agreement. NaN with fewer than ten pairs.
    """
    one, two = np.asarray(first, dtype=np.float64).ravel(), np.asarray(second, dtype=np.float64).ravel()
    _, rater = np.unique(np.asarray(annotator_ids).ravel(), return_inverse=True)
    if not len(one) == len(two) == len(rater):
        raise ValueError(f"{len(one)} and {len(two)} scores of {len(rater)} annotators are not pairs.")
    if len(one) < FEWEST_COMMON:
        return Interval(float("nan"), float("nan"), float("nan"), len(one))
    own = (np.bincount(rater, one + two) / (2 * np.bincount(rater)))[rater]
    return interval(srcc, one - own, two - own, seed=seed)


def _interval(value: float, resampled: Sequence[float] | Floats, n: int) -> Interval:
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(value, min(float(low), value), max(float(high), value), n)

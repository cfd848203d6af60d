"""Shares of photos with intervals in which near-duplicates do not count as several photos, and shares as text.

Photos of one group of near-duplicates are nearly always alike. So a share of photos is about as exact as that of
(Σ m)²/Σ m² independent ones, for groups of m photos (Kish, 1965, 'Survey Sampling', section 8.2). With groups of equal
size this is the number of groups. One large group beside many single photos makes it much smaller: the number of groups
would then promise far too much. Where groups differ in size, the quantile is Student's with one degree of freedom less
than independent photos: a share that rests on few large groups is not normal (Korn & Graubard, 1998, 'Confidence
intervals for proportions with small expected number of positive counts estimated from survey data').
"""

from collections.abc import Iterable
from math import inf, isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import CONFIDENCE, Interval

Floats = NDArray[np.float64]

_MOST_DIGITS = 3
_Z = 1.959964  # of a 95 % interval


def independent_photos(groups: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Return how many independent photos a share of these photos [N] is worth; 0 without photos.

    `groups` [N] names the group of near-duplicates of each photo. `weights` [N]: how much each counts; 1 without.
    """
    names = np.asarray(groups).ravel()
    each = np.ones(len(names)) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    if not each.sum() > 0:
        return 0.0
    sizes = np.bincount(np.unique(names, return_inverse=True)[1], each)
    return float(sizes.sum() ** 2 / (sizes @ sizes))


def share_interval(hits: ArrayLike, groups: ArrayLike, weights: ArrayLike | None = None) -> Interval:
    """Return the share of photos [N] that are hits, with Wilson's interval for as many trials as independent photos.

    A hit is 0, 1, or a part of a photo between them. Unlike a bootstrap, the interval has a width when all or none are
    hits. `n` is the number of photos with a weight above 0, `groups` that of their groups. NaN without photos.
    """
    values, names = np.asarray(hits, dtype=np.float64).ravel(), np.asarray(groups).ravel()
    each = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    counted = each > 0
    trials = independent_photos(names, each)
    if not trials:
        return Interval(float("nan"), float("nan"), float("nan"), 0, 0)
    share = min(max(float(each @ values / each.sum()), 0.0), 1.0)
    count = len(np.unique(names[counted]))
    low, high = wilson_ends(share, trials, is_even=trials > count - 1e-9)
    return Interval(share, low, high, int(np.count_nonzero(counted)), count)


def wilson_ends(share: float, trials: float, *, is_even: bool = True) -> tuple[float, float]:
    """Return Wilson's interval of a share of so many trials, above 0, not necessarily whole.

    SciPy's (`wilson_interval`) takes whole numbers only. Without `is_even`, the trials come from groups that differ in
    size, and the quantile is Student's.
    """
    from scipy.special import ndtri, stdtrit  # importing SciPy takes long, and most web processes do not need it

    level = (1 + CONFIDENCE) / 2
    quantile = float(ndtri(level) if is_even else stdtrit(max(trials - 1, 1.0), level))
    squared = quantile**2 / trials
    middle = (share + squared / 2) / (1 + squared)
    half = float(np.sqrt(squared * (share * (1 - share) + squared / 4))) / (1 + squared)
    return min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)


def trials_needed(share: float, limit: float) -> float:
    """Return from how many independent photos on Wilson's interval of this share leaves the limit, both from 0 to 1.

    z²·l(1 − l)/(p − l)², the interval solved for n; infinite where the share is the limit.
    """
    distance = abs(share - limit)
    return _Z**2 * limit * (1 - limit) / distance**2 if distance > 0 else inf


def highest_part(values: ArrayLike, share: float) -> Floats:
    """Return which photos belong to the highest `share` of the values [N]: 1, 0, or a part for ties at its end [N].

    The parts add up to share·N, so photos that are drawn at random are in it with a probability of `share`, whatever
    the ties. `share` is from 0 to 1.
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    wanted = share * len(numbers)
    levels, level, sizes = np.unique(-numbers, return_inverse=True, return_counts=True)
    before = np.cumsum(sizes) - sizes
    part: Floats = np.clip((wanted - before) / sizes, 0.0, 1.0)[level] if len(levels) else np.zeros(0)
    return part


def percents(shares: Iterable[float], *, beside: Iterable[float] = (), digits: int = 0) -> list[str]:
    """Return shares as percentages without the sign, with as few digits as do not make them false.

    No share below 1 becomes '100', none above 0 becomes '0', and none comes to lie on the other side of a number that
    is shown beside it, or on it. All have the same number of digits, `digits` to 3. NaN becomes '–'.
    """
    numbers = list(shares)
    marks = [0.0, 1.0, *beside]
    known = [number for number in numbers if isfinite(number)]
    while digits < _MOST_DIGITS and not all(_keeps_side(number, mark, digits) for number in known for mark in marks):
        digits += 1
    return [f"{100 * number:.{digits}f}" if isfinite(number) else "–" for number in numbers]


def _keeps_side(number: float, mark: float, digits: int) -> bool:
    shown = round(100 * number, digits)
    difference, rounded = 100 * (number - mark), shown - 100 * mark
    if abs(difference) < 10**-_MOST_DIGITS / 2:
        return True  # more digits than are ever shown
    return abs(rounded) > 1e-9 and (rounded > 0) == (difference > 0)

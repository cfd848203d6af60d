"""95 % intervals of a share, a mean, a root mean square, and (by the bootstrap) any other metric.

Sources: Wilson (1927), 'Probable inference, the law of succession, and statistical inference', for shares; Student
(1908) for means; the chi-square distribution of a sum of squares for root mean squares; Efron & Tibshirani (1993), 'An
introduction to the bootstrap', percentile method, for any other metric. The bootstrap draws images, not votes,
because votes on one image are not independent. Near-duplicates are not independent either, so with `groups` it draws
whole groups of images (Davison & Hinkley, 1997, 'Bootstrap methods and their application', section 3.8).

SciPy is imported inside the functions: importing `scipy.stats` takes about 0.4 s, and most web processes do not need
it.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
# Takes columns [..., N] (one entry per image) and returns [...].
Metric = Callable[..., Floats]

CONFIDENCE = 0.95
_MOST_RESAMPLES, _FEWEST_RESAMPLES = 1000, 200
# Limits the time: ranking 1,000 resamples of 10,000 images takes seconds, and their interval is narrow anyway.
_ENTRIES = 2_000_000
# Limits the memory: more entries than this are measured in several calls.
_ENTRIES_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A metric of n images with its interval. All three numbers are NaN when it is undefined."""

    value: float
    low: float
    high: float
    n: int
    groups: int | None = None
    """Number of groups of near-duplicates that were drawn; None if images were drawn, or by another method."""
    error: float | None = None
    """Standard error, from the same resamples; None without a bootstrap, or with fewer than two defined resamples."""
    least_error: float | None = None
    """What a difference may have that the images could not show, as a standard error; None without."""

    def as_json(self) -> dict[str, float | int | None]:
        """Return {"value", "low", "high", "n"}, with "groups", "error" and "least_error" if known; NaN becomes null.

        JSON has no NaN.
        """
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        found: dict[str, float | int | None] = {
            name: None if np.isnan(number) else number for name, number in numbers.items()
        }
        found["n"] = self.n
        if self.groups is not None:
            found["groups"] = self.groups
        if self.error is not None:
            found["error"] = self.error
        if self.least_error is not None:
            found["least_error"] = self.least_error
        return found


def wilson_interval(hits: int, n: int) -> Interval:
    """Return hits/n with Wilson's interval, which is always within [0, 1].

    Raises ValueError unless 0 ≤ hits ≤ n and n ≥ 1.
    """
    from scipy.stats import binomtest

    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"{hits} of {n} is not a share.")
    p = hits / n
    found = binomtest(hits, n).proportion_ci(confidence_level=CONFIDENCE, method="wilson")
    return Interval(p, min(float(found.low), p), max(float(found.high), p), n)


def mean_interval(values: ArrayLike) -> Interval:
    """Return the mean of values [n] with its interval by Student's t: unbounded for one value, NaN for none."""
    numbers = np.asarray(values, dtype=np.float64).ravel()
    n = len(numbers)
    if not n:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    mean = float(numbers.mean())
    half = float(student_half_width(numbers.std(ddof=1) if n > 1 else float("nan"), n))
    return Interval(mean, mean - half, mean + half, n)


def student_half_width(deviation: ArrayLike, n: ArrayLike) -> Floats:
    """Return t(n − 1)·s/√n, half the width of the interval of a mean of n values with standard deviation s.

    `deviation` (over n − 1) and `n` are numbers or arrays of equal shape. The half width is infinite for one value,
    because its spread is unknown, and NaN for no value.
    """
    from scipy.special import stdtrit

    count = np.asarray(n, dtype=np.float64)
    quantile = stdtrit(np.maximum(count - 1, 1), (1 + CONFIDENCE) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        half: Floats = np.where(count == 1, np.inf, quantile * np.asarray(deviation, dtype=np.float64) / np.sqrt(count))
    return half


def root_mean_square_interval(differences: ArrayLike) -> Interval:
    """Return √(Σd²/n) of differences [n], assumed normal with mean zero, with its interval by chi-square.

    Σd²/σ² is chi-square with n degrees of freedom. The interval of differences that are all zero has no width.
    Raises ValueError without differences.
    """
    from scipy.special import chdtri

    numbers = np.asarray(differences, dtype=np.float64).ravel()
    n, squares = len(numbers), float((numbers**2).sum())
    if not n:
        raise ValueError("At least one difference is needed.")
    # chdtri(n, p) is the value that a chi-square variable with n degrees of freedom exceeds with probability p.
    tail = (1 - CONFIDENCE) / 2
    low, high = (float(np.sqrt(squares / chdtri(n, p))) for p in (tail, 1 - tail))
    return Interval(float(np.sqrt(squares / n)), low, high, n)


def resample_count(n: int) -> int:
    """Return the number of resamples for n images: 1,000; fewer for more than 2,000 images, but at least 200."""
    return int(np.clip(_ENTRIES // max(n, 1), _FEWEST_RESAMPLES, _MOST_RESAMPLES))


def interval(metric: Metric, *columns: ArrayLike, seed: int, groups: ArrayLike | None = None) -> Interval:
    """Return `metric(*columns)` with its percentile interval; each column [N] has one entry per image.

    `groups` [N] names the group of near-duplicates of each image; None: every image is a group of its own. Resamples
    draw whole groups. The interval is extended to contain the value if necessary: resamples repeat images, which
    shifts rank metrics a little, so for small N the percentiles alone can miss the value. The same seed gives the same
    interval.
    """
    return _bootstrap(metric, _columns(columns), seed, groups)


def paired_interval(
    metric: Metric,
    challenger: ArrayLike,
    champion: ArrayLike,
    *observed: ArrayLike,
    seed: int,
    groups: ArrayLike | None = None,
) -> Interval:
    """Return metric(challenger, *observed) − metric(champion, *observed) with its percentile interval.

    Both are measured on the same resamples, so that the difficulty of a resample cancels out. Columns and groups are
    as for `interval`.
    """

    def difference(first: NDArray[np.generic], second: NDArray[np.generic], *common: NDArray[np.generic]) -> Floats:
        return metric(first, *common) - metric(second, *common)

    return _bootstrap(difference, _columns([challenger, champion, *observed]), seed, groups)


def _columns(columns: Sequence[ArrayLike]) -> list[NDArray[np.generic]]:
    arrays = [np.asarray(column) for column in columns]
    lengths = sorted({len(array) for array in arrays})
    if len(lengths) != 1:
        raise ValueError(f"All columns need one entry per image, but they have {lengths} entries.")
    return arrays


def _bootstrap(metric: Metric, columns: list[NDArray[np.generic]], seed: int, groups: ArrayLike | None) -> Interval:
    n = len(columns[0])
    members = _Members(np.arange(n) if groups is None else np.asarray(groups), n)
    count = None if groups is None else members.groups
    value = float(metric(*columns)) if n else float("nan")
    # One group has only one possible resample, and SciPy rejects it.
    if np.isnan(value) or members.groups == 1:
        return Interval(value, value, value, n, count)
    from scipy import stats

    def measured_on(drawn: NDArray[np.int64], axis: int) -> Floats:
        """Return the metric of each row [B] of drawn groups [B, groups]; a row may have its own number of images."""
        found = np.full(len(drawn), np.nan)
        for rows, images in members.of(drawn):
            found[rows] = metric(*(column[images] for column in columns))
        return found

    with warnings.catch_warnings():
        # SciPy warns about undefined resamples; the percentiles below leave them out.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        measured = stats.bootstrap(
            (np.arange(members.groups),),
            measured_on,
            vectorized=True,
            n_resamples=resample_count(n),
            batch=max(1, _ENTRIES_AT_ONCE // n),
            method="percentile",
            rng=np.random.default_rng(seed),
        ).bootstrap_distribution
    # Leave out resamples in which the metric is undefined (for example without any watch).
    measured = measured[~np.isnan(measured)]
    if not len(measured):
        return Interval(value, value, value, n, count)
    low, high = np.quantile(measured, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    error = float(measured.std(ddof=1)) if len(measured) > 1 else None
    return Interval(value, min(float(low), value), max(float(high), value), n, count, error)


class _Members:
    """The images of each group, and the images of drawn groups."""

    def __init__(self, names: NDArray[np.generic], n: int) -> None:
        if len(names) != n:
            raise ValueError(f"Each of the {n} images needs a group, but there are {len(names)} groups.")
        _, group = np.unique(names, return_inverse=True)
        self._images = np.argsort(group, kind="stable")
        self._sizes = np.bincount(group) if n else np.zeros(0, dtype=np.int64)
        self._starts = np.cumsum(self._sizes) - self._sizes
        self.groups = len(self._sizes)

    def of(self, drawn: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield rows of `drawn` [B, groups] that have equally many images, and their images [rows, images]."""
        if self.groups == len(self._images):  # each image is a group, so every row has equally many
            yield np.arange(len(drawn)), self._images[drawn]
            return
        totals = self._sizes[drawn].sum(axis=-1)
        for total in np.unique(totals):
            rows = np.flatnonzero(totals == total)
            chosen = drawn[rows].ravel()
            sizes = self._sizes[chosen]
            # The place of each image within its drawn group: 0, 1, … for each of them.
            within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            images = self._images[np.repeat(self._starts[chosen], sizes) + within]
            yield rows, images.reshape(len(rows), total)

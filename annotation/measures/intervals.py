"""A number with its interval: of a share by Wilson, of any other measure by the bootstrap over images.

Sources: Wilson (1927), 'Probable inference, the law of succession, and statistical inference'; Efron &
Tibshirani (1993), 'An introduction to the bootstrap', percentile method. Images are drawn, not votes:
votes on one image are not independent of each other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

Floats = NDArray[np.float64]
# Takes columns [..., N] (one entry per image) and gives one number per leading index.
Metric = Callable[..., Floats]

RESAMPLES = 1000
# Beyond this many entries the resamples are measured in several calls, to bound the memory.
_ENTRIES_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A measure of n images with its interval; all three numbers are NaN when it cannot be told."""

    value: float
    low: float
    high: float
    n: int

    def as_json(self) -> dict[str, float | int | None]:
        """Return {"value", "low", "high", "n"}; JSON knows no NaN, so what cannot be told is null."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if np.isnan(number) else number for name, number in numbers.items()} | {"n": self.n}


def wilson_interval(hits: int, n: int) -> Interval:
    """Return hits/n with Wilson's 95 % interval, which never leaves [0, 1].

    Raises ValueError unless 0 ≤ hits ≤ n and n ≥ 1.
    """
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"{hits} of {n} is no share.")
    p = hits / n
    found = binomtest(hits, n).proportion_ci(method="wilson")
    return Interval(p, min(float(found.low), p), max(float(found.high), p), n)


def interval(
    metric: Metric, *columns: ArrayLike, seed: int, resamples: int = RESAMPLES, confidence: float = 0.95
) -> Interval:
    """Return `metric(*columns)` with its percentile interval; each column [N] has one entry per image.

    The interval always contains the value: a resample repeats images, which shifts measures of rank
    a little, so for small N the plain percentiles can miss it. Same seed, same interval.
    """
    arrays = _columns(columns)
    return _interval(
        lambda rows: metric(*(array[rows] for array in arrays)), len(arrays[0]), seed, resamples, confidence
    )


def paired_interval(
    metric: Metric,
    challenger: ArrayLike,
    champion: ArrayLike,
    *observed: ArrayLike,
    seed: int,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> Interval:
    """Return metric(challenger, *observed) − metric(champion, *observed) with its percentile interval.

    Both are measured on the same resamples, so that what makes a resample easy or hard cancels out.
    Columns as for `interval`.
    """
    first, second, *rest = _columns([challenger, champion, *observed])

    def difference(rows: NDArray[np.intp]) -> Floats:
        common = [array[rows] for array in rest]
        return metric(first[rows], *common) - metric(second[rows], *common)

    return _interval(difference, len(first), seed, resamples, confidence)


def _columns(columns: Sequence[ArrayLike]) -> list[NDArray[np.generic]]:
    arrays = [np.asarray(column) for column in columns]
    lengths = sorted({len(array) for array in arrays})
    if len(lengths) != 1:
        raise ValueError(f"All columns need one entry per image, but they have {lengths} entries.")
    return arrays


def _interval(
    measure: Callable[[NDArray[np.intp]], Floats], n: int, seed: int, resamples: int, confidence: float
) -> Interval:
    if not n:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    value = float(measure(np.arange(n)))
    if np.isnan(value):
        return Interval(value, value, value, n)
    rng = np.random.default_rng(seed)
    at_once = max(1, _ENTRIES_AT_ONCE // n)
    drawn = []
    for start in range(0, resamples, at_once):
        drawn.append(measure(rng.integers(0, n, (min(at_once, resamples - start), n))))
    measured = np.concatenate(drawn)
    # A resample in which the measure is undefined (say, one without any watch) tells nothing.
    measured = measured[~np.isnan(measured)]
    if not len(measured):
        return Interval(value, value, value, n)
    low, high = np.quantile(measured, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, min(float(low), value), max(float(high), value), n)

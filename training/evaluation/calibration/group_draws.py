"""Resamples of whole groups of near-duplicates, for curves: many numbers from the same resamples.

`annotation.measures.intervals` measures one number per resample of photos. A curve has hundreds of them, so here a
resample is how often each group was drawn, and sums over photos become a product of matrices. Source: Davison & Hinkley
(1997), 'Bootstrap methods and their application', section 3.8.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import CONFIDENCE, Interval, resample_count

Floats = NDArray[np.float64]

# Rows of the matrix of draws that are multiplied at once: limits the memory.
_ENTRIES_AT_ONCE = 4_000_000


class GroupDraws:
    """B resamples of the groups of N photos. The same seed gives the same."""

    def __init__(self, groups: ArrayLike, *, seed: int) -> None:
        """`groups` [N] names the group of each photo."""
        names, group = np.unique(np.asarray(groups), return_inverse=True)
        self.group: NDArray[np.intp] = group
        """Place of each photo's group [N]."""
        self.groups = len(names)
        rng = np.random.default_rng(seed)
        count = resample_count(len(group)) if self.groups else 0
        self._drawn = np.empty((count, self.groups), dtype=np.uint16)
        for row in range(count):
            drawn = rng.integers(0, self.groups, self.groups)
            self._drawn[row] = np.bincount(drawn, minlength=self.groups)

    def __iter__(self) -> Iterator[Floats]:
        """Yield how often each photo was drawn [N], once for each resample."""
        for row in self._drawn:
            yield row[self.group].astype(np.float64)

    def sums(self, *columns: ArrayLike) -> Floats:
        """Return the sum of each column [N] in each resample, [B, columns]."""
        by_group = np.stack(
            [np.bincount(self.group, np.asarray(column, dtype=np.float64), self.groups) for column in columns], axis=1
        )
        rows = max(1, _ENTRIES_AT_ONCE // max(self.groups, 1))
        parts = [
            self._drawn[start : start + rows].astype(np.float64) @ by_group
            for start in range(0, len(self._drawn), rows)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(columns)))

    def ratio(self, above: ArrayLike, below: ArrayLike) -> Interval:
        """Return Σ above / Σ below of two columns [N], with its interval; NaN where Σ below is 0."""
        first, second = (np.asarray(column, dtype=np.float64) for column in (above, below))
        sums = self.sums(first, second)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = float(np.float64(first.sum()) / second.sum()) if len(first) else float("nan")
            return self.interval(value, sums[:, 0] / sums[:, 1])

    def mean(self, column: ArrayLike) -> Interval:
        """Return the mean of a column [N] with its interval; NaN without photos."""
        values = np.asarray(column, dtype=np.float64)
        return self.ratio(values, np.ones(len(values)))

    def interval(self, value: float, resampled: Floats) -> Interval:
        """Return a value with the percentiles of its resamples [B]; those that are NaN are left out.

        With a single group there is only one possible resample, so the interval is unknown: NaN.
        """
        known = resampled[np.isfinite(resampled)]
        n = len(self.group)
        if np.isnan(value) or self.groups < 2 or len(known) < 2:
            return Interval(value, float("nan"), float("nan"), n, self.groups)
        low, high = percentile_band(known)
        return Interval(
            value, min(float(low), value), max(float(high), value), n, self.groups, float(known.std(ddof=1))
        )


def percentile_band(resampled: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the 95 % percentile band over the first axis of resamples [B, ...]; NaN is left out."""
    import warnings

    with warnings.catch_warnings():  # a column without any number gives NaN, as wanted
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = np.nanquantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return low, high


def clustered_error(values: ArrayLike, group: NDArray[np.intp]) -> float:
    """Return the standard error of the mean of values [n] of which those of one group are not independent.

    `group` [n] is the place of each value's group. It is √(G/(G − 1)·Σ_g (Σ_{i in g} (x_i − x̄))²)/n, the sandwich
    estimator of Liang & Zeger (1986). Infinite with a single group.
    """
    x = np.asarray(values, dtype=np.float64)
    _, place = np.unique(group, return_inverse=True)
    sums = np.bincount(place, x - x.mean())
    count = len(sums)
    if count < 2:
        return float("inf")
    return float(np.sqrt(count / (count - 1) * (sums**2).sum()) / len(x))

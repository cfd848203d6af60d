"""Error, bias and rank correlation of the photos of one slice, with intervals from one bootstrap.

The bootstrap draws groups of near-duplicates, as `annotation.measures.intervals` does. That module calls a metric for
each resample; with a hundred slices of up to 100,000 photos this takes minutes. Here each resample is a weight per
photo, and the three measures of all resamples come from a few sums. Ranks of a resample follow from the order of the
photos, which is sorted once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.measures.intervals import CONFIDENCE, Interval, resample_count

Floats = NDArray[np.float64]

_ENTRIES_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class SliceMeasures:
    """The three measures of predicted means against the MOS."""

    rmse: Interval
    bias: Interval
    """Mean of predicted − MOS."""
    srcc: Interval


def slice_measures(predicted: Floats, observed: Floats, groups: NDArray[np.generic], *, seed: int) -> SliceMeasures:
    """Return the measures of photos [N], N at least 1; the same seed gives the same intervals."""
    _, of = np.unique(groups, return_inverse=True)
    count, n = int(of.max()) + 1, len(predicted)
    difference = predicted - observed
    first, second = _Ranks(predicted), _Ranks(observed)
    own = _measured(np.ones((1, n)), difference, first, second)[:, 0]
    times = resample_count(n) if count > 1 else 0
    rng = np.random.default_rng(seed)
    found = np.empty((3, times))
    at_once = max(1, _ENTRIES_AT_ONCE // n)
    for start in range(0, times, at_once):
        rows = min(at_once, times - start)
        drawn = rng.integers(0, count, (rows, count)) + count * np.arange(rows)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)[:, of].astype(np.float64)
        found[:, start : start + rows] = _measured(weights, difference, first, second)
    rmse, bias, srcc = (_interval(float(own[row]), found[row], n, count) for row in range(3))
    return SliceMeasures(rmse=rmse, bias=bias, srcc=srcc)


class _Ranks:
    """The order of one column, for the ranks of weighted resamples."""

    def __init__(self, values: Floats) -> None:
        _, self._tie = np.unique(values, return_inverse=True)
        self._order = np.argsort(self._tie, kind="stable")
        self._starts = np.searchsorted(self._tie[self._order], np.arange(self._tie.max() + 1))

    def of(self, weights: Floats) -> Floats:
        """Return the mean rank of each photo [B, N] when it is there as often as `weights` [B, N] say, less a constant.

        Equal values share their mean rank.
        """
        together = np.add.reduceat(weights[:, self._order], self._starts, axis=1)
        ranks: Floats = (np.cumsum(together, axis=1) - together / 2)[:, self._tie]
        return ranks


def _measured(weights: Floats, difference: Floats, first: _Ranks, second: _Ranks) -> Floats:
    """Return RMSE, bias and SRCC of each resample [3, B]."""
    total = weights.sum(axis=1)
    bias = weights @ difference / total
    rmse = np.sqrt(weights @ difference**2 / total)
    x, y = first.of(weights), second.of(weights)
    x -= ((weights * x).sum(axis=1) / total)[:, None]
    y -= ((weights * y).sum(axis=1) / total)[:, None]
    weighted = weights * x
    together = (weighted * y).sum(axis=1)
    spread = (weighted * x).sum(axis=1) * (weights * y**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        srcc = np.where(spread > 1e-9, together / np.sqrt(spread), np.nan)
    return np.stack([rmse, bias, srcc])


def _interval(value: float, resamples: Floats, n: int, groups: int) -> Interval:
    known = resamples[~np.isnan(resamples)]
    if np.isnan(value) or len(known) < 2:
        return Interval(value, value, value, n, groups)
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(value, min(float(low), value), max(float(high), value), n, groups, float(known.std(ddof=1)))

"""Whether predicted means fit the opinion scores: on average, over the scale, and at its ends.

Three different questions:

* **On average**: the mean of predicted − MOS, against a margin.
* **Slope**: by how much the MOS rises when the prediction rises by one point, the least-squares slope of MOS on
  prediction. 1: a predicted difference is a real one. Above 1, predictions are squeezed together; below 1, pulled
  apart.
* **Spread**: the standard deviation of predicted means over that of people's opinions. The MOS of few votes is spread
  more widely than opinions, by the variance of its mean, which is taken off. Even predictions with slope 1 are spread
  less widely than opinions, by their correlation with them; so this is a question of its own.

A figure 'fits' only if its whole interval lies within the margin; if the interval leaves out the right value, it does
not fit; all else cannot be told.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures import correlation
from annotation.measures.intervals import Interval, interval

Floats = NDArray[np.float64]

#: A mean error below this share of the scale's range is about right: a quarter point on the scale 1-10.
BIAS_MARGIN = 1 / 36
#: Ratios within this factor of 1 are about right.
RATIO_MARGIN = 1.25


class ScoreFit(StrEnum):
    """What can be said about a figure that has a right value."""

    FITS = "fits"
    ABOVE = "above"
    BELOW = "below"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class SpreadFigures:
    """How predicted means lie along the scale, compared with people's opinions."""

    bias: Interval
    """Mean of predicted − MOS, in points."""
    slope: Interval
    """Points of MOS for each predicted point; NaN when all predictions are equal."""
    spread: Interval
    """Standard deviation of the predictions over that of the opinions; NaN where opinions do not differ surely."""
    best: Interval
    """Mean of predicted − MOS of the fifth of the photos that people like best, in points; NaN when undefined."""
    worst: Interval
    """The same of the fifth that they like least."""
    margin: float
    """Of the bias, in points."""

    @property
    def on_average(self) -> ScoreFit:
        """Return whether the mean is right."""
        return against(self.bias, 0.0, -self.margin, self.margin)

    @property
    def of_slope(self) -> ScoreFit:
        """Return whether predicted differences are real ones."""
        return against(self.slope, 1.0, 1 / RATIO_MARGIN, RATIO_MARGIN)

    @property
    def of_spread(self) -> ScoreFit:
        """Return whether predictions are spread as widely as opinions."""
        return against(self.spread, 1.0, 1 / RATIO_MARGIN, RATIO_MARGIN)


def against(found: Interval, right: float, low: float, high: float) -> ScoreFit:
    """Return whether an interval lies within `low` … `high`, beside the right value, or neither."""
    if np.isnan(found.value):
        return ScoreFit.UNKNOWN
    if low <= found.low and found.high <= high:
        return ScoreFit.FITS
    if found.low > right:
        return ScoreFit.ABOVE
    return ScoreFit.BELOW if found.high < right else ScoreFit.UNKNOWN


def spread_figures(
    predicted: ArrayLike,
    mos: ArrayLike,
    noise: ArrayLike,
    halves: tuple[ArrayLike, ArrayLike],
    *,
    scale: tuple[int, int],
    seed: int,
    groups: ArrayLike | None = None,
) -> SpreadFigures:
    """Return the figures of predicted means [N] and MOS [N]; intervals draw `groups` [N] of near-duplicates.

    `noise`: variance of each MOS around the opinion of everybody, estimated for each photo by itself [N], in squared
    points. The spread has no upper end where opinions may not differ at all. `halves`: the mean of one half
    of each photo's votes and of the other half [N], NaN where a half is empty. One half chooses the best photos and the
    other measures them, so that luck in the votes does not count as the model's error.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(mos, dtype=np.float64)
    first, second = (np.asarray(half, dtype=np.float64) for half in halves)
    names = np.arange(len(x)) if groups is None else np.asarray(groups)
    return SpreadFigures(
        bias=interval(correlation.bias, x, y, groups=names, seed=seed),
        slope=interval(slope, x, y, groups=names, seed=seed),
        spread=_spread(x, y, np.asarray(noise, dtype=np.float64), names, seed),
        best=_end_bias(x, first, second, names, is_best=True, seed=seed),
        worst=_end_bias(x, first, second, names, is_best=False, seed=seed),
        margin=BIAS_MARGIN * (scale[1] - scale[0]),
    )


def slope(predicted: ArrayLike, observed: ArrayLike) -> Floats:
    """Return the least-squares slope of observed on predicted of arrays [..., N]; NaN for equal predictions."""
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    dx, dy = x - x.mean(axis=-1, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    squares = (dx**2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(squares > 1e-12, (dx * dy).sum(axis=-1) / squares, np.nan)
    return found


def _spread(x: Floats, y: Floats, noise: Floats, names: NDArray[np.generic], seed: int) -> Interval:
    """Return the spread ratio r with the interval of 1/r², which is defined also where opinions do not differ."""
    found = interval(_opinions_over_predictions, x, y, noise, groups=names, seed=seed)
    value, high, low = (1 / np.sqrt(end) if end > 0 else np.inf for end in (found.value, found.low, found.high))
    if not np.isfinite(value):
        low = value = high = np.nan
    return Interval(float(value), float(low), float(high), found.n, found.groups)


def _opinions_over_predictions(predicted: ArrayLike, mos: ArrayLike, noise: ArrayLike) -> Floats:
    """Return (Var(MOS) − mean noise) / Var(predicted) of arrays [..., N]; NaN for equal predictions."""
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(mos, dtype=np.float64)
    opinions, of_model = y.var(axis=-1, ddof=1) - np.asarray(noise).mean(axis=-1), x.var(axis=-1, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(of_model > 1e-12, opinions / of_model, np.nan)
    return found


def vote_halves(photo: ArrayLike, scores: ArrayLike, *, photos: int, seed: int) -> tuple[Floats, Floats]:
    """Return the mean score of each photo's votes in two random halves, [photos] each; NaN where a half is empty.

    `photo` is the row 0 … photos − 1 of each vote. With an odd number of votes the first half has one more.
    """
    rows, values = np.asarray(photo, dtype=np.int64), np.asarray(scores, dtype=np.float64)
    order = np.lexsort((np.random.default_rng(seed).random(len(rows)), rows))
    sizes = np.bincount(rows, minlength=photos)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # 0, 1, … within each photo
    sums, counts = np.zeros((2, photos)), np.zeros((2, photos))
    np.add.at(sums, (place % 2, rows[order]), values[order])
    np.add.at(counts, (place % 2, rows[order]), 1)
    with np.errstate(invalid="ignore"):
        means = sums / counts
    return means[0], means[1]


def _end_bias(
    x: Floats, first: Floats, second: Floats, names: NDArray[np.generic], *, is_best: bool, seed: int
) -> Interval:
    """Return the bias of the best or the worst fifth. Each half chooses once and measures once."""
    known = ~(np.isnan(first) | np.isnan(second))
    x, first, second, names = x[known], first[known], second[known], names[known]
    count = len(x) // 5
    if not count:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    sums, times = np.zeros(len(x)), np.zeros(len(x))
    for chooses, measures in ((first, second), (second, first)):
        order = np.argsort(-chooses if is_best else chooses, kind="stable")[:count]
        sums[order] += x[order] - measures[order]
        times[order] += 1
    chosen = times > 0
    # A photo that both halves choose counts twice. Otherwise photos that only one half likes would count too much.
    return interval(_mean_of_sums, sums[chosen], times[chosen], groups=names[chosen], seed=seed)


def _mean_of_sums(sums: NDArray[np.generic], times: NDArray[np.generic]) -> Floats:
    """Return Σ sums / Σ times of arrays [..., N]."""
    found: Floats = np.asarray(sums).sum(axis=-1) / np.asarray(times).sum(axis=-1)
    return found

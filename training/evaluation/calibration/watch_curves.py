"""Curves over all thresholds of the watch probability: ROC, precision and recall, F1, and what a wrong decision costs.

A photo counts as a watch if its probability is above the threshold. So all numbers stay the same between two
neighbouring probabilities: the curves are steps, and a threshold stands for the range up to the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import Interval
from training.evaluation.calibration.group_draws import GroupDraws, percentile_band

Floats = NDArray[np.float64]

# A curve of so many points looks like one of all points, and its stored text stays small.
_MOST_POINTS = 400
_BAND_POINTS = 51
_EQUAL = 1e-12

#: How many false alarms are as bad as one missed watch, in the table of costs.
COST_RATIOS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_PER = 1000


@dataclass(frozen=True)
class Curve:
    """A curve through the unit square, with a 95 % band."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    threshold: tuple[float, ...]
    """Of each point."""
    band_at: tuple[float, ...]
    """The x of the points of the band."""
    low: tuple[float, ...]
    high: tuple[float, ...]
    area: Interval
    """Area under the ROC curve, or average precision."""


@dataclass(frozen=True)
class Plateau:
    """Thresholds that cannot be told apart by F1. A range includes its start and not its end."""

    best_low: float
    """Between this and `best_high` F1 is exactly the best."""
    best_high: float
    low: float
    """Between this and `high` no threshold is clearly worse than the best: the interval of the paired difference in F1
    contains 0."""
    high: float
    best: Interval
    """The best F1."""

    def __contains__(self, threshold: float) -> bool:
        """Return whether a threshold is among those that cannot be told apart from the best."""
        return self.low <= threshold < self.high


@dataclass(frozen=True)
class ThresholdCurve:
    """What each threshold does, ascending [T]. The first one is 0, and each holds up to the next."""

    threshold: tuple[float, ...]
    missed: tuple[int, ...]
    """Watches at or below the threshold."""
    false_alarms: tuple[int, ...]
    """Other photos above the threshold."""
    f1: tuple[float, ...]
    """NaN where there is no watch."""
    f1_low: tuple[float, ...]
    f1_high: tuple[float, ...]
    precision: tuple[float, ...]
    """NaN where no photo is above the threshold."""
    recall: tuple[float, ...]


@dataclass(frozen=True)
class CostRow:
    """The cheapest thresholds for one price of a missed watch. Costs are in false alarms for 1,000 photos."""

    ratio: float
    """How many false alarms are as bad as one missed watch."""
    low: float
    """Start of the cheapest thresholds; they end at `high`, which is not included."""
    high: float
    missed: int
    false_alarms: int
    cost: float
    cost_in_use: float
    """Cost of the threshold in use."""


@dataclass(frozen=True)
class WatchCurves:
    """All curves of the watch probability; those that need both labels are None without them."""

    thresholds: ThresholdCurve
    plateau: Plateau | None
    roc: Curve | None
    precision_recall: Curve | None
    costs: tuple[CostRow, ...]


def watch_curves(
    probabilities: ArrayLike, labels: ArrayLike, draws: GroupDraws, *, threshold: float, roc_auc: Interval
) -> WatchCurves:
    """Return the curves of at least one probability [N] with its 0/1 label [N].

    `draws` are resamples of the same photos, `threshold` is the one in use, and `roc_auc` the area under the ROC curve.
    """
    p, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    steps = _steps(p, truth, threshold)
    above = np.searchsorted(steps, p, side="left")  # how many of the steps a photo is above
    found = _above_each(above, truth, np.ones(len(p)), len(steps))
    watches, others = int(truth.sum()), int(len(truth) - truth.sum())
    resampled = np.array([_above_each(above, truth, weights, len(steps)) for weights in draws])
    resampled = resampled.reshape(-1, 2, len(steps))
    totals = draws.sums(truth, 1 - truth)
    f1, precision, recall = _rates(found[np.newaxis], np.array([[watches, others]]))[:, 0]
    f1s, precisions, recalls = _rates(resampled, totals)
    low, high = percentile_band(f1s) if len(f1s) else (np.full(len(steps), np.nan),) * 2
    thresholds = ThresholdCurve(
        threshold=tuple(steps.tolist()),
        missed=tuple((watches - found[0]).astype(int).tolist()),
        false_alarms=tuple(found[1].astype(int).tolist()),
        f1=tuple(f1.tolist()),
        f1_low=tuple(np.fmin(low, f1).tolist()),
        f1_high=tuple(np.fmax(high, f1).tolist()),
        precision=tuple(precision.tolist()),
        recall=tuple(recall.tolist()),
    )
    costs = tuple(cost_row(thresholds, ratio, threshold, photos=len(p)) for ratio in COST_RATIOS)
    if not watches or not others:
        return WatchCurves(thresholds, None, None, None, costs)
    return WatchCurves(
        thresholds=thresholds,
        plateau=_plateau(steps, f1, f1s, threshold, draws),
        roc=_roc(p, truth, resampled, totals, roc_auc),
        precision_recall=_precision_recall(p, truth, precisions, recalls, draws),
        costs=costs,
    )


def cost_row(curve: ThresholdCurve, ratio: float, threshold: float, *, photos: int) -> CostRow:
    """Return the cheapest thresholds when one missed watch is as bad as `ratio` false alarms.

    The expected cost is (ratio·missed + false alarms)/photos (Drummond & Holte, 2006, 'Cost curves'). Of several
    equally cheap ranges, the one nearest to `threshold`, the one in use. static/js/watch_cost.js computes the same.
    """
    missed, alarms = np.array(curve.missed, dtype=np.float64), np.array(curve.false_alarms, dtype=np.float64)
    cost = (ratio * missed + alarms) * _PER / photos
    steps = np.array(curve.threshold)
    in_use = _place(steps, threshold)
    cheapest = np.flatnonzero(cost <= cost.min() + 1e-9)
    place = int(cheapest[np.abs(cheapest - in_use).argmin()])
    first, last = _run(cost <= cost.min() + 1e-9, place)
    return CostRow(
        ratio=ratio,
        low=float(steps[first]),
        high=_end(steps, last),
        missed=curve.missed[place],
        false_alarms=curve.false_alarms[place],
        cost=float(cost[place]),
        cost_in_use=float(cost[in_use]),
    )


def _steps(p: Floats, truth: NDArray[np.int64], threshold: float) -> Floats:
    """Return the thresholds at which decisions change, and 0 and the one in use; of very many, those of quantiles."""
    distinct = np.unique(p)
    if len(distinct) > _MOST_POINTS:
        shares = np.linspace(0, 1, _MOST_POINTS // 2)
        parts = [np.quantile(p[truth == label], shares, method="lower") for label in (0, 1) if (truth == label).any()]
        distinct = np.unique(np.concatenate([*parts, distinct[[0, -1]]]))
    return np.unique(np.concatenate([[0.0], distinct, [threshold]]))


def _above_each(above: NDArray[np.intp], truth: NDArray[np.int64], weights: Floats, steps: int) -> Floats:
    """Return the sum of the weights of watches, and of other photos, above each step, [2, steps]."""
    found = np.empty((2, steps))
    for row, wanted in enumerate((truth, 1 - truth)):
        counts = np.bincount(above, weights * wanted, steps + 1)
        found[row] = counts[::-1].cumsum()[::-1][1:]
    return found


def _rates(above: Floats, totals: Floats) -> Floats:
    """Return F1, precision and recall, [3, B, steps], from counts above each step [B, 2, steps] and totals [B, 2]."""
    hits, alarms = above[:, 0], above[:, 1]
    watches = totals[:, :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        f1 = np.where(watches > 0, 2 * hits / (hits + alarms + watches), np.nan)
        precision = np.where(hits + alarms > 0, hits / (hits + alarms), np.nan)
        recall = np.where(watches > 0, hits / watches, np.nan)
    return np.stack([f1, precision, recall])


def _plateau(steps: Floats, f1: Floats, resampled: Floats, threshold: float, draws: GroupDraws) -> Plateau:
    in_use, best = _place(steps, threshold), f1.max()
    place = in_use if f1[in_use] >= best - _EQUAL else int(f1.argmax())
    first, last = _run(f1 >= best - _EQUAL, place)
    if draws.groups > 1:
        _, high = percentile_band(resampled - resampled[:, [place]])
        alike = high >= -_EQUAL
    else:
        alike = np.ones(len(steps), dtype=np.bool_)  # one group can tell nothing apart
    alike[place] = True
    low, high_end = _run(alike, place)
    return Plateau(
        best_low=float(steps[first]),
        best_high=_end(steps, last),
        low=float(steps[low]),
        high=_end(steps, high_end),
        best=draws.interval(float(best), resampled[:, place]),
    )


def _run(wanted: NDArray[np.bool_], place: int) -> tuple[int, int]:
    """Return the first and the last place of the run of true values around `place`."""
    unwanted = np.flatnonzero(~wanted)
    before, after = unwanted[unwanted < place], unwanted[unwanted > place]
    return int(before[-1]) + 1 if len(before) else 0, int(after[0]) - 1 if len(after) else len(wanted) - 1


def _place(steps: Floats, threshold: float) -> int:
    """Return the step that a threshold lies in."""
    return max(int(np.searchsorted(steps, threshold, side="right")) - 1, 0)


def _end(steps: Floats, last: int) -> float:
    """Return where the range of the step `last` ends."""
    return float(steps[last + 1]) if last + 1 < len(steps) else 1.0


def _roc(p: Floats, truth: NDArray[np.int64], resampled: Floats, totals: Floats, area: Interval) -> Curve:
    from sklearn.metrics import roc_curve

    x, y, thresholds = roc_curve(truth, p)
    kept = _thinned(len(x))
    grid = np.linspace(0, 1, _BAND_POINTS)
    rows = np.full((len(resampled), len(grid)), np.nan)
    for row, (above, (watches, others)) in enumerate(zip(resampled, totals, strict=True)):
        if watches and others:
            # From the highest threshold down: the share of others that is let in at most, and the watches found by it.
            wrong, right = above[1, ::-1] / others, above[0, ::-1] / watches
            place = np.searchsorted(wrong, grid + _EQUAL, side="right") - 1
            rows[row] = np.where(place >= 0, right[np.maximum(place, 0)], 0.0)
            rows[row, -1] = 1.0
    return _curve(x[kept], y[kept], thresholds[kept], grid, rows, area)


def _precision_recall(
    p: Floats, truth: NDArray[np.int64], precisions: Floats, recalls: Floats, draws: GroupDraws
) -> Curve:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    y, x, thresholds = precision_recall_curve(truth, p)
    # The last point, recall 0 with precision 1, is no threshold's.
    y, x = y[:-1][::-1], x[:-1][::-1]
    kept = _thinned(len(x))
    grid = np.linspace(0, 1, _BAND_POINTS)[1:]
    rows = np.full((len(precisions), len(grid)), np.nan)
    averages = np.full(len(precisions), np.nan)
    for row, (precision, recall) in enumerate(zip(precisions[:, ::-1], recalls[:, ::-1], strict=True)):
        if np.isnan(recall).any():
            continue  # a resample without a watch
        averages[row] = np.nansum(np.diff(recall, prepend=0.0) * precision)
        place = np.searchsorted(recall, grid - _EQUAL, side="left")  # the highest threshold that finds so many
        inside = place < len(recall)
        rows[row, inside] = precision[place[inside]]
    area = draws.interval(float(average_precision_score(truth, p)), averages)
    return _curve(x[kept], y[kept], thresholds[::-1][kept], grid, rows, area)


def _curve(x: Floats, y: Floats, thresholds: Floats, grid: Floats, rows: Floats, area: Interval) -> Curve:
    low, high = percentile_band(rows) if len(rows) else (np.full(len(grid), np.nan),) * 2
    columns: Sequence[Floats] = (x, y, np.minimum(thresholds, 1.0), grid, low, high)
    x_, y_, threshold, band_at, low_, high_ = (tuple(np.asarray(one).tolist()) for one in columns)
    return Curve(x_, y_, threshold, band_at, low_, high_, area)


def _thinned(count: int) -> NDArray[np.intp]:
    """Return at most `_MOST_POINTS` places of so many, with both ends."""
    return np.unique(np.linspace(0, count - 1, min(count, _MOST_POINTS)).round().astype(np.intp))

"""What people say when the model says a score: the fitted line, and running means."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import CONFIDENCE, Interval
from training.evaluation.calibration.group_draws import GroupDraws, clustered_error, percentile_band

Floats = NDArray[np.float64]

#: A line through fewer groups of near-duplicates says nothing.
FEWEST_FOR_LINE = 10
#: A running mean of fewer photos is the photos themselves.
FEWEST_FOR_RUNNING = 20
_POINTS = 41
# A running mean covers this share of the photos on each side, and at least so many photos.
_SIDE, _FEWEST_ON_SIDE = 0.05, 5
# Between these shares of the photos is the middle 80 %.
_INNER = (0.1, 0.9)


@dataclass(frozen=True)
class FittedLine:
    """MOS = `at_mean` + `slope`·(predicted − mean of predicted)."""

    slope: Interval
    """1 where a model that says one point more is followed by people who say one point more."""
    at: tuple[float, ...]
    """Predicted scores of the points of the line, ascending."""
    value: tuple[float, ...]
    """Mean MOS there."""
    low: tuple[float, ...]
    """The 95 % band of that mean."""
    high: tuple[float, ...]


@dataclass(frozen=True)
class RunningMean:
    """Means of a column over photos with similar scores."""

    at: tuple[float, ...]
    """Mean scores of the windows, ascending."""
    mean: tuple[float, ...]
    low: tuple[float, ...]
    """The 95 % band of the mean; near-duplicates count as one photo."""
    high: tuple[float, ...]
    inner_low: tuple[float, ...]
    """Between these lie the middle 80 % of the photos in the window."""
    inner_high: tuple[float, ...]
    photos: tuple[int, ...]


def fitted_line(predicted: ArrayLike, mos: ArrayLike, draws: GroupDraws) -> FittedLine | None:
    """Return the least-squares line of MOS [N] on predicted means [N]; None where it cannot be told.

    The question is 'when the model says 6, what do people say?', so it is the regression of people on the model
    (Mincer & Zarnowitz, 1969, 'The evaluation of economic forecasts'): the predicted score is known exactly, and the
    noise of a MOS of few votes does not change the slope. Total least squares would answer another question, how two
    inexact measurements of one thing relate (Fuller, 1987, 'Measurement error models'). Slope 1 through equal means is
    a calibrated model. The band is a bootstrap over groups of near-duplicates. None with fewer than `FEWEST_FOR_LINE`
    groups, or when all predictions are equal.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(mos, dtype=np.float64)
    if draws.groups < FEWEST_FOR_LINE or np.ptp(x) < 1e-9:
        return None
    # Differences from the means, because sums of squares of large numbers are inexact.
    x_mean, y_mean = x.mean(), y.mean()
    x0, y0 = x - x_mean, y - y_mean
    slope = float((x0 * y0).sum() / (x0**2).sum())
    count, sx, sy, sxx, sxy = draws.sums(np.ones(len(x)), x0, y0, x0**2, x0 * y0).T
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = (sxy - sx * sy / count) / (sxx - sx**2 / count)
        levels = (sy - slopes * sx) / count
    slopes[~np.isfinite(slopes)] = np.nan
    at = np.linspace(x.min(), x.max(), _POINTS)
    low, high = percentile_band(levels[:, np.newaxis] + slopes[:, np.newaxis] * (at - x_mean) + y_mean)
    value = y_mean + slope * (at - x_mean)
    return FittedLine(
        slope=draws.interval(slope, slopes),
        at=tuple(at.tolist()),
        value=tuple(value.tolist()),
        low=tuple(np.minimum(low, value).tolist()),
        high=tuple(np.maximum(high, value).tolist()),
    )


def running_mean(scores: ArrayLike, values: ArrayLike, group: NDArray[np.intp]) -> RunningMean | None:
    """Return the means of values [N] over windows of photos with neighbouring scores [N]; None for few photos.

    A window covers a twentieth of the photos on each side of its middle (at least five), and less at the ends of the
    scale, so that the ends are seen. `group` [N] is the place of each photo's group of near-duplicates. The band of the
    mean is Student's t with the sandwich estimator over groups; without bounds it is left at the mean.
    """
    from scipy.special import stdtrit

    x, y = np.asarray(scores, dtype=np.float64), np.asarray(values, dtype=np.float64)
    n = len(x)
    if n < FEWEST_FOR_RUNNING:
        return None
    order = np.argsort(x, kind="stable")
    side = max(_FEWEST_ON_SIDE, round(_SIDE * n))
    rows = []
    for middle in np.unique(np.linspace(0, n - 1, _POINTS).round().astype(int)):
        window = order[max(0, middle - side) : middle + side + 1]
        found = y[window]
        mean, error = float(found.mean()), clustered_error(found, group[window])
        members = len(np.unique(group[window]))
        half = float(stdtrit(max(members - 1, 1), (1 + CONFIDENCE) / 2)) * error
        half = half if np.isfinite(half) else 0.0
        inner = np.quantile(found, _INNER)
        rows.append((float(x[window].mean()), mean, mean - half, mean + half, *inner.tolist(), len(window)))
    at, mean_, low, high, inner_low, inner_high, photos = (tuple(column) for column in zip(*rows, strict=True))
    return RunningMean(at, mean_, low, high, inner_low, inner_high, photos)

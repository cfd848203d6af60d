"""Every function that draws: with no data, one point, a dozen and 100,000.

`DRAWN` has a row for each function of both packages of drawings, and a test finds one that is missing.
"""

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

import annotation.drawing
import training.drawing
from annotation.drawing.axis import Tick
from annotation.drawing.columns import Series, columns
from annotation.drawing.intervals import interval_row, two_intervals
from annotation.drawing.lines import MOST_POINTS, Area, Line, LineMark, lines, marks_on_line
from annotation.drawing.points import Point, points
from annotation.drawing.svg import Svg
from annotation.measures.intervals import Interval
from tests.training.drawing.test_chart_sizes import figures
from tests.training.drawing.test_score_charts import LINKS, scatter
from tests.training.drawing.test_score_charts import points as photo_points
from tests.training.evaluation.test_curve_gain import report
from training.drawing.bokeh_chart import Chart
from training.drawing.learning_curve import rps_chart, srcc_chart
from training.drawing.loss_curve import LossCurve, loss_curve
from training.drawing.order_curve import order_chart
from training.drawing.score_charts import pit_chart, residual_chart, score_scatter
from training.drawing.simulation_curves import SeriesLine, simulation_chart
from training.drawing.trend import BY_VOTES, trend_chart
from training.drawing.watch_charts import (
    precision_recall_chart,
    reliability_diagram,
    roc_chart,
    threshold_chart,
)
from training.evaluation.calibration.trend import MOST_VERSIONS
from training.evaluation.calibration.vote_forecast import PIT_BINS, PitHistogram
from training.evaluation.calibration.watch_curves import Curve, ThresholdCurve
from training.evaluation.curve_gain import CurveRow
from training.evaluation.order_curve import OrderCurve, OrderPoint, OrderTask
from training.evaluation.registry import METRICS

Drawn = Svg | Chart | LossCurve | None

COUNTS = (0, 1, 12, 100_000)
#: Bytes. The largest page has about a dozen drawings, and must be there within a second.
LARGEST = 300_000
VALUE = Interval(0.02, 0.0, 0.04, 187)
REPORT = report(VALUE, VALUE)
NOTHING = float("nan")


def _wave(count: int) -> np.ndarray:
    return np.sin(np.linspace(0, 6, count)) / 2 + 0.5


def _shares(count: int) -> tuple[float, ...]:
    """Return the shares of `count` votes in ten bins; zeros without votes."""
    bins = np.bincount(np.arange(count) % PIT_BINS, minlength=PIT_BINS)
    return tuple(bins / max(count, 1))


def _interval(count: int) -> tuple[float, float, float]:
    half = 1 / np.sqrt(count) if count else NOTHING
    return (0.5 if count else NOTHING), 0.5 - half, 0.5 + half


def _columns(count: int) -> Drawn:
    counts = np.bincount(np.arange(count) % 101, minlength=101)  # votes of the longest scale
    series = [Series("people", counts.tolist()), Series("model", (counts / max(count, 1)).tolist())]
    return columns(name="Votes", series=series, end=float(max(counts.max(), 1)), labels=[str(i) for i in range(101)])


def _lines(count: int) -> Drawn:
    xs, ys = list(range(count)), _wave(count).tolist()
    return lines(
        name="A wave",
        lines=[Line("train", xs, ys)],
        areas=[Area("series-1", xs, ys, ys)],
        x_range=(0, max(count, 1)),
        y_range=(0, 1),
        x_ticks=[Tick(0, "0")],
        y_ticks=[Tick(0, "0")],
        best=(float(xs[0]), ys[0]) if count else None,
    )


def _points(count: int) -> Drawn:
    shown = [Point(float(i), 0.5, 0.4, 0.6, f"Version {i}") for i in range(min(count, MOST_VERSIONS))]
    return points(name="V", points=shown, x_range=(0, MOST_VERSIONS), y_range=(0, 1), x_ticks=[], y_ticks=[])


def _marks(count: int) -> Drawn:
    value, low, high = _interval(count)
    marks = [LineMark("model", value, f"model {value:.2f}")] if count else []
    return marks_on_line(name="Distances", marks=marks, interval=(low, high))


def _report(count: int) -> Drawn:
    rows = [CurveRow(10.0 * (i + 1), 5.0, VALUE, VALUE) for i in range(count)]
    return srcc_chart(replace(REPORT, rows=rows, total=10 * max(count, 1)))


def _report_rps(count: int) -> Drawn:
    rows = [CurveRow(10.0 * (i + 1), 5.0, VALUE, VALUE) for i in range(count)]
    return rps_chart(replace(REPORT, rows=rows, total=10 * max(count, 1)))


def _order(count: int) -> Drawn:
    row = [OrderPoint(float(i), VALUE) for i in range(count)]
    curve = OrderCurve(OrderTask.WATCH, row, row, 0, count, count, VALUE, None, 0.9 * count)
    return order_chart(curve, name="Error over answers")


def _loss(count: int) -> Drawn:
    losses = _wave(count).tolist()
    return loss_curve([{"epoch": i + 1, "train": one, "validation": one} for i, one in enumerate(losses)])


def _simulation(count: int) -> Drawn:
    line = SeriesLine("random", list(range(1, count + 1)), [Interval(one, one, one, 5) for one in _wave(count)])
    return simulation_chart([line], name="F1 over answers")


def _trend(count: int) -> Drawn:
    return trend_chart(figures(min(count, MOST_VERSIONS)), METRICS["quality_srcc"], by=BY_VOTES, name="SRCC")


def _residuals(count: int) -> Drawn:
    of_chart = {"scale": (1, 10), "links": LINKS, "title": "+0.4", "rng": np.random.default_rng(1), "running": None}
    return residual_chart(photo_points(count), by_people=False, **of_chart)  # type: ignore[arg-type]  # numbers and texts in one dict


def _pit(count: int) -> Drawn:
    shares = _shares(count)
    return pit_chart(PitHistogram(shares, shares, shares, count, count, count), title="0 of 10 bars outside")


def _reliability(count: int) -> Drawn:
    bins = np.linspace(0.05, 0.95, min(count, 20))  # quantile bins
    return reliability_diagram(
        predicted=bins, observed=bins, low=bins, high=bins, counts=np.full(len(bins), count), title="Fits"
    )


def _curve(count: int) -> Curve:
    """Return a curve through at most as many points as curves are drawn with."""
    grid = tuple(np.linspace(0, 1, min(count, 400)))
    return Curve(grid, grid, grid, grid[:51], grid[:51], grid[:51], area=VALUE)


def _roc(count: int) -> Drawn:
    return roc_chart(_curve(count), at=(0.1, 0.9) if count else (NOTHING, NOTHING), threshold=0.05, title="AUC 0.9")


def _precision_recall(count: int) -> Drawn:
    at = (0.9, NOTHING)
    return precision_recall_chart(_curve(count), at=at, threshold=0.05, base_rate=0.2, title="Precision 0.8")


def _thresholds(count: int) -> Drawn:
    grid = tuple(np.linspace(0, 0.99, min(max(count, 1), 400)))  # the first threshold is always there
    values = grid if count else (NOTHING,)
    zeros = (0,) * len(grid)
    curve = ThresholdCurve(grid, zeros, zeros, values, values, values, values, values)
    return threshold_chart(curve, plateau=None, chosen=0.05, title="F1 is 0.6")


#: {what draws: a function from a number of points, photos, epochs, answers or versions to its drawing}.
DRAWN: dict[Callable[..., object], Callable[[int], Drawn]] = {
    columns: _columns,
    interval_row: lambda n: interval_row(**dict(zip(("value", "low", "high"), _interval(n), strict=True)), axis=(0, 1)),
    two_intervals: lambda n: two_intervals(people=_interval(n), model=_interval(n), axis=(0, 1)),
    lines: _lines,
    marks_on_line: _marks,
    points: _points,
    srcc_chart: _report,
    rps_chart: _report_rps,
    order_chart: _order,
    loss_curve: _loss,
    simulation_chart: _simulation,
    trend_chart: _trend,
    score_scatter: scatter,
    residual_chart: _residuals,
    pit_chart: _pit,
    reliability_diagram: _reliability,
    roc_chart: _roc,
    precision_recall_chart: _precision_recall,
    threshold_chart: _thresholds,
}


def _drawing_functions() -> Iterator[Callable[..., object]]:
    """Yield the public functions of both packages that return a drawing."""
    for package in (annotation.drawing, training.drawing):
        for found in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{found.name}")
            for name, function in inspect.getmembers(module, inspect.isfunction):
                result = str(inspect.signature(function).return_annotation)
                is_drawing = re.search(r"\b(Svg|Chart|LossCurve)\b", result) is not None
                if is_drawing and not name.startswith("_") and function.__module__ == module.__name__:
                    yield function


def test_every_function_that_draws_is_in_the_table() -> None:
    made_from_plots = {"chart_of"}  # the other functions of Bokeh end with it
    assert {one.__name__ for one in _drawing_functions()} - made_from_plots == {one.__name__ for one in DRAWN}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("function", DRAWN, ids=lambda function: function.__name__)
def test_a_drawing_is_whole_and_small_with_any_number_of_points(function: Callable[..., object], count: int) -> None:
    drawing = DRAWN[function](count)
    if drawing is None:
        assert count < 2, "Only without data, and for a curve of one point, is there nothing to draw."
        return
    if isinstance(drawing, Chart):
        text = json.dumps(drawing.payload, allow_nan=False)
        assert drawing.title
        assert drawing.title in drawing.label
    else:
        text = drawing.drawing if isinstance(drawing, LossCurve) else drawing
        ElementTree.fromstring(text)
        assert not re.search(r"nan|inf\b", re.sub(r"<title>.*?</title>", "", text), re.IGNORECASE)
    assert len(text) <= LARGEST


def test_a_long_line_keeps_its_ends_and_each_peak() -> None:
    ys = [0.0] * 100_000
    ys[54_321], ys[77_777] = 1.0, -1.0  # two single points that a random sample would lose
    xs = list(range(100_000))
    drawing = lines(
        name="", lines=[Line("train", xs, ys)], x_range=(0, 99_999), y_range=(-1, 1), x_ticks=[], y_ticks=[], height=200
    )
    found = re.search(r'points="([^"]+)"', drawing)
    assert found is not None
    places = [tuple(float(one) for one in place.split(",")) for place in found[1].split()]
    assert len(places) <= MOST_POINTS + 2
    assert (places[0][0], places[-1][0]) == (0, 100)
    assert min(y for _, y in places) == min(place[1] for place in places if abs(place[0] - 54.32) < 0.01)
    assert max(y for _, y in places) == max(place[1] for place in places if abs(place[0] - 77.78) < 0.01)

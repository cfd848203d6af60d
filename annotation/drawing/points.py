"""A chart of points with intervals, over bands of the background."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.drawing.axis import Tick
from annotation.drawing.svg import ROW, Drawing, Svg, number, percent

_TOP = 8  # space for the upper half of the highest tick's text
_CAP = 0.6  # half the width of the ends of an interval, percent


@dataclass(frozen=True)
class Point:
    """A value with its interval."""

    x: float
    value: float
    low: float
    high: float
    title: str
    """The tooltip."""
    kind: str = "model"
    """CSS class: `model` is outlined, `champion` filled."""


@dataclass(frozen=True)
class Band:
    """A part of the background, from `start` to `end` on the x axis."""

    start: float
    end: float
    title: str


def points(
    *,
    name: str,
    points: Sequence[Point],
    bands: Sequence[Band] = (),
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    x_ticks: Sequence[Tick],
    y_ticks: Sequence[Tick],
    x_label: str = "",
    height: float = 220,
) -> Svg:
    """Draw points in the order given, joined by a line, with their intervals, within two ranges (low < high each).

    All numbers must be finite. `height` is that of the plot without labels, in pixels.
    """

    def across(x: float) -> float:
        return 100 * (x - x_range[0]) / (x_range[1] - x_range[0])

    def up(y: float) -> float:
        return _TOP + height * (y_range[1] - y) / (y_range[1] - y_range[0])

    base = _TOP + height
    drawing = Drawing(name=name, height=base + ROW + ROW * bool(x_label), classes="ticked of-points")
    for band in bands:
        left, right = (min(max(across(end), 0.0), 100.0) for end in (band.start, band.end))
        place = {"class": "band", "x": percent(left), "width": percent(max(right - left, 0.0))}
        shape = drawing.add("rect", place | {"y": str(_TOP), "height": number(height)})
        drawing.add("title", {}, band.title, into=shape)
    for tick in y_ticks:
        drawing.tick(tick.text, up(tick.value))
    drawing.rule(base, "axis")
    plot = drawing.stretched(top=_TOP, height=height)
    joined = " ".join(f"{number(across(one.x))},{number(up(one.value))}" for one in points)
    drawing.add("polyline", {"class": "joined", "points": joined}, into=plot)
    for one in points:
        _interval(drawing, across(one.x), up(one.low), up(one.high))
    for one in points:
        place = {"cx": percent(across(one.x)), "cy": number(up(one.value))}
        mark = drawing.add("circle", {"class": one.kind, "r": "6"} | place)
        drawing.add("title", {}, one.title, into=mark)
    for tick in x_ticks:
        drawing.label(tick.text, at=across(tick.value), row=base)
    if x_label:
        drawing.label(x_label, at=50, row=base + ROW, kind="strong")
    return drawing.finish()


def _interval(drawing: Drawing, x: float, low: float, high: float) -> None:
    place = percent(x)
    drawing.add("line", {"class": "whisker", "x1": place, "x2": place, "y1": number(low), "y2": number(high)})
    for end in (low, high):
        drawing.rule(end, "whisker", x - _CAP, x + _CAP)

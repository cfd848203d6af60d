"""Line charts, and marks on a single line."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.drawing.axis import Tick
from annotation.drawing.svg import ROW, Drawing, Svg, number

_TOP = 8  # space for the upper half of the highest tick's text
#: A line of more points is drawn through the lowest and the highest point of each part of it: no pixel differs.
MOST_POINTS = 1_000
_EDGE = 18  # percent of the width: half of the longest text on a phone. Text nearer to an end is aligned to the inside.
# The line is longer than the largest mark by this factor, so that its label fits. It runs between these percentages.
_BEYOND, _BEFORE, _AFTER = 1.25, 4.0, 98.0


@dataclass(frozen=True)
class Line:
    """The points of a line, and its CSS class: `train` is dashed, `validation` solid."""

    kind: str
    xs: Sequence[float]
    ys: Sequence[float]


@dataclass(frozen=True)
class Area:
    """The area between two lines, behind all lines, and its CSS class."""

    kind: str
    xs: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class LineMark:
    """A mark on a line, at a distance of 0 or more from the start, with a text above or below it."""

    kind: str
    at: float
    text: str
    is_above: bool = True


def lines(
    *,
    name: str,
    lines: Sequence[Line],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    x_ticks: Sequence[Tick],
    y_ticks: Sequence[Tick],
    x_label: str = "",
    areas: Sequence[Area] = (),
    best: tuple[float, float] | None = None,
    height: float = 200,
) -> Svg:
    """Draw lines within the two ranges (low < high each), areas behind them, and a mark at the point `best`.

    All points must be finite. Of lines with more than `MOST_POINTS` points, the lowest and the highest point of each
    part are drawn. `height` is the height of the plot without labels, in pixels.
    """

    def across(x: float) -> float:
        return 100 * (x - x_range[0]) / (x_range[1] - x_range[0])

    def up(y: float) -> float:
        return _TOP + height * (y_range[1] - y) / (y_range[1] - y_range[0])

    base = _TOP + height
    drawing = Drawing(name=name, height=base + ROW + ROW * bool(x_label), classes="ticked")
    for tick in y_ticks:
        drawing.tick(tick.text, up(tick.value))
    drawing.rule(base, "axis")
    plot = drawing.stretched(top=_TOP, height=height)

    def path(xs: Sequence[float], ys: Sequence[float]) -> str:
        return " ".join(f"{number(across(x))},{number(up(y))}" for x, y in zip(xs, ys, strict=True))

    for area in areas:
        xs, low, high = _area_thinned(area)
        around = path([*xs, *reversed(xs)], [*low, *reversed(high)])
        drawing.add("polygon", {"class": area.kind, "points": around}, into=plot)
    for line in lines:
        drawing.add("polyline", {"class": line.kind, "points": path(*_thinned(line.xs, line.ys))}, into=plot)
    if best is not None:
        drawing.mark("best", at=across(best[0]), y=up(best[1]))
    for tick in x_ticks:
        drawing.label(tick.text, at=across(tick.value), row=base)
    if x_label:
        drawing.label(x_label, at=50, row=base + ROW, kind="strong")
    return drawing.finish()


def _parts(count: int) -> list[range]:
    """Return half as many parts of 0 … count − 1 as there may be points."""
    parts = MOST_POINTS // 2
    return [range(part * count // parts, (part + 1) * count // parts) for part in range(parts)]


def _thinned(xs: Sequence[float], ys: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    if len(xs) <= MOST_POINTS:
        return xs, ys
    kept = {0, len(xs) - 1}
    for part in _parts(len(xs)):
        kept |= {min(part, key=ys.__getitem__), max(part, key=ys.__getitem__)}
    places = sorted(kept)
    return [xs[place] for place in places], [ys[place] for place in places]


def _area_thinned(area: Area) -> tuple[Sequence[float], Sequence[float], Sequence[float]]:
    if len(area.xs) <= MOST_POINTS:
        return area.xs, area.low, area.high
    parts = _parts(len(area.xs))
    xs = [area.xs[part[len(part) // 2]] for part in parts]
    return xs, [min(area.low[i] for i in part) for part in parts], [max(area.high[i] for i in part) for part in parts]


def marks_on_line(*, name: str, marks: Sequence[LineMark], interval: tuple[float, float]) -> Svg:
    """Draw marks on a line from 0 to a little beyond the largest mark, and an interval of people's answers.

    There are three rows of text: for the model, above the line and below the line. Texts in one row may overlap, so use
    one mark per row.
    """
    low, high = (max(0.0, end) for end in interval)
    end = _BEYOND * max(high, 0.1, *(mark.at for mark in marks))

    def across(distance: float) -> float:
        return _BEFORE + (_AFTER - _BEFORE) * distance / end

    y = 2.5 * ROW
    drawing = Drawing(name=name, height=5 * ROW)
    drawing.rule(y, "axis", across(0), _AFTER)
    drawing.rule(y, "interval people", across(low), across(high))
    for mark in marks:
        drawing.mark(mark.kind, at=across(mark.at), y=y)
    for mark in marks:
        is_model = mark.kind == "model"
        row = 0.0 if is_model else y - 1.6 * ROW if mark.is_above else y + 0.6 * ROW
        drawing.label(mark.text, at=across(mark.at), row=row, edge=_EDGE, kind="of-model" if is_model else "strong")
    return drawing.finish()

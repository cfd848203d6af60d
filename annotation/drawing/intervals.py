"""A value with its interval on a small axis: one row of a table, all rows of which share the axis."""

from math import isnan

from annotation.drawing.svg import Drawing, Svg

_HEIGHT, _MIDDLE = 24, 12
# The marks at the ends of the axis must not be cut off: the axis runs between these percentages.
_BEFORE, _AFTER = 4.0, 96.0


def interval_row(
    *,
    value: float,
    low: float,
    high: float,
    axis: tuple[float, float],
    reference: float | None = None,
    kind: str = "model",
) -> Svg:
    """Draw a mark at `value` and a line from `low` to `high`, on an axis that all rows share (`axis`: low < high).

    `reference`: a vertical line, for example at zero. The drawing fills its container and has no name, because the
    numbers stand beside it. Values outside the axis are drawn at its end; NaN is left out.
    """
    drawing = Drawing(name="", height=_HEIGHT, classes="row-of-table")
    if reference is not None:
        _vertical(drawing, "reference", _across(reference, axis))
    drawing.rule(_MIDDLE, "gridline", _BEFORE, _AFTER)
    _draw(drawing, (value, low, high), axis=axis, kind=kind, y=_MIDDLE)
    return drawing.finish()


def two_intervals(
    *,
    people: tuple[float, float, float],
    model: tuple[float, float, float],
    axis: tuple[float, float],
) -> Svg:
    """Draw two values with their intervals (value, low, high), people above the model, on the axis of the scale.

    NaN is left out.
    """
    drawing = Drawing(name="", height=2 * _HEIGHT - 8, classes="row-of-table")
    for y, ends, kind in ((_MIDDLE, people, "people"), (_MIDDLE + 16, model, "model")):
        drawing.rule(y, "gridline", _BEFORE, _AFTER)
        _draw(drawing, ends, axis=axis, kind=kind, y=y)
    return drawing.finish()


def _draw(
    drawing: Drawing, ends: tuple[float, float, float], *, axis: tuple[float, float], kind: str, y: float
) -> None:
    value, low, high = ends
    if not (isnan(low) or isnan(high)):
        drawing.rule(y, f"interval of-{kind}", _across(low, axis), _across(high, axis))
    if not isnan(value):
        drawing.mark(kind, at=_across(value, axis), y=y)


def _across(value: float, axis: tuple[float, float]) -> float:
    share = (value - axis[0]) / (axis[1] - axis[0])
    return _BEFORE + (_AFTER - _BEFORE) * min(max(share, 0.0), 1.0)


def _vertical(drawing: Drawing, kind: str, at: float) -> None:
    place = f"{at:.2f}%"
    drawing.add("line", {"class": kind, "x1": place, "x2": place, "y1": "0", "y2": str(_HEIGHT)})

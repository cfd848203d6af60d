"""Column charts of one or more series, with marks and intervals below the columns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from annotation.drawing.axis import Tick, labels_thinned
from annotation.drawing.svg import ROW, Drawing, Svg, number, percent

#: With more columns than this, an outlined series is one outline, because outlines of single columns would overlap.
OUTLINED_AT_MOST = 30
_TOP = 8  # space for the upper half of the highest tick's text


@dataclass(frozen=True)
class Series:
    """The values of a series, and its CSS class: `people` and `others` are filled, `model` is outlined."""

    kind: str
    values: Sequence[float]


@dataclass(frozen=True)
class Mark:
    """A mark below the columns. Positions are in columns: 0 is the middle of the first, 0.5 its right edge."""

    kind: str
    at: float
    low: float | None = None
    """Start of its interval; `high` is the end."""
    high: float | None = None


def columns(
    *,
    name: str,
    series: Sequence[Series],
    end: float,
    labels: Sequence[str] = (),
    ticks: Sequence[Tick] = (),
    titles: Sequence[str] = (),
    marks: Sequence[Mark] = (),
    axis_label: str = "",
    beside: bool = False,
    height: float = 200,
    width: float | None = None,
) -> Svg:
    """Draw each series' values [K] as columns from 0 up to `end` (above 0).

    The series overlap, with the last one in front, or are `beside` each other. `labels` [K] are below the columns, as
    many as fit; `titles` [K] are tooltips. `height` is the height of the value `end`, in pixels. Without a `width` in
    pixels, the drawing fills its container. Values outside 0 … end are clipped; infinite values and NaN count as 0.
    """
    count = max((len(one.values) for one in series), default=0)
    top = _TOP if ticks else 0
    base = top + height
    below = [ROW * bool(labels), ROW * bool(marks), ROW * bool(axis_label)]
    classes = f"{'ticked' * bool(ticks)} {'beside' * beside}".strip()
    drawing = Drawing(name=name, height=base + sum(below) + 1, width=width, classes=classes)
    for tick in ticks:
        drawing.tick(tick.text, base - height * tick.value / end)
    plot = drawing.stretched(top=top, height=height)
    for place, one in enumerate(series):
        heights = [height * min(max(value, 0), end) / end if math.isfinite(value) else 0 for value in one.values]
        share = 0.8 / len(series) if beside else 0.84 if one.kind == "model" else 0.68
        inset = 0.1 + place * share if beside else (1 - share) / 2
        path = _outline(heights, base) if _is_one_outline(one) else _boxes(heights, base, inset, share)
        if path:
            drawing.add("path", {"class": one.kind, "d": path}, into=plot)
    drawing.rule(base, "axis")
    slot = 100 / max(count, 1)
    for place, label in enumerate(labels_thinned(labels)):
        if label:
            drawing.label(label, at=slot * (place + 0.5), row=base)
    _draw_marks(drawing, marks, slot, base + below[0] + ROW / 2)
    if axis_label:
        drawing.label(axis_label, at=50, row=base + below[0] + below[1], kind="strong")
    for place, title in enumerate(titles):
        area = {"class": "hit", "x": percent(slot * place), "width": percent(slot)}
        hit = drawing.add("rect", area | {"y": number(top), "height": number(height)})
        drawing.add("title", {}, title, into=hit)
    return drawing.finish()


def _is_one_outline(series: Series) -> bool:
    return series.kind == "model" and len(series.values) > OUTLINED_AT_MOST


def _boxes(heights: Sequence[float], base: float, inset: float, share: float) -> str:
    """Return a path with a box for each height above 0, open at the bottom.

    `inset` (left margin) and `share` (width) are fractions of a column's slot.
    """
    slot = 100 / max(len(heights), 1)
    bottom = number(base)
    boxes = []
    for place, height in enumerate(heights):
        if height > 0:
            left, right = slot * (place + inset), slot * (place + inset + share)
            boxes.append(f"M{number(left)} {bottom}V{number(base - height)}H{number(right)}V{bottom}")
    return "".join(boxes)


def _outline(heights: Sequence[float], base: float) -> str:
    """Return a path along the tops of all columns, without gaps between columns."""
    slot = 100 / len(heights)
    steps = (f"V{number(base - height)}H{number(slot * (place + 1))}" for place, height in enumerate(heights))
    return f"M0 {number(base)}{''.join(steps)}V{number(base)}"


def _draw_marks(drawing: Drawing, marks: Sequence[Mark], slot: float, y: float) -> None:
    def across(place: float) -> float:
        return min(max(slot * (place + 0.5), 0), 100)

    for mark in marks:
        if mark.low is not None and mark.high is not None:
            drawing.rule(y, f"interval {mark.kind}", across(mark.low), across(mark.high))
    for mark in sorted(marks, key=lambda one: one.kind != "model"):  # the model's mark is larger, so draw it first
        drawing.mark(mark.kind, at=across(mark.at), y=y)

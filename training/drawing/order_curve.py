"""The chart of both orders: the error after more and more answers, in the order of the queue and at random."""

from math import sqrt

from annotation.drawing.axis import round_ticks
from annotation.drawing.lines import Line, lines
from annotation.drawing.svg import Svg
from annotation.language import gettext
from training.evaluation.order_curve import OrderCurve, OrderPoint, OrderTask

_HEIGHT = 180


def shown_error(point: OrderPoint, task: OrderTask) -> tuple[float, float, float]:
    """Return (value, low, high) as it is drawn: the root of a squared error, in points, or the Brier score."""
    ends = (point.error.value, point.error.low, point.error.high)
    if task == OrderTask.WATCH:
        return ends
    value, low, high = (sqrt(max(one, 0.0)) for one in ends)
    return value, low, high


def order_chart(curve: OrderCurve, *, name: str) -> Svg | None:
    """Draw both curves, that of the queue's order with its interval. None for a curve without points."""
    if not curve.in_order:
        return None
    queue = [shown_error(point, curve.task) for point in curve.in_order]
    random = [shown_error(point, curve.task) for point in curve.at_random]
    xs, xs_random = [point.answers for point in curve.in_order], [point.answers for point in curve.at_random]
    values = [one for row in queue for one in row] + [row[0] for row in random]
    room = 0.05 * (max(values) - min(values)) or 0.05
    end = xs[-1] or 1.0
    ends = min(values) - room, max(values) + room
    return lines(
        name=name,
        lines=[
            Line("train", xs_random, [row[0] for row in random]),
            Line("interval-end", xs, [row[1] for row in queue]),
            Line("interval-end", xs, [row[2] for row in queue]),
            Line("validation", xs, [row[0] for row in queue]),
        ],
        x_range=(0.0, end),
        y_range=ends,
        x_ticks=round_ticks(0.0, end, at_most=5),
        y_ticks=round_ticks(*ends, at_most=5),
        x_label=gettext("answers since the queue began to choose"),
        height=_HEIGHT,
    )

"""The chart of simulated campaigns: one line with its interval for each mixture, over the answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from annotation.drawing.axis import Tick, round_ticks
from annotation.drawing.lines import Area, Line, lines
from annotation.drawing.svg import Svg
from annotation.measures.intervals import Interval

SERIES = 8
"""There are classes `series-1` … `series-8` for lines; further ones begin again."""
_HEIGHT = 260
_TICKS = 6


@dataclass(frozen=True)
class SeriesLine:
    """The curve of a mixture: its mean after each number of answers."""

    label: str
    answers: Sequence[int]
    points: Sequence[Interval]


def simulation_chart(series: Sequence[SeriesLine], *, name: str, level: float | None = None) -> Svg | None:
    """Draw the curves; the answers are on a logarithmic axis. `level`: a horizontal line. `name`: for screen readers.

    Intervals that are not finite, as those of a single seed, are left out. None when no curve has a point.
    """
    series = [one for one in series if one.answers]
    if not series:
        return None
    first = min(one.answers[0] for one in series)
    last = max(one.answers[-1] for one in series)
    values = [end for one in series for point in one.points for end in _ends(point)]
    if level is not None:
        values.append(level)
    room = 0.05 * (max(values) - min(values)) or 0.05
    y_range = min(values) - room, max(values) + room
    x_range = (math.log(first), math.log(last) if last > first else math.log(first) + 1)
    drawn, areas = [], []
    if level is not None:
        drawn.append(Line("level", x_range, [level, level]))
    for number, one in enumerate(series):
        xs = [math.log(answers) for answers in one.answers]
        ends = [_ends(point) for point in one.points]
        kind = f"series-{number % SERIES + 1}"
        areas.append(Area(kind, xs, [low for low, _ in ends], [high for _, high in ends]))
        drawn.append(Line(kind, xs, [point.value for point in one.points]))
    return lines(
        name=name,
        lines=drawn,
        areas=areas,
        x_range=x_range,
        y_range=y_range,
        x_ticks=_answer_ticks(max((one.answers for one in series), key=len)),
        y_ticks=round_ticks(*y_range, at_most=6),
        x_label="answers (logarithmic)",
        height=_HEIGHT,
    )


def _ends(point: Interval) -> tuple[float, float]:
    low, high = point.low, point.high
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (point.value, point.value)


def _answer_ticks(answers: Sequence[int]) -> list[Tick]:
    """Return ticks at some of the numbers of answers, at least a sixth of the axis apart."""
    width = math.log(answers[-1] / answers[0]) or 1.0
    chosen: list[int] = []
    for one in answers:
        if not chosen or math.log(one / chosen[-1]) >= width / _TICKS:
            chosen.append(one)
    return [Tick(math.log(one), f"{one:,}") for one in chosen]

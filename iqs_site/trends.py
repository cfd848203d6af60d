"""Two small charts of the overview: answers a day, and the rank correlation of each version."""

from collections.abc import Sequence

from annotation.drawing.axis import Tick, axis_end, round_ticks
from annotation.drawing.columns import Series, columns
from annotation.drawing.lines import Line, lines
from annotation.drawing.svg import Svg
from annotation.selectors.daily_answers import DayOfAnswers
from training.evaluation.measured import MeasuredMetric

_HEIGHT = 110  # pixels


def answers_chart(days: Sequence[DayOfAnswers]) -> Svg | str:
    """Draw the answers of each day, or '' without any."""
    if not any(day.answers for day in days):
        return ""
    end = axis_end(max(2, *(day.answers for day in days)))
    return columns(
        name="Answers a day; the table below has the numbers",
        series=[Series("people", [day.answers for day in days])],
        end=end,
        labels=[f"{day.day:%-d %b}" for day in days],
        ticks=[Tick(end * part, f"{end * part:,.0f}") for part in (0, 0.5, 1)],
        titles=[f"{day.day:%-d %b}: {day.answers:,} by {day.annotators:,}" for day in days],
        beside=True,
        height=_HEIGHT,
    )


def versions_chart(rows: Sequence[tuple[int, MeasuredMetric]]) -> Svg | str:
    """Draw the SRCC of (version number, metric), oldest first, with its interval; '' with fewer than two versions."""
    known = [
        (number, one.low, one.value, one.high)
        for number, one in rows
        if one.value is not None and one.low is not None and one.high is not None
    ]
    if len(known) < 2:
        return ""
    xs = [float(number) for number, *_ in known]
    low, value, high = ([row[place] for row in known] for place in (1, 2, 3))
    room = max(0.02, 0.1 * (max(high) - min(low)))
    ends = min(low) - room, max(high) + room
    return lines(
        name=f"Quality SRCC by version, from {value[0]:.2f} for version {known[0][0]} to {value[-1]:.2f} for version "
        f"{known[-1][0]}, with 95 % intervals; the table below has the numbers",
        lines=[Line("validation", xs, value), Line("train", xs, low), Line("train", xs, high)],
        x_range=(xs[0], xs[-1]),
        y_range=ends,
        x_ticks=[Tick(x, f"v{x:.0f}") for x in xs],
        y_ticks=round_ticks(*ends, at_most=5),
        height=_HEIGHT,
    )

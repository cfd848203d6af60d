"""The chart of one metric of all versions: over the version, or over the answers that each has learned from."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime

from annotation.drawing.axis import Tick, round_ticks
from annotation.drawing.points import Band, Point, points
from annotation.drawing.svg import Svg
from annotation.language import gettext
from annotation.measures.signs import minus
from training.evaluation.calibration.trend import ChampionPeriod, TrendFigures, VersionPoint
from training.evaluation.registry import Metric

BY_VERSION, BY_VOTES = "version", "votes"
Day = Callable[[datetime], str]


def _day(at: datetime) -> str:
    return f"{at:%-d %b %Y}"


# More labels of versions than this do not fit on a phone.
_LABELS = 8


def trend_chart(
    figures: TrendFigures, metric: Metric, *, by: str, name: str, height: float = 220, day: Day = _day
) -> Svg | None:
    """Draw a metric with its 95 % interval for each version; None when none of them has it.

    Over the version, the background is shaded by turns while a version was champion. `by`: BY_VERSION, or BY_VOTES
    without the versions whose number of answers is unknown. `name`: what the chart shows, for screen readers. `height`:
    of the plot without labels, pixels. `day`: a day in words, in the language of the reader.
    """
    shown = [one for one in figures.versions if not math.isnan(figures.value(one, metric.name).value)]
    if by == BY_VOTES:
        shown = sorted((one for one in shown if one.votes is not None), key=lambda one: (one.votes or 0, one.number))
    if not shown:
        return None
    found = [_point(one, figures, metric, by, day) for one in shown]
    ends = min(one.low for one in found), max(one.high for one in found)
    room = 0.08 * (ends[1] - ends[0]) or 0.05
    y_range = ends[0] - room, ends[1] + room
    first, last = min(one.x for one in found), max(one.x for one in found)
    margin = 0.04 * (last - first) or 0.5
    x_range = first - margin, last + margin
    is_by_version = by == BY_VERSION
    return points(
        name=name,
        points=found,
        bands=_bands(figures.champions, x_range) if is_by_version else (),
        x_range=x_range,
        y_range=y_range,
        x_ticks=_version_ticks(shown) if is_by_version else round_ticks(first, last, at_most=5),
        y_ticks=round_ticks(*y_range, at_most=5),
        x_label=gettext("version") if is_by_version else gettext("answers that the version has learned from"),
        height=height,
    )


def _point(one: VersionPoint, figures: TrendFigures, metric: Metric, by: str, day: Day) -> Point:
    figure = figures.value(one, metric.name)
    numbers = [minus(f"{value:.{metric.digits}f}") for value in (figure.value, figure.low, figure.high)]
    values = {
        "number": one.number,
        "figure": f"{numbers[0]} ({numbers[1]}–{numbers[2]})",
        "answers": "" if one.votes is None else f"{one.votes:,}",
        "day": day(one.made_at),
    }
    return Point(
        x=float(one.number if by == BY_VERSION else one.votes or 0),
        value=figure.value,
        low=figure.low,
        high=figure.high,
        title=_title(one) % values,
        kind="champion" if one.is_champion else "model",
    )


def _title(one: VersionPoint) -> str:
    if one.votes is None:
        return (
            gettext("Version %(number)s (champion): %(figure)s, made %(day)s")
            if one.is_champion
            else gettext("Version %(number)s: %(figure)s, made %(day)s")
        )
    return (
        gettext("Version %(number)s (champion): %(figure)s, %(answers)s answers, made %(day)s")
        if one.is_champion
        else gettext("Version %(number)s: %(figure)s, %(answers)s answers, made %(day)s")
    )


def _version_ticks(shown: Sequence[VersionPoint]) -> list[Tick]:
    every = math.ceil(len(shown) / _LABELS)
    return [Tick(float(one.number), str(one.number)) for one in shown[::every]]


def _bands(periods: Sequence[ChampionPeriod], x_range: tuple[float, float]) -> list[Band]:
    """Return a band for every second period: from its version to the version that replaced it.

    A rollback has no band, because its versions lie before.
    """
    found = []
    for place in range(0, len(periods), 2):
        period = periods[place]
        end = float(periods[place + 1].number) if place + 1 < len(periods) else x_range[1]
        if end > period.number:
            found.append(
                Band(float(period.number), end, gettext("Version %(number)s was champion") % {"number": period.number})
            )
    return found

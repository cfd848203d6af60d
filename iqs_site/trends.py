"""Two small charts of the overview: answers a day, and the rank correlation of each version."""

from collections.abc import Sequence

from django.utils.translation import gettext

from annotation.drawing.axis import Tick, axis_end
from annotation.drawing.columns import Series, columns
from annotation.drawing.svg import Svg
from annotation.language.dates import day_shown
from annotation.measures.intervals import Interval
from annotation.selectors.daily_answers import DayOfAnswers
from inference.models import ModelVersion
from training.drawing.trend import BY_VERSION, trend_chart
from training.evaluation.calibration.trend import TrendFigures, VersionPoint
from training.evaluation.measured import MeasuredMetric

_HEIGHT = 110  # pixels


def answers_chart(days: Sequence[DayOfAnswers]) -> Svg | str:
    """Draw the answers of each day, or '' without any."""
    if not any(day.answers for day in days):
        return ""
    end = axis_end(max(2, *(day.answers for day in days)))
    return columns(
        name=gettext("Answers a day; the table below has the numbers"),
        series=[Series("people", [day.answers for day in days])],
        end=end,
        labels=[day_shown(day.day) for day in days],
        ticks=[Tick(end * part, f"{end * part:,.0f}") for part in (0, 0.5, 1)],
        titles=[
            gettext("%(day)s: %(answers)s by %(annotators)s")
            % {"day": day_shown(day.day), "answers": f"{day.answers:,}", "annotators": f"{day.annotators:,}"}
            for day in days
        ],
        beside=True,
        height=_HEIGHT,
    )


def versions_chart(rows: Sequence[tuple[ModelVersion, MeasuredMetric]]) -> Svg | str:
    """Draw one metric of versions, oldest first, with its interval; '' with fewer than two that have it."""
    shown = [
        (version, one, Interval(one.value, one.low, one.high, one.n))
        for version, one in rows
        if one.value is not None and one.low is not None and one.high is not None
    ]
    if len(shown) < 2:
        return ""
    (first, was, _), (last, now, _) = shown[0], shown[-1]
    figures = TrendFigures(
        metrics=(now.metric.name,),
        versions=tuple(
            VersionPoint(version.number, version.created_at, None, version.is_champion, (interval,))
            for version, _, interval in shown
        ),
        quality_photos=now.n,
        watch_photos=0,
        votes=0,
        unpredicted=(),
        learned=0,
        champions=(),
    )
    name = gettext(
        "%(metric)s by version, from %(was)s for version %(first)s to %(now)s for version %(last)s, with 95 %% "
        "intervals; the table below has the numbers"
    ) % {
        "metric": gettext(now.metric.label),
        "was": was.text,
        "first": first.number,
        "now": now.text,
        "last": last.number,
    }
    return trend_chart(figures, now.metric, by=BY_VERSION, name=name, height=_HEIGHT) or ""

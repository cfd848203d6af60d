"""The chart of the versions over time, which the calibration page and the models page share."""

import math
from dataclasses import dataclass
from datetime import datetime

from django.utils.dateformat import format as date_format
from django.utils.translation import gettext

from annotation.drawing.svg import Svg
from annotation.models import Campaign
from annotation.services.figures_rows import Figures
from annotation.tasks import announce
from training.drawing.trend import BY_VERSION, BY_VOTES, trend_chart
from training.evaluation.calibration import titles
from training.evaluation.calibration.trend import TrendFigures
from training.evaluation.registry import METRICS, Metric
from training.models import StoredTrend
from training.services.stored_trends import TREND
from training.tasks import MESSAGE_SECONDS, stored_trend_make

#: The charts of the models page.
HEADLINES = ("quality_srcc", "quality_rps", "watch_f1")


@dataclass(frozen=True)
class Trend:
    """How one metric developed over the versions."""

    metric: Metric
    title: str
    chart: Svg
    photos: int
    rows: list[tuple[int, int | None, str]]
    """(version, answers that it has learned from, the metric with its interval), the newest version first."""


def stored_trend(campaign: Campaign) -> Figures[StoredTrend]:
    """Return the stored figures of all versions. A worker is asked for newer ones when they are old."""
    stored = TREND.request(campaign=campaign)
    if stored.row.state == StoredTrend.State.QUEUED:
        announce(stored_trend_make, stored.row.pk, expires=MESSAGE_SECONDS)
    return stored


def trend_of(figures: TrendFigures, metric: Metric, *, by_votes: bool = False, height: float = 220) -> Trend | None:
    """Return the chart of a metric with its numbers; None when no version has it. `height`: of the plot, pixels.

    by_votes: the axis across is the number of answers that a version has learned from, instead of its number.
    """
    title = trend_title(figures, metric)
    chart = trend_chart(
        figures,
        metric,
        by=BY_VOTES if by_votes else BY_VERSION,
        name=gettext("%(label)s of each version. %(title)s. A table follows.")
        % {"label": gettext(metric.label), "title": title},
        day=day_shown,
        height=height,
    )
    if chart is None:
        return None
    rows = [
        (one.number, one.votes, titles.interval_text(figures.value(one, metric.name), metric.digits))
        for one in reversed(figures.versions)
    ]
    photos = figures.watch_photos if metric.votes == "watch" else figures.quality_photos
    return Trend(metric, title, chart, photos, rows)


def day_shown(at: datetime) -> str:
    """Return a day such as '28 Nov 2026', with the month in the language of the reader."""
    return date_format(at, "j M Y")


def headline_trends(figures: TrendFigures | None, *, by_votes: bool) -> list[Trend]:
    """Return the charts of HEADLINES; [] with fewer than two versions."""
    if figures is None or len(figures.versions) < 2:
        return []
    known = [METRICS[name] for name in HEADLINES if name in figures.metrics]
    found = [trend_of(figures, metric, by_votes=by_votes, height=150) for metric in known]
    return [one for one in found if one is not None]


def trend_title(figures: TrendFigures, metric: Metric) -> str:
    """Return what happened to the metric from the first to the champion, as a sentence."""
    known = [one for one in figures.versions if not math.isnan(figures.value(one, metric.name).value)]
    if not known:
        return gettext("%(label)s cannot be measured on these photos") % {"label": gettext(metric.label)}
    last = next((one for one in known if one.is_champion), known[-1])
    first = known[0]
    now = figures.value(last, metric.name)
    here = gettext("%(label)s %(digits)s with version %(number)s") % {
        "label": gettext(metric.label),
        "digits": titles.interval_text(now, metric.digits),
        "number": last.number,
    }
    if first.number == last.number:
        return here
    before = figures.value(first, metric.name)
    return gettext("%(here)s; %(digits)s with version %(number)s") % {
        "here": here,
        "digits": titles.interval_text(before, metric.digits),
        "number": first.number,
    }

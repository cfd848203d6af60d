"""The section about the versions over time, and about two versions side by side."""

import math
from typing import Any
from urllib.parse import parse_qsl

from django.urls import reverse

from annotation.measures.intervals import Interval
from annotation.models import Campaign
from annotation.tasks import announce
from inference.models import ModelVersion
from training.drawing.trend import trend_chart
from training.evaluation.calibration import titles
from training.evaluation.calibration.filters import Filters
from training.evaluation.calibration.trend import ChampionPeriod, TrendFigures, VersionPoint
from training.evaluation.registry import METRICS, Metric
from training.evaluation.version_pair import pair_figures, pair_verdicts
from training.models import StoredTrend, VersionComparison
from training.services.stored_trends import trend_request
from training.tasks import MESSAGE_SECONDS, stored_trend_make
from training.views.calibration.shown import TREND_BY, Shown

# In the table of two versions; the whole list is in the table of the metric.
_SIDE_BY_SIDE = ("quality_srcc", "quality_rmse", "quality_rps", "class_f1", "watch_roc_auc", "watch_f1", "watch_brier")


def section(campaign: Campaign, version: ModelVersion, *, filters: Filters, shown: Shown) -> dict[str, Any]:
    """Return the context of the section. A worker is asked for a newer chart when it is old."""
    stored = trend_request(campaign=campaign)
    if stored.row.state == StoredTrend.State.QUEUED:
        announce(stored_trend_make, stored.row.pk, expires=MESSAGE_SECONDS)
    context: dict[str, Any] = {
        "trend_stored": stored,
        "trend_form": {"metric": shown.metric, "by": shown.by},
        "trend_metrics": list(METRICS.values()),
        "trend_orders": TREND_BY,
        "trend_fields": _fields(filters, version, shown),
    }
    figures: TrendFigures | None = stored.value.figures if stored.value else None
    if figures is None or shown.metric not in figures.metrics:
        return context
    metric = METRICS[shown.metric]
    title = trend_title(figures, metric)
    chart = trend_chart(
        figures,
        metric,
        by=shown.by,
        name=f"{metric.label} of each version. {title}. A table follows.",
    )
    return context | {
        "trend": figures,
        "trend_metric": metric,
        "trend_photos": figures.quality_photos if metric.votes == "quality" else figures.watch_photos,
        "trend_title": title,
        "trend_chart": chart,
        "trend_rows": [_row(one, figures, metric) for one in reversed(figures.versions)],
        "trend_table": [_all_metrics(one, figures) for one in reversed(figures.versions)],
        "trend_columns": [METRICS[name] for name in figures.metrics],
        **_pair(campaign, version, figures),
    }


def trend_title(figures: TrendFigures, metric: Metric) -> str:
    """Return what happened to the metric from the first to the champion, as a sentence."""
    known = [one for one in figures.versions if not math.isnan(figures.value(one, metric.name).value)]
    if not known:
        return f"{metric.label} cannot be measured on these photos"
    last = next((one for one in known if one.is_champion), known[-1])
    first = known[0]
    now = figures.value(last, metric.name)
    here = f"{metric.label} {titles.interval_text(now, metric.digits)} with version {last.number}"
    if first.number == last.number:
        return here
    before = figures.value(first, metric.name)
    return f"{here}; {titles.interval_text(before, metric.digits)} with version {first.number}"


def _row(one: VersionPoint, figures: TrendFigures, metric: Metric) -> dict[str, Any]:
    return {
        "number": one.number,
        "made_at": one.made_at,
        "votes": one.votes,
        "is_champion": one.is_champion,
        "text": _text(figures.value(one, metric.name), metric),
        "periods": [_period(period) for period in figures.champions if period.number == one.number],
    }


def _all_metrics(one: VersionPoint, figures: TrendFigures) -> dict[str, Any]:
    texts = [_text(figures.value(one, name), METRICS[name]) for name in figures.metrics]
    return {"number": one.number, "texts": texts}


def _period(period: ChampionPeriod) -> str:
    until = f"{period.until:%-d %b %Y}" if period.until else "now"
    return f"{period.since:%-d %b %Y} – {until}"


def _text(figure: Interval, metric: Metric) -> str:
    return titles.interval_text(figure, metric.digits)


def _fields(filters: Filters, version: ModelVersion, shown: Shown) -> list[tuple[str, str]]:
    """Return the other parts of the address, for the form that chooses the metric."""
    return [
        (name, value)
        for name, value in parse_qsl(shown.address(filters, version.number))
        if name not in ("metric", "by")
    ]


def _pair(campaign: Campaign, version: ModelVersion, figures: TrendFigures) -> dict[str, Any]:
    """Return the shown version beside another one: the champion, or the version before it (one query)."""
    points = {one.number: one for one in figures.versions}
    own = points.get(version.number)
    champion = next((one.number for one in figures.versions if one.is_champion), None)
    before = max((number for number in points if number < version.number), default=None)
    other = champion if champion not in (None, version.number) else before
    if own is None or other is None:
        return {}
    pair = (version.number, other)
    rows = VersionComparison.objects.filter(campaign=campaign, first__number=pair[0], second__number=pair[1])
    made = rows.exclude(made_at=None).first()
    verdicts = []
    if made is not None:
        found = {figure.metric.name: figure for figure in pair_figures(made.result["figures"])}
        verdicts = pair_verdicts(found, *pair)
    names = [name for name in _SIDE_BY_SIDE if name in figures.metrics]
    return {
        "pair": pair,
        "pair_made_at": made and made.made_at,
        "pair_verdicts": verdicts,
        "pair_rows": [
            {
                "metric": METRICS[name],
                "first": _text(figures.value(own, name), METRICS[name]),
                "second": _text(figures.value(points[other], name), METRICS[name]),
            }
            for name in names
        ],
        "pair_address": f"{reverse('version-pair', args=[campaign.slug])}?a={pair[0]}&b={pair[1]}",
    }

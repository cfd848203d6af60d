"""The section about the versions over time, and about two versions side by side."""

from typing import Any
from urllib.parse import parse_qsl

from django.urls import reverse
from django.utils.translation import gettext

from annotation.measures.intervals import Interval
from annotation.models import Campaign
from inference.models import ModelVersion
from training.drawing.trend import BY_VOTES
from training.evaluation.calibration import titles
from training.evaluation.calibration.filters import Filters
from training.evaluation.calibration.trend import ChampionPeriod, TrendFigures, VersionPoint
from training.evaluation.registry import METRICS, Metric
from training.evaluation.version_pair import pair_figures, pair_verdicts
from training.models import VersionComparison
from training.views.calibration.shown import TREND_BY, Shown
from training.views.version_trend import day_shown, stored_trend, trend_of, trend_title

# In the table of two versions; the whole list is in the table of the metric.
_SIDE_BY_SIDE = ("quality_srcc", "quality_rmse", "quality_rps", "class_f1", "watch_roc_auc", "watch_f1", "watch_brier")


def section(campaign: Campaign, version: ModelVersion, *, filters: Filters, shown: Shown) -> dict[str, Any]:
    """Return the context of the section. A worker is asked for a newer chart when it is old."""
    stored = stored_trend(campaign)
    context: dict[str, Any] = {
        "trend_stored": stored,
        "trend_form": {"metric": shown.metric, "by": shown.by},
        "trend_metrics": list(METRICS.values()),
        "trend_orders": TREND_BY,
        "trend_by_votes": shown.by == BY_VOTES,
        "trend_fields": _fields(filters, version, shown),
    }
    figures: TrendFigures | None = stored.value.figures if stored.value else None
    if figures is None or shown.metric not in figures.metrics:
        return context
    metric = METRICS[shown.metric]
    found = trend_of(figures, metric, by_votes=shown.by == BY_VOTES)
    return context | {
        "trend": figures,
        "trend_metric": metric,
        "trend_photos": figures.quality_photos if metric.votes == "quality" else figures.watch_photos,
        "trend_title": trend_title(figures, metric),
        "trend_chart": found and found.chart,
        "trend_rows": [_row(one, figures, metric) for one in reversed(figures.versions)],
        "trend_tables": _all_metrics(figures),
        **_pair(campaign, version, figures),
    }


def _row(one: VersionPoint, figures: TrendFigures, metric: Metric) -> dict[str, Any]:
    return {
        "number": one.number,
        "made_at": one.made_at,
        "votes": one.votes,
        "is_champion": one.is_champion,
        "text": _text(figures.value(one, metric.name), metric),
        "periods": [_period(period) for period in figures.champions if period.number == one.number],
    }


def _all_metrics(figures: TrendFigures) -> list[dict[str, Any]]:
    """Return a table of the metrics of each kind of votes, so that every table fits a page. Newest version first."""
    tables = []
    for kind, photos in (("quality", figures.quality_photos), ("watch", figures.watch_photos)):
        columns = [METRICS[name] for name in figures.metrics if METRICS[name].votes == kind]
        rows = [
            {"number": one.number, "cells": [(each, _text(figures.value(one, each.name), each)) for each in columns]}
            for one in reversed(figures.versions)
        ]
        if columns:
            tables.append({"kind": kind, "photos": photos, "columns": columns, "rows": rows})
    return tables


def _period(period: ChampionPeriod) -> str:
    until = day_shown(period.until) if period.until else gettext("now")
    return f"{day_shown(period.since)} – {until}"


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

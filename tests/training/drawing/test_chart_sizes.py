"""Each chart of the server stays small: with no data, one point, and the figures of 100,000 photos or many versions."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from annotation.measures.intervals import Interval
from tests.training.drawing.test_score_charts import measured_charts
from training.drawing.trend import trend_chart
from training.evaluation.calibration.trend import MOST_VERSIONS, TrendFigures, VersionPoint
from training.evaluation.registry import METRICS

SRCC = METRICS["quality_srcc"]
# A chart is part of a page that must be there within a second.
LARGEST = 300_000


def figures(versions: int, *, known: bool = True) -> TrendFigures:
    value = Interval(0.7, 0.6, 0.8, 90) if known else Interval(float("nan"), float("nan"), float("nan"), 0)
    made = datetime(2026, 3, 1, tzinfo=UTC)
    points = tuple(
        VersionPoint(number, made, 100_000 * number, number == 1, (value,)) for number in range(1, versions + 1)
    )
    return TrendFigures(("quality_srcc",), points, 90, 0, 300, (), 0, ())


@pytest.mark.parametrize("by", ["version", "votes"])
@pytest.mark.parametrize("versions", [1, 2, MOST_VERSIONS])
def test_a_trend_has_a_mark_for_each_version_and_few_ticks(versions: int, by: str) -> None:
    chart = trend_chart(figures(versions), SRCC, by=by, name="Quality SRCC of each version")
    assert chart is not None
    assert chart.count("<circle") == versions
    assert "NaN" not in chart
    assert len(chart) < 1_000 * versions + 4_000


def test_a_trend_without_versions_or_figures_is_left_out() -> None:
    assert trend_chart(figures(0), SRCC, by="version", name="") is None
    assert trend_chart(figures(3, known=False), SRCC, by="version", name="") is None
    unknown = figures(2)
    unknown = replace(unknown, versions=tuple(replace(one, votes=None) for one in unknown.versions))
    assert trend_chart(unknown, SRCC, by="votes", name="") is None


@pytest.mark.slow  # the figures need a minute on a busy machine
def test_charts_of_the_figures_of_100_000_photos_are_as_small_as_those_of_few() -> None:
    sizes = {chart.name: len(json.dumps(chart.payload)) for chart in measured_charts(100_000)}
    assert set(sizes) == {"pit", "thresholds", "roc", "precision-recall"}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}

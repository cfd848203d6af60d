"""Charts of scores and of watch probabilities: with photos, without any, with one and with 100,000."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.measures.intervals import Interval
from tests.training.drawing.chart_json import models, table
from tests.training.evaluation.calibration.invented import right_model
from training.drawing import score_charts, watch_charts
from training.drawing.bokeh_chart import PALETTE, POINTS_DRAWN, Chart, PhotoLinks
from training.evaluation.calibration.quality import quality_figures
from training.evaluation.calibration.score_line import FittedLine
from training.evaluation.calibration.watch import watch_figures

CSS = Path(__file__).parents[3] / "static" / "css" / "site.css"
LINKS = PhotoLinks("/campaigns/watches/photos/@image/", "/photos/@image/thumbnail")
LINE = FittedLine(Interval(0.8, 0.6, 1.0, 40), (3.0, 8.0), (3.4, 7.4), (3.0, 7.0), (3.8, 7.8))


def points(count: int, *, intervals: bool = True) -> score_charts.PhotoPoints:
    rng = np.random.default_rng(0)
    mos, predicted = rng.uniform(1, 10, count), rng.uniform(1, 10, count)
    both = {"mos_interval": (mos - 1, mos + 1), "forecast": (predicted - 1, predicted + 1)} if intervals else {}
    return score_charts.PhotoPoints(
        image_ids=np.arange(1_000_000, 1_000_000 + count),
        names=[f"photo-{i}.jpg" for i in range(count)],
        predicted=predicted,
        mos=mos,
        votes=rng.integers(1, 20, count),
        **both,
    )


def scatter(count: int, *, intervals: bool = True, **fields: Any) -> Chart:
    return score_charts.score_scatter(
        points(count, intervals=intervals),
        scale=(1, 10),
        links=LINKS,
        title="People say 7",
        rng=np.random.default_rng(1),
        **fields,
    )


def residuals(count: int, *, by_people: bool = False) -> Chart:
    return score_charts.residual_chart(
        points(count, intervals=False),
        by_people=by_people,
        scale=(1, 10),
        links=LINKS,
        title="Model − MOS is +0.4",
        rng=np.random.default_rng(1),
        running=None,
        expected=(5.5, 0.2),
    )


def measured_charts(photos: int) -> Iterator[Chart]:
    """Yield the charts that are drawn from figures of so many photos."""
    rng = np.random.default_rng(photos)
    p = rng.beta(0.5, 1, photos)
    compared = right_model(photos, rng, watch=p, labels=(rng.random(photos) < p).astype(int))
    quality, watch = quality_figures(compared, seed=1), watch_figures(compared, threshold=0.05, seed=1)
    assert quality is not None
    assert watch is not None
    yield score_charts.pit_chart(quality.pit, title="2 of 10 bars")
    curves = watch.curves
    yield watch_charts.threshold_chart(curves.thresholds, plateau=curves.plateau, chosen=0.05, title="F1 is 0.6")
    if curves.roc is not None and curves.precision_recall is not None:
        yield watch_charts.roc_chart(curves.roc, at=(0.1, 0.9), threshold=0.05, title="AUC 0.9")
        yield watch_charts.precision_recall_chart(
            curves.precision_recall, at=(0.9, float("nan")), threshold=0.05, base_rate=0.2, title="Precision 0.8"
        )


def reliability(*, band: bool) -> Chart:
    values = np.array([0.1, 0.4, 0.9])
    return watch_charts.reliability_diagram(
        predicted=values,
        observed=values,
        low=values / 2,
        high=(values + 1) / 2,
        counts=np.array([5, 6, 7]),
        title="0 of 3 bins",
        band=(values / 2, values) if band else None,
    )


CHARTS = [
    scatter(5),
    scatter(5, line=LINE),
    scatter(score_charts.INTERVALS_DRAWN + 1, line=LINE),
    scatter(5, intervals=False),
    scatter(1),
    scatter(0),
    residuals(5),
    residuals(0, by_people=True),
    reliability(band=True),
    reliability(band=False),
    *measured_charts(1),
    *measured_charts(30),
]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_chart_is_json_with_a_title_a_text_alternative_and_numbers_to_download(chart: Chart) -> None:
    json.dumps(chart.payload, allow_nan=False)
    assert chart.title in chart.label
    assert models(chart, "LinearAxis")
    for axis in models(chart, "LinearAxis"):
        assert axis["attributes"]["axis_label"]
    assert chart.has_table
    assert {column for _, column in chart.payload["columns"]} <= set(table(chart))


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_no_chart_contains_javascript(chart: Chart) -> None:
    assert "CustomJS" not in json.dumps(chart.payload)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_every_colour_is_a_css_variable(chart: Chart) -> None:
    used = set(re.findall(r"#[0-9a-f]{6}\b", json.dumps(chart.payload["item"])))
    assert used
    assert used <= set(PALETTE)
    css = CSS.read_text()
    assert all(f"{token}:" in css for token in PALETTE.values())


@pytest.mark.parametrize("chart", [scatter(3), residuals(3)], ids=lambda chart: chart.name)
def test_a_tap_opens_the_photo_and_a_tooltip_shows_it(chart: Chart) -> None:
    (tap,) = models(chart, "OpenURL")
    assert tap["attributes"]["url"] == LINKS.photo
    (hover,) = models(chart, "HoverTool")
    assert f'src="{LINKS.thumbnail}"' in hover["attributes"]["tooltips"]


def test_the_intervals_of_few_photos_are_drawn_and_those_of_many_only_under_the_pointer() -> None:
    def widths_and_alphas(chart: Chart) -> list[tuple[float, float]]:
        lines = [one["attributes"] for one in models(chart, "Segment")]
        # Bokeh leaves out what has its default: an alpha of 1.
        return sorted((one["line_width"]["value"], one.get("line_alpha", {"value": 1})["value"]) for one in lines)

    # People and model, each as drawn and as under the pointer.
    few, many = scatter(score_charts.INTERVALS_DRAWN), scatter(score_charts.INTERVALS_DRAWN + 1)
    assert {(1.5, 0.3), (3, 1)} <= set(widths_and_alphas(few))
    assert {(1.5, 0.0), (3, 1)} <= set(widths_and_alphas(many))
    assert (1.5, 0.3) not in widths_and_alphas(many)
    assert models(scatter(5, intervals=False), "Segment") == []


def test_all_of_a_few_photos_are_drawn_without_a_note() -> None:
    chart = scatter(POINTS_DRAWN)
    assert len(table(chart)["image"]) == POINTS_DRAWN
    assert chart.note == ""


@pytest.mark.parametrize("draw", [scatter, residuals])
def test_a_random_sample_of_many_photos_is_drawn_and_the_note_says_so(draw: Any) -> None:
    chart = draw(100_000)
    assert len(table(chart)["image"]) == POINTS_DRAWN
    assert "The chart shows a random 2,000 of the 100,000 photos" in chart.note
    assert len(json.dumps(chart.payload)) < 400_000


def test_a_stored_sample_says_of_how_many_photos_it_is() -> None:
    chart = scatter(10, of=100_000)
    assert "a random 10 of the 100,000 photos" in chart.note
    assert "Scatter plot of 100,000 photos" in chart.label


def test_a_line_through_the_chart_and_the_slope_that_a_perfect_model_shows() -> None:
    assert models(scatter(5, line=LINE), "VArea")
    assert not models(scatter(5), "VArea")
    by_people = json.dumps(residuals(5, by_people=True).payload)
    assert "a perfect model" in by_people
    assert "a perfect model" not in json.dumps(residuals(5).payload)


def test_the_axis_of_thresholds_is_readable_near_zero_and_one() -> None:
    places = watch_charts.log_odds([0, 0.01, 0.05, 0.5, 0.95, 0.99, 1])
    assert (np.diff(places) > 1).all()
    assert places[3] == 0
    np.testing.assert_allclose(places, -places[::-1], atol=1e-9)
    assert np.isfinite(places).all()

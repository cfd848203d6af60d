import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.drawing import charts

CSS = Path(__file__).parents[3] / "static" / "css" / "site.css"


def scatter(count: int, **fields: Any) -> charts.Chart:
    rng = np.random.default_rng(0)
    return charts.score_scatter(
        **{
            "image_ids": np.arange(1_000_000, 1_000_000 + count),
            "names": [f"photo-{i}.jpg" for i in range(count)],
            "predicted": rng.uniform(1, 10, count),
            "mos": rng.uniform(1, 10, count),
            "votes": rng.integers(1, 20, count),
            "scale": (1, 10),
            "photo_url": "/campaigns/watches/photos/@image/",
            "thumbnail_url": "/photos/@image/thumbnail",
            "title": "Model scores 0.4 too high",
            "rng": rng,
            **fields,
        }
    )


def other_charts() -> Iterator[charts.Chart]:
    values = np.array([0.1, 0.4, 0.9])
    yield charts.reliability_diagram(
        predicted=values,
        observed=values,
        low=values / 2,
        high=(values + 1) / 2,
        counts=np.array([5, 6, 7]),
        title="Probabilities agree",
    )
    yield charts.threshold_curves(
        thresholds=values, f1=np.array([np.nan, 0.5, 0.6]), accuracy=values, chosen=0.05, title="F1 is best at 0.4"
    )


def models(payload: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return every model of one kind in Bokeh's JSON."""
    found = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object" and node.get("name") == name:
                found.append(node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(payload["item"])
    return found


def drawn_point_count(chart: charts.Chart) -> int:
    for source in models(chart.payload, "ColumnDataSource"):
        data = dict(source["attributes"]["data"]["entries"])
        if "image" in data:
            return len(data["image"])
    raise AssertionError("no photos in the chart")


@pytest.mark.parametrize("chart", [scatter(5), *other_charts()], ids=lambda chart: chart.name)
def test_a_chart_is_json_with_a_title_and_a_text_alternative(chart: charts.Chart) -> None:
    json.dumps(chart.payload, allow_nan=False)
    assert chart.title in chart.label
    assert models(chart.payload, "LinearAxis")
    for axis in [*models(chart.payload, "LinearAxis"), *models(chart.payload, "LogAxis")]:
        assert axis["attributes"]["axis_label"]


@pytest.mark.parametrize("chart", [scatter(5), *other_charts()], ids=lambda chart: chart.name)
def test_no_chart_contains_javascript(chart: charts.Chart) -> None:
    assert "CustomJS" not in json.dumps(chart.payload)


@pytest.mark.parametrize("chart", [scatter(5), *other_charts()], ids=lambda chart: chart.name)
def test_every_colour_is_a_css_variable(chart: charts.Chart) -> None:
    used = set(re.findall(r"#[0-9a-f]{6}\b", json.dumps(chart.payload["item"])))
    assert used
    assert used <= set(charts.PALETTE)
    css = CSS.read_text()
    assert all(f"{token}:" in css for token in charts.PALETTE.values())


def test_a_tap_opens_the_photo_and_a_tooltip_shows_it() -> None:
    chart = scatter(3)
    (tap,) = models(chart.payload, "OpenURL")
    assert tap["attributes"]["url"] == "/campaigns/watches/photos/@image/"
    (hover,) = models(chart.payload, "HoverTool")
    assert 'src="/photos/@image/thumbnail"' in hover["attributes"]["tooltips"]


def test_all_of_a_few_photos_are_drawn_without_a_note() -> None:
    chart = scatter(charts.POINTS_DRAWN)
    assert drawn_point_count(chart) == charts.POINTS_DRAWN
    assert chart.note == ""


def test_a_random_sample_of_many_photos_is_drawn_and_the_note_says_so() -> None:
    chart = scatter(10_000)
    assert drawn_point_count(chart) == charts.POINTS_DRAWN
    assert "The chart shows a random 2,000 of the 10,000 photos" in chart.note
    assert len(json.dumps(chart.payload)) < 400_000

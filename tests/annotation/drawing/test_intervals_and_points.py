"""Drawings of values with intervals, in a row of a table and as a chart."""

import re
from xml.etree.ElementTree import fromstring

from annotation.drawing.axis import Tick
from annotation.drawing.intervals import interval_row, two_intervals
from annotation.drawing.points import Band, Point, points

SVG = "{http://www.w3.org/2000/svg}"


def numbers(drawing: str, kind: str, attribute: str) -> list[float]:
    return [
        float(element.get(attribute, "").rstrip("%"))
        for element in fromstring(drawing).iter()
        if kind in (element.get("class") or "").split()
    ]


def test_a_row_shows_value_interval_and_reference_on_the_shared_axis() -> None:
    row = interval_row(value=0.0, low=-1.0, high=1.0, axis=(-2.0, 2.0), reference=0.0)
    assert numbers(row, "model", "cx") == [50]
    assert (numbers(row, "interval", "x1"), numbers(row, "interval", "x2")) == ([27], [73])
    assert numbers(row, "reference", "x1") == [50]
    assert 'aria-hidden="true"' in row


def test_values_beyond_the_axis_are_at_its_end() -> None:
    row = interval_row(value=9.0, low=-9.0, high=9.0, axis=(0.0, 1.0))
    assert numbers(row, "model", "cx") == numbers(row, "interval", "x2") == [96]
    assert numbers(row, "interval", "x1") == [4]


def test_two_intervals_have_people_above_the_model() -> None:
    both = two_intervals(people=(3.0, 2.0, 4.0), model=(8.0, 7.0, 9.0), axis=(1.0, 10.0))
    assert numbers(both, "people", "cy") < numbers(both, "model", "cy")
    assert numbers(both, "people", "cx") < numbers(both, "model", "cx")


def test_a_chart_has_a_mark_with_a_title_for_each_point_and_bands_behind() -> None:
    chart = points(
        name="SRCC of two versions",
        points=[
            Point(1, 0.5, 0.4, 0.6, "Version 1: 0.5"),
            Point(2, 0.7, 0.6, 0.8, "Version <2>", kind="champion"),
        ],
        bands=[Band(1, 2, "Version 1 was champion")],
        x_range=(0.5, 2.5),
        y_range=(0.0, 1.0),
        x_ticks=[Tick(1, "1")],
        y_ticks=[Tick(0.5, "0.5")],
        x_label="version",
    )
    root = fromstring(chart)
    assert root.get("aria-label") == "SRCC of two versions"
    assert [one.text for one in root.iter(f"{SVG}title")] == [
        "Version 1 was champion", "Version 1: 0.5", "Version <2>",
    ]  # fmt: skip
    assert len(numbers(chart, "whisker", "x1")) == 6
    assert numbers(chart, "band", "x") == [25]
    assert numbers(chart, "band", "width") == [50]
    assert "NaN" not in chart
    assert re.search(r"<polyline[^>]*class=\"joined\"", chart)

"""Column charts: small examples computed by hand, and data without columns."""

import math
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from annotation.drawing.axis import Tick
from annotation.drawing.columns import OUTLINED_AT_MOST, Mark, Series, columns

NAMESPACE = "{http://www.w3.org/2000/svg}"


def draw(**options: Any) -> ElementTree.Element:
    return ElementTree.fromstring(columns(**{"name": "Columns", "end": 1, "height": 100, **options}))


def elements(root: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    return list(root.iter(NAMESPACE + tag))


def path(root: ElementTree.Element, kind: str) -> str:
    return next(element.get("d", "") for element in elements(root, "path") if element.get("class") == kind)


def heights(root: ElementTree.Element, kind: str, base: float = 100) -> list[float]:
    return [base - float(y) for y in re.findall(r"V([\d.]+)H", path(root, kind))]


def test_columns_of_people_and_model_overlap() -> None:
    root = draw(series=[Series("people", [0.25, 0.75]), Series("model", [0.5, 0.5])])
    assert path(root, "people") == "M8 100V75H42V100M58 100V25H92V100"
    assert path(root, "model") == "M4 100V50H46V100M54 100V50H96V100"
    assert [element.get("class") for element in elements(root, "path")] == ["people", "model"]


def test_two_series_are_side_by_side() -> None:
    root = draw(series=[Series("people", [1.0]), Series("others", [0.5])], beside=True)
    assert path(root, "people") == "M10 100V0H50V100"
    assert path(root, "others") == "M50 100V50H90V100"
    assert "beside" in (root.get("class") or "").split()


def test_positions_of_ticks_labels_and_axis_label() -> None:
    root = draw(
        series=[Series("people", [1, 4])],
        end=4,
        labels=["a", "b"],
        ticks=[Tick(0, "0"), Tick(4, "4")],
        axis_label="score",
    )
    texts = {element.text: (element.get("x"), element.get("y")) for element in elements(root, "text")}
    assert texts == {
        "0": ("0", "108"),
        "4": ("0", "8"),
        "a": ("25%", "124"),
        "b": ("75%", "124"),
        "score": ("50%", "144"),
    }
    assert root.get("height") == "149"
    assert "ticked" in (root.get("class") or "").split()


def test_marks_are_below_the_middle_of_their_column() -> None:
    marks = [Mark("people", 1, 0, 2), Mark("model", 1)]
    root = draw(series=[Series("people", [0, 1, 0])], marks=marks)
    assert [(element.get("class"), element.get("cx")) for element in elements(root, "circle")] == [
        ("model", "50%"),
        ("people", "50%"),
    ]
    interval = next(element for element in elements(root, "line") if element.get("class") == "interval people")
    assert (interval.get("x1"), interval.get("x2")) == ("16.67%", "83.33%")


def test_marks_outside_the_scale_stay_within_the_drawing() -> None:
    root = draw(series=[Series("people", [1, 1])], marks=[Mark("people", 1.9, -3, 7)])
    assert elements(root, "circle")[0].get("cx") == "100%"
    interval = next(element for element in elements(root, "line") if element.get("class") == "interval people")
    assert (interval.get("x1"), interval.get("x2")) == ("0%", "100%")


def test_titles_are_escaped_and_each_covers_its_column() -> None:
    root = draw(series=[Series("people", [1, 0])], titles=["Score 1: <b>", "Score 2"])
    assert [element.text for element in elements(root, "title")] == ["Score 1: <b>", "Score 2"]
    assert [(element.get("x"), element.get("width")) for element in elements(root, "rect")] == [
        ("0%", "50%"),
        ("50%", "50%"),
    ]


@pytest.mark.parametrize("values", [[], [0.0], [0.0] * 10, [math.nan] * 3, [-1.0, -2.0]])
def test_without_positive_values_there_is_an_axis_and_no_column(values: list[float]) -> None:
    root = draw(series=[Series("people", values), Series("model", values)], labels=[str(i) for i in range(len(values))])
    assert elements(root, "path") == []
    assert [element.get("class") for element in elements(root, "line")] == ["axis"]


def test_a_single_column_is_centred() -> None:
    assert path(draw(series=[Series("people", [1.0])]), "people") == "M16 100V0H84V100"


def test_values_above_the_end_are_clipped_and_infinite_values_are_ignored() -> None:
    assert heights(draw(series=[Series("people", [5.0, math.inf, 0.5])]), "people") == [100, 50]


def test_a_hundred_columns_of_the_model_are_one_outline() -> None:
    values = [0.01 * (bin % 10) for bin in range(100)]
    root = draw(series=[Series("people", values), Series("model", values)], end=0.1)
    assert path(root, "model").count("M") == 1
    assert path(root, "model").startswith("M0 100V100H1V90H2V80")
    assert path(root, "model").endswith("H100V100")
    assert path(root, "people").count("M") == 90
    assert path(draw(series=[Series("model", [1] * OUTLINED_AT_MOST)]), "model").count("M") == OUTLINED_AT_MOST


def test_a_fixed_width_is_set_in_the_svg() -> None:
    root = draw(name="", series=[Series("model", [1, 1])], height=24, width=16)
    assert (root.get("width"), root.get("height"), root.get("aria-hidden")) == ("16", "25", "true")


def test_the_svg_has_no_style_attributes_and_no_event_handlers() -> None:
    svg = columns(
        name="a", series=[Series("people", [1])], end=1, labels=["1"], titles=["1"], marks=[Mark("people", 0)]
    )
    assert "style=" not in svg
    assert " on" not in svg

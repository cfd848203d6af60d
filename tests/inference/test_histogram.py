from typing import Any

import pytest
from django.template import Context, Template

from inference.templatetags.histogram import histogram


def test_people_and_model_are_drawn_on_one_scale() -> None:
    drawn = histogram(1, [0, 3, 1], [0.25, 0.25, 0.5])
    assert [column["score"] for column in drawn["columns"]] == [1, 2, 3]
    assert [column["people"] for column in drawn["columns"]] == [0, 75, 25]
    assert [column["model"] for column in drawn["columns"]] == [25, 25, 50]
    assert drawn["ticks"] == [80, 40, 0]
    assert drawn["columns"][1]["people_height"] == pytest.approx(75 / 0.8)
    assert drawn["columns"][2]["model_height"] == pytest.approx(50 / 0.8)


def test_marks_stand_below_the_middle_of_their_column() -> None:
    people = {"mos": 2.0, "low": 1.0, "high": 3.0}
    marks = histogram(1, [0, 1, 0], [0, 1, 0], people, 2.0)["marks"]
    assert marks["mos"] == marks["model"] == pytest.approx(50)
    assert marks["low"] == pytest.approx(100 / 6)
    assert marks["width"] == pytest.approx(200 / 3)


def test_a_long_scale_names_some_of_its_scores_only() -> None:
    labels = [column["label"] for column in histogram(0, [1] * 101)["columns"]]
    assert labels[0] == 0
    assert 8 <= sum(label != "" for label in labels) <= 12


def rendered(**context: Any) -> str:
    return Template("{% load histogram %}{% histogram 1 counts distribution people mean %}").render(Context(context))


def test_each_side_may_be_missing() -> None:
    assert "people: no votes yet" in rendered(counts=[0, 0], distribution=[0.5, 0.5])
    assert "model: no prediction yet" in rendered(counts=[1, 0], distribution=None)
    assert "Nothing to draw yet" in rendered(counts=[0, 0], distribution=None)


def test_the_chart_has_a_table_behind_it() -> None:
    html = rendered(counts=[1, 3], distribution=[0.5, 0.5])
    assert "<table>" in html
    assert "75.0 %" in html

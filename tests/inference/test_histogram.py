from typing import Any
from xml.etree import ElementTree

import pytest
from django.template import Context, Template

from inference.templatetags.histogram import histogram

NAMESPACE = "{http://www.w3.org/2000/svg}"


def texts(drawing: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(drawing).iter(f"{NAMESPACE}text")]


def test_votes_and_prediction_share_one_scale() -> None:
    context = histogram(1, [0, 3, 1], [0.25, 0.25, 0.5])
    assert [row["score"] for row in context["rows"]] == [1, 2, 3]
    assert [row["people"] for row in context["rows"]] == [0, 75, 25]
    assert [row["model"] for row in context["rows"]] == [25, 25, 50]
    assert texts(context["drawing"]) == ["0 %", "40 %", "80 %", "1", "2", "3", "opinion score"]
    paths = {
        element.get("class"): element.get("d", "")
        for element in ElementTree.fromstring(context["drawing"]).iter(f"{NAMESPACE}path")
    }
    assert f"V{208 - 200 * 75 / 80:.1f}H" in paths["people"]
    assert f"V{208 - 200 * 50 / 80:.0f}H" in paths["model"]


def test_marks_are_below_the_centre_of_their_column() -> None:
    people = {"mos": 2.0, "low": 1.0, "high": 3.0}
    drawing = histogram(1, [0, 1, 0], [0, 1, 0], people, 2.0)["drawing"]
    assert drawing.count('cx="50%"') == 2
    assert 'class="interval people" x1="16.67%" x2="83.33%"' in drawing


@pytest.mark.parametrize(
    ("counts", "ticks"),
    [([1] * 10, ["0 %", "10 %", "20 %"]), ([1] * 101, ["0 %", "1 %", "2 %"]), ([5, 0], ["0 %", "50 %", "100 %"])],
)
def test_an_even_distribution_fills_half_of_the_height_and_a_single_score_all_of_it(
    counts: list[int], ticks: list[str]
) -> None:
    assert texts(histogram(1, counts)["drawing"])[:3] == ticks


def test_a_long_scale_labels_only_some_scores() -> None:
    labels = texts(histogram(0, [1] * 101)["drawing"])[3:-1]
    assert labels == ["0", "20", "40", "60", "80", "100"]


def test_a_tooltip_shows_the_numbers_of_a_column() -> None:
    drawing = histogram(1, [0, 3, 1], [0.25, 0.25, 0.5])["drawing"]
    titles = [element.text for element in ElementTree.fromstring(drawing).iter(f"{NAMESPACE}title")]
    assert titles[1:] == ["Score 2: 3 votes (75 %); model 25 %", "Score 3: 1 vote (25 %); model 50 %"]


def rendered(**context: Any) -> str:
    return Template("{% load histogram %}{% histogram 1 counts distribution people mean %}").render(Context(context))


def test_votes_or_prediction_may_be_missing() -> None:
    assert "people: no votes yet" in rendered(counts=[0, 0], distribution=[0.5, 0.5])
    assert "model: no prediction yet" in rendered(counts=[1, 0], distribution=None)
    assert "No votes and no prediction yet" in rendered(counts=[0, 0], distribution=None)


def test_the_chart_includes_a_table() -> None:
    html = rendered(counts=[1, 3], distribution=[0.5, 0.5])
    assert "<table>" in html
    assert "75.0 %" in html
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="drawing ticked"' in html

"""Charts of the calibration page are drawn once for the same figures, reader's language and hidden photos."""

from typing import Any

import pytest
from django.utils import translation

from training.views.calibration import kept_charts
from training.views.calibration.kept_charts import charts_kept

drawn: list[tuple[Any, ...]] = []


@pytest.fixture(autouse=True)
def nothing_drawn() -> None:
    drawn.clear()
    kept_charts._kept.clear()


def draw(*inputs: Any) -> dict[str, Any]:
    drawn.append(inputs)
    return {"chart": inputs, "language": translation.get_language()}


def draw_else(*inputs: Any) -> dict[str, Any]:
    return {"chart": "another"}


def test_equal_inputs_are_drawn_once() -> None:
    first = charts_kept(draw, (1, 10), [3, 4])
    assert charts_kept(draw, (1, 10), [3, 4]) is first
    assert len(drawn) == 1


def test_other_inputs_are_drawn() -> None:
    charts_kept(draw, (1, 10), [3, 4])
    assert charts_kept(draw, (1, 10), [3])["chart"] == ((1, 10), [3])
    assert len(drawn) == 2


def test_another_function_has_its_own_charts() -> None:
    charts_kept(draw, 1)
    assert charts_kept(draw_else, 1) == {"chart": "another"}


def test_each_language_has_its_own_charts() -> None:
    with translation.override("en"):
        assert charts_kept(draw, 1)["language"] == "en"
    with translation.override("de"):
        assert charts_kept(draw, 1)["language"] == "de"


def test_the_oldest_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_charts, "MOST_KEPT", 2)
    for number in (1, 2, 1, 3, 1, 2):  # 2 is dropped for 3, and 1 is always among the last two
        charts_kept(draw, number)
    assert drawn == [(1,), (2,), (3,), (2,)]
    assert len(kept_charts._kept) == 2

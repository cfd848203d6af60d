"""The charts of a learning curve."""

import dataclasses
from xml.etree import ElementTree

import pytest

from annotation.measures.intervals import Interval
from tests.training.evaluation.test_curve_gain import report
from training.drawing.learning_curve import rps_chart, srcc_chart

NAMESPACE = "{http://www.w3.org/2000/svg}"
FOUND = report(Interval(0.02, 0.0, 0.04, 187), Interval(0.1, 0.0, 0.2, 187))


def lines_of(drawing: str) -> dict[str, list[list[tuple[float, float]]]]:
    found: dict[str, list[list[tuple[float, float]]]] = {}
    for one in ElementTree.fromstring(drawing).iter(f"{NAMESPACE}polyline"):
        places = [point.split(",") for point in one.get("points", "").split()]
        found.setdefault(one.get("class", ""), []).append([(float(x), float(y)) for x, y in places])
    return found


def test_the_correlation_has_interval_forecast_prior_and_ceiling() -> None:
    found = lines_of(srcc_chart(FOUND))
    assert {kind: len(ones) for kind, ones in found.items()} == {
        "prior": 1,
        "ceiling": 1,
        "interval-end": 2,
        "validation": 1,
        "forecast": 1,
    }
    (curve,), (forecast,) = found["validation"], found["forecast"]
    assert forecast[0] == curve[-1]
    assert forecast[1][0] == pytest.approx(100)  # at all answers and 200 more
    assert forecast[1][1] < forecast[0][1]  # upwards
    assert found["ceiling"][0][0][1] < curve[-1][1] < found["prior"][0][0][1]
    assert "the ceiling 0.80" in srcc_chart(FOUND)


def test_without_a_ceiling_there_is_no_line_for_it() -> None:
    assert "ceiling" not in srcc_chart(dataclasses.replace(FOUND, ceiling=None))


def test_a_better_rps_goes_down() -> None:
    found = lines_of(rps_chart(FOUND))
    (forecast,) = found["forecast"]
    assert forecast[1][1] > forecast[0][1]
    assert "ceiling" not in found

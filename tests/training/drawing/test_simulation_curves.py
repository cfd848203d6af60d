"""The chart of simulated campaigns."""

import math
import re

import pytest

from annotation.measures.intervals import Interval
from training.drawing.simulation_curves import SERIES, SeriesLine, simulation_chart


def series(label: str, *values: float, half: float = 0.05) -> SeriesLine:
    points = [Interval(value, value - half, value + half, 10) for value in values]
    return SeriesLine(label, (20, 40, 80)[: len(values)], points)


def coordinates(chart: str, tag: str, kind: str) -> list[tuple[float, float]]:
    (points,) = re.findall(rf'<{tag} class="{kind}" points="([^"]+)"', chart)
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]


def test_lines_have_their_intervals_behind_them_and_answers_are_logarithmic():
    chart = simulation_chart([series("random", 0.2, 0.4, 0.6), series("ours", 0.5, 0.7)], name="F1", level=0.65)

    line = coordinates(chart, "polyline", "series-1")
    assert [x for x, _ in line] == pytest.approx([0, 50, 100])
    assert line[0][1] > line[1][1] > line[2][1]  # upwards
    area = coordinates(chart, "polygon", "series-1")
    assert len(area) == 6
    assert area[0][1] > line[0][1] > area[-1][1]
    assert len(coordinates(chart, "polyline", "series-2")) == 2
    assert len({y for _, y in coordinates(chart, "polyline", "level")}) == 1
    assert chart.index("polygon") < chart.index("polyline")


def test_a_single_campaign_has_no_interval():
    chart = simulation_chart([series("random", 0.2, 0.4, half=math.inf)], name="F1")

    area = coordinates(chart, "polygon", "series-1")
    assert area[:2] == area[:1:-1]


def test_colours_begin_again_after_the_last():
    chart = simulation_chart([series(str(number), 0.1 * number, 0.5) for number in range(SERIES + 1)], name="F1")

    assert chart.count('polyline class="series-1"') == 2

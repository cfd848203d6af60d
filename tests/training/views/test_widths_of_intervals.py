"""The sentence that compares the widths of the intervals of one figure."""

from math import inf, nan

import pytest

from annotation.measures.intervals import Interval
from training.views.calibration.weighted import widths_text


def width(size: float) -> Interval:
    return Interval(value=5.0, low=5.0 - size / 2, high=5.0 + size / 2, n=30)


def test_the_narrowest_comes_first_and_the_others_say_how_much_wider() -> None:
    text = widths_text("Mean score", {"first": width(3), "second": width(1), "third": width(inf)})
    assert text == "Mean score: narrowest by second (first 3.0 times as wide)."


@pytest.mark.parametrize("others", [inf, nan, 0.0])
def test_one_width_alone_is_not_compared(others: float) -> None:
    assert widths_text("Mean score", {"first": width(1), "second": width(others), "third": width(others)}) == ""
    assert widths_text("Mean score", {"second": width(others)}) == ""

"""Ends of axes, round ticks, and the labels that fit."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.drawing.axis import Tick, axis_end, labels_thinned, round_ticks


@pytest.mark.parametrize(
    ("highest", "end"),
    [
        (0.03, 0.04),
        (0.2, 0.2),
        (0.21, 0.4),
        (0.75, 0.8),
        (1, 1),
        (2, 2),
        (3, 4),
        (10, 10),
        (12, 20),
        (61, 80),
        (101, 200),
    ],
)
def test_the_end_of_an_axis_and_its_half_are_round_numbers(highest: float, end: float) -> None:
    assert axis_end(highest) == end


@pytest.mark.parametrize("highest", [0, -3, math.nan, math.inf])
def test_an_axis_without_a_positive_finite_value_ends_at_one(highest: float) -> None:
    assert axis_end(highest) == 1


@given(st.floats(1e-6, 1e9))
def test_the_highest_value_fits_and_takes_at_least_half_of_the_axis(highest: float) -> None:
    end = axis_end(highest)
    assert highest * (1 - 1e-6) <= end <= 2.000001 * highest


def test_ticks_are_round_and_have_the_decimals_they_need() -> None:
    assert [tick.text for tick in round_ticks(0.057, 0.163)] == ["0.06", "0.08", "0.10", "0.12", "0.14", "0.16"]
    assert [tick.text for tick in round_ticks(0, 5, at_most=7, smallest_step=1)] == ["0", "1", "2", "3", "4", "5"]
    assert [tick.text for tick in round_ticks(0, 236, at_most=7, smallest_step=1)] == ["0", "50", "100", "150", "200"]
    assert [tick.text for tick in round_ticks(0, 1, at_most=7, smallest_step=1)] == ["0", "1"]


def test_a_range_of_length_zero_has_one_tick() -> None:
    assert round_ticks(0.5, 0.5) == [Tick(0.5, "0.5")]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 10))
def test_ticks_stay_within_the_range_and_the_maximum_number(low: float, length: float, at_most: int) -> None:
    ticks = round_ticks(low, low + length, at_most=at_most)
    assert 1 <= len(ticks) <= at_most
    tolerance = 1e-6 * max(abs(low), length)
    assert all(low - tolerance <= tick.value <= low + length + tolerance for tick in ticks)
    assert len({tick.text for tick in ticks}) == len(ticks)


def test_all_of_ten_scores_have_labels() -> None:
    labels = [str(score) for score in range(1, 11)]
    assert labels_thinned(labels) == labels


def test_a_long_scale_has_labels_for_round_scores_only() -> None:
    shown = [label for label in labels_thinned([str(score) for score in range(101)]) if label]
    assert shown == ["0", "20", "40", "60", "80", "100"]


def test_every_second_of_fourteen_days_has_a_label() -> None:
    assert labels_thinned([str(day) for day in range(13, 27)])[:4] == ["13", "", "15", ""]


@pytest.mark.parametrize("labels", [[], ["1"], [""], ["a very long label " * 10] * 3])
def test_the_first_label_stays_when_labels_are_few_or_long(labels: list[str]) -> None:
    assert labels_thinned(labels)[:1] == labels[:1]

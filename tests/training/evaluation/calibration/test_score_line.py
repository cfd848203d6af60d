"""The fitted line and running means: numbers by hand, SciPy, and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from training.evaluation.calibration.group_draws import GroupDraws, clustered_error
from training.evaluation.calibration.score_line import FEWEST_FOR_LINE, fitted_line, running_mean


def test_a_line_through_exact_points_has_their_slope_and_no_width() -> None:
    predicted = np.arange(12.0)
    line = fitted_line(predicted, 2 + 0.5 * predicted, GroupDraws(np.arange(12), seed=1))
    assert line is not None
    assert (line.slope.value, line.slope.low, line.slope.high) == pytest.approx((0.5, 0.5, 0.5))
    assert (line.at[0], line.value[0], line.at[-1], line.value[-1]) == pytest.approx((0, 2, 11, 7.5))
    assert line.high == pytest.approx(line.low)


@given(st.integers(0, 1000))
def test_the_line_is_that_of_scipy_and_shifts_with_the_scores(seed: int) -> None:
    rng = np.random.default_rng(seed)
    predicted = rng.normal(5, 1, 40)
    mos = predicted + rng.normal(0, 1, 40)
    draws = GroupDraws(np.arange(40), seed=seed)
    line, moved = fitted_line(predicted, mos, draws), fitted_line(predicted + 100, mos + 7, draws)
    assert line is not None
    assert moved is not None
    expected = stats.linregress(predicted, mos)
    assert line.slope.value == pytest.approx(expected.slope)
    assert line.value[0] == pytest.approx(expected.intercept + expected.slope * line.at[0])
    assert moved.slope.value == pytest.approx(line.slope.value)
    assert np.array(moved.value) == pytest.approx(np.array(line.value) + 7)
    assert all(low <= value <= high for low, value, high in zip(line.low, line.value, line.high, strict=True))


def test_the_interval_of_the_slope_is_as_wide_as_that_of_theory(rng: np.random.Generator) -> None:
    predicted = rng.normal(5, 1, 400)
    mos = predicted + rng.normal(0, 1, 400)
    line = fitted_line(predicted, mos, GroupDraws(np.arange(400), seed=1))
    assert line is not None
    expected = 2 * 1.96 * stats.linregress(predicted, mos).stderr
    assert line.slope.high - line.slope.low == pytest.approx(expected, rel=0.2)


def test_photos_that_are_there_four_times_do_not_make_the_line_more_certain(rng: np.random.Generator) -> None:
    predicted = rng.normal(5, 1, 60)
    mos = predicted + rng.normal(0, 1, 60)
    once = fitted_line(predicted, mos, GroupDraws(np.arange(60), seed=1))
    copies = fitted_line(np.repeat(predicted, 4), np.repeat(mos, 4), GroupDraws(np.repeat(np.arange(60), 4), seed=1))
    assert once is not None
    assert copies is not None
    assert copies.slope.high - copies.slope.low == pytest.approx(once.slope.high - once.slope.low, rel=0.15)


def test_there_is_no_line_through_few_groups_or_equal_predictions() -> None:
    few = FEWEST_FOR_LINE - 1
    assert fitted_line(np.arange(few), np.arange(few), GroupDraws(np.arange(few), seed=1)) is None
    copies = np.repeat(np.arange(few), 5)
    assert fitted_line(copies, copies, GroupDraws(copies, seed=1)) is None
    assert fitted_line(np.full(30, 5.0), np.arange(30), GroupDraws(np.arange(30), seed=1)) is None
    assert fitted_line([], [], GroupDraws([], seed=1)) is None


def test_a_running_mean_computed_by_hand() -> None:
    # Five photos on each side. At the lowest score there are six photos: 0 … 5.
    scores = np.arange(40.0)
    found = running_mean(scores, 2 * scores, np.arange(40))
    assert found is not None
    assert (found.photos[0], found.at[0], found.mean[0]) == (6, 2.5, 5.0)
    assert (found.photos[20], found.at[20], found.mean[20]) == (11, found.at[20], 2 * found.at[20])
    t = stats.t.ppf(0.975, 5) * stats.sem(2 * scores[:6])
    assert (found.low[0], found.high[0]) == pytest.approx((5 - t, 5 + t))
    assert found.at[-1] == 36.5
    assert running_mean(scores[:19], scores[:19], np.arange(19)) is None


def test_the_error_of_a_mean_counts_groups() -> None:
    values = np.array([1.0, 2.0, 4.0, 9.0])
    assert clustered_error(values, np.arange(4)) == pytest.approx(stats.sem(values))
    assert clustered_error(np.repeat(values, 3), np.repeat(np.arange(4), 3)) == pytest.approx(stats.sem(values))
    assert clustered_error(values, np.zeros(4, dtype=int)) == float("inf")

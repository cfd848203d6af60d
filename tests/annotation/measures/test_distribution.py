"""Distributions and histograms: examples computed by hand, SciPy, and property tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from annotation.measures import distribution

weights = arrays.arrays(np.float64, 10, elements=st.floats(0.01, 1))


def test_earth_movers_distance_computed_by_hand() -> None:
    # All mass is one step away. The CDFs differ by 1 in one of the four bins, so √(1/4).
    assert distribution.emd([0, 1, 0, 0], [3, 0, 0, 0]) == pytest.approx(0.5)
    assert distribution.emd([0, 1, 0, 0], [3, 0, 0, 0], r=1.0) == pytest.approx(0.25)
    assert distribution.emd([0.5, 0.5], [4, 4]) == 0.0
    assert np.isnan(distribution.emd([0.5, 0.5], [0, 0]))


@given(arrays.arrays(np.float64, (2, 10), elements=st.floats(0.01, 1)))
def test_earth_movers_distance_is_symmetric_and_agrees_with_scipy(pair: np.ndarray) -> None:
    p, q = pair
    assert distribution.emd(p, q) == pytest.approx(distribution.emd(q, p))
    assert 0 <= distribution.emd(p, q) < 1
    assert distribution.emd(p[::-1], q[::-1]) == pytest.approx(distribution.emd(p, q), abs=1e-9)
    # With r = 1 it is the Wasserstein distance between the scores, divided by the number of scores.
    reference = stats.wasserstein_distance(np.arange(10), np.arange(10), p, q) / 10
    assert distribution.emd(p, q, r=1.0) == pytest.approx(reference, abs=1e-9)


def test_ranked_probability_score_computed_by_hand() -> None:
    assert distribution.rps([0, 0, 1], [0, 0, 2]) == 0.0
    assert distribution.rps([1, 0, 0], [0, 0, 1]) == pytest.approx(2.0)
    # p = ½ ½ 0; votes 1 and 3: ((½−1)² + 0 + 0 + (½−0)² + 1²)/2
    assert distribution.rps([0.5, 0.5, 0], [1, 0, 1]) == pytest.approx(0.75)


@given(
    arrays.arrays(np.float64, 5, elements=st.floats(0.01, 1)), arrays.arrays(np.int64, 5, elements=st.integers(0, 4))
)
def test_ranked_probability_score_is_the_mean_over_votes(p: np.ndarray, histogram: np.ndarray) -> None:
    if not histogram.sum():
        assert np.isnan(distribution.rps(p, histogram))
        return
    cumulative = np.cumsum(p) / p.sum()
    votes = np.repeat(np.arange(5), histogram)
    reference = np.mean([((cumulative - (y <= np.arange(5))) ** 2).sum() for y in votes])
    assert distribution.rps(p, histogram) == pytest.approx(reference, abs=1e-9)


def test_mean_score_of_a_distribution() -> None:
    assert distribution.mean_score([[0, 0.5, 0.5], [2, 0, 0]], lowest=1) == pytest.approx([2.5, 1.0])


@given(weights)
def test_mean_and_deviation_equal_those_of_a_discrete_random_variable(w: np.ndarray) -> None:
    reference = stats.rv_discrete(values=(np.arange(3, 13), w / w.sum()))
    assert distribution.mean_score(w, lowest=3) == pytest.approx(reference.mean())
    assert distribution.score_deviation(w) == pytest.approx(reference.std(), abs=1e-7)
    assert distribution.score_deviation(7 * w) == pytest.approx(distribution.score_deviation(w))


def test_deviation_computed_by_hand() -> None:
    # One score 1 and one score 3: both differ from the mean by 1.
    assert distribution.score_deviation([[1, 0, 1], [0, 5, 0]]) == pytest.approx([1.0, 0.0])


def test_a_histogram_without_votes_has_neither_mean_nor_deviation() -> None:
    assert np.isnan([distribution.mean_score([0, 0], lowest=1), distribution.score_deviation([0, 0])]).all()

"""Reliability bins and calibration error: examples computed by hand, scikit-learn, and property tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from sklearn.calibration import calibration_curve

from annotation.measures import calibration
from annotation.measures.intervals import mean_interval, wilson_interval

labelled = st.integers(2, 60).flatmap(
    lambda n: st.tuples(
        arrays.arrays(np.float64, n, elements=st.floats(0, 1, width=16)),
        arrays.arrays(np.int8, n, elements=st.integers(0, 1)),
    )
)


def test_reliability_bins_have_equal_sizes_and_do_not_split_ties() -> None:
    bins = calibration.reliability_bins([0.1] * 6 + [0.9] * 4, [0, 0, 0, 0, 0, 1, 1, 1, 1, 0], bins=5)
    assert [(one.n, one.predicted, one.observed.value) for one in bins] == [
        (6, pytest.approx(0.1), pytest.approx(1 / 6)),
        (4, pytest.approx(0.9), pytest.approx(0.75)),
    ]
    assert all(one.observed.low <= one.observed.value <= one.observed.high for one in bins)


def test_calibration_error_of_perfect_and_reversed_probabilities(rng: np.random.Generator) -> None:
    p = rng.random(20_000)
    labels = rng.random(20_000) < p
    assert calibration.expected_calibration_error(p, labels) < 0.015
    assert calibration.expected_calibration_error(1 - p, labels) > 0.4
    assert np.isnan(calibration.expected_calibration_error([], []))


def test_score_bins_have_the_mean_prediction_and_the_mean_score() -> None:
    bins = calibration.score_bins([1, 1, 8, 9], [2, 4, 7, 9], bins=2)
    assert [(one.predicted, one.observed.value, one.n) for one in bins] == [(1.0, 3.0, 2), (8.5, 8.0, 2)]


@given(labelled, st.integers(1, 12))
def test_reliability_bins_equal_those_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray], bins: int) -> None:
    p, labels = pair
    observed, predicted = calibration_curve(labels, p, n_bins=bins, strategy="quantile", pos_label=1)
    found = calibration.reliability_bins(p, labels, bins=bins)
    assert [one.predicted for one in found] == pytest.approx(predicted.tolist())
    assert [one.observed.value for one in found] == pytest.approx(observed.tolist())
    assert sum(one.n for one in found) == len(p)


def test_bins_have_wilson_and_student_intervals() -> None:
    (half,) = calibration.reliability_bins([0.5] * 10, [1, 0] * 5)
    assert half.observed == wilson_interval(5, 10)
    low, high = calibration.score_bins([1, 1, 1, 9], [2, 4, 6, 9], bins=2)
    assert low.observed == mean_interval([2, 4, 6])
    # Mean 4, standard deviation 2, t(2) at 97.5 % is 4.3027.
    assert low.observed.high == pytest.approx(4 + stats.t.ppf(0.975, 2) * 2 / np.sqrt(3))
    assert (high.observed.low, high.observed.high) == (-np.inf, np.inf)


def test_calibration_error_computed_by_hand() -> None:
    # Two bins with two photos each: |.1 − 0| and |.8 − .5|.
    assert calibration.expected_calibration_error([0.1, 0.1, 0.8, 0.8], [0, 0, 1, 0], bins=2) == pytest.approx(0.2)

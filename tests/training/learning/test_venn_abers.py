"""Intervals of a probability."""

import numpy as np
import pytest
from scipy.special import expit

from training.learning.venn_abers import probability_intervals


@pytest.mark.parametrize("stretch", [0.5, 1.0, 3.0])
def test_the_intervals_hold_the_true_probability_where_the_model_is_wrong_about_it(stretch: float) -> None:
    """A model that is too sure, or not sure enough, is corrected."""
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 1.5, 20_000)
    labels = rng.random(20_000) < expit(truth)
    found = probability_intervals(stretch * truth, labels)
    for point in (-1.0, 0.0, 1.0):
        low, high = found.at(float(expit(stretch * point)))
        assert low <= high
        assert (low + high) / 2 == pytest.approx(float(expit(point)), abs=0.06)


def test_two_labels_say_little() -> None:
    low, high = probability_intervals([-1.0, 1.0], [0, 1]).at(0.5)
    assert (low, high) == (0.0, 1.0)


def test_values_rise_and_stay_between_0_and_1() -> None:
    rng = np.random.default_rng(0)
    found = probability_intervals(rng.normal(size=50), rng.random(50))
    for values in (found.probability, found.low, found.high):
        assert list(values) == sorted(values)
        assert 0 <= min(values) <= max(values) <= 1


def test_no_photos_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one photo"):
        probability_intervals([], [])

"""Measures of one slice: the fast bootstrap is the bootstrap of `annotation.measures.intervals`."""

import numpy as np
import pytest
from scipy.stats import rankdata

from annotation.measures import correlation, intervals
from training.evaluation.calibration.slice_measures import _Ranks, slice_measures


@pytest.mark.parametrize("copies", [1, 3])
def test_the_three_intervals_are_those_of_the_slow_bootstrap(copies: int, rng: np.random.Generator) -> None:
    observed = rng.normal(5, 2, 60).round(1)  # rounded, so that there are ties
    predicted = (observed + rng.normal(0, 1, 60)).round(1)
    groups = np.arange(60) // copies
    found = slice_measures(predicted, observed, groups, seed=3)
    for name in ("rmse", "bias", "srcc"):
        expected = intervals.interval(getattr(correlation, name), predicted, observed, seed=3, groups=groups)
        ours = getattr(found, name)
        assert (ours.n, ours.groups) == (60, 60 // copies)
        assert [ours.value, ours.low, ours.high, ours.error] == pytest.approx(
            [expected.value, expected.low, expected.high, expected.error]
        )


def test_ranks_of_a_resample_are_those_of_its_photos(rng: np.random.Generator) -> None:
    values = rng.integers(0, 6, 20).astype(float)
    times = rng.integers(0, 3, 20)
    ranks = _Ranks(values).of(times[None].astype(float))[0]
    expected = rankdata(np.repeat(values, times))
    assert np.repeat(ranks, times) + 0.5 == pytest.approx(expected)


def test_one_group_has_no_interval_and_a_constant_slice_no_correlation() -> None:
    found = slice_measures(np.array([4.0, 5.0]), np.array([5.0, 5.0]), np.array([1, 1]), seed=1)
    assert (found.bias.value, found.bias.low, found.bias.high) == (-0.5, -0.5, -0.5)
    assert np.isnan(found.srcc.value)

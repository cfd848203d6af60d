"""Opinion scores: examples computed by hand, a second implementation, and property tests."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annotation.measures import opinion

votes = st.lists(st.integers(1, 10), min_size=1, max_size=60)


def test_a_histogram_counts_each_score_of_the_scale():
    assert opinion.score_histogram([3, 1, 3, 5], lowest=1, highest=5).tolist() == [1, 0, 2, 0, 1]


def test_a_histogram_without_votes_is_empty():
    assert opinion.score_histogram([], lowest=0, highest=3).tolist() == [0, 0, 0, 0]


def test_each_image_has_its_own_histogram():
    ids, histograms = opinion.image_histograms([7, 2, 7], [1, 3, 2], lowest=1, highest=3)
    assert ids.tolist() == [2, 7]
    assert histograms.tolist() == [[0, 0, 1], [1, 1, 0]]


@pytest.mark.parametrize("scores", [[0], [11], [5.5], [3, 12]])
def test_a_score_outside_the_scale_is_refused(scores):
    with pytest.raises(ValueError, match="whole numbers from 1 to 10"):
        opinion.score_histogram(scores, lowest=1, highest=10)


def test_votes_and_images_of_different_length_are_refused():
    with pytest.raises(ValueError, match="2 image ids do not match 1 scores"):
        opinion.image_histograms([1, 2], [3], lowest=1, highest=10)


def test_a_scale_of_one_score_is_refused():
    with pytest.raises(ValueError, match="at least two scores"):
        opinion.score_histogram([1], lowest=1, highest=1)


def test_five_votes_computed_by_hand():
    # 4 5 5 6 9: mean 29/5; squared differences 3.24+.64+.64+.04+10.24 = 14.8; SOS √(14.8/4);
    # t(4) at 97.5 % is 2.7764, so the interval is 5.8 ± 2.7764·√3.7/√5 = 5.8 ± 2.3884.
    histogram = opinion.score_histogram([4, 5, 5, 6, 9], lowest=1, highest=10)
    low, high = opinion.mos_interval(histogram, 1)
    assert opinion.mos(histogram, 1) == pytest.approx(5.8)
    assert opinion.sos(histogram) == pytest.approx(math.sqrt(3.7))
    assert (low, high) == (pytest.approx(3.4116, abs=1e-4), pytest.approx(8.1884, abs=1e-4))


def test_the_interval_of_one_vote_is_the_whole_scale():
    low, high = opinion.mos_interval([0, 0, 1, 0], 0)
    assert (low, high) == (0, 3)
    assert math.isnan(opinion.sos([0, 0, 1, 0]))


def test_without_votes_all_values_are_nan():
    histogram = np.zeros(10)
    assert np.isnan([opinion.mos(histogram, 1), opinion.sos(histogram), *opinion.mos_interval(histogram, 1)]).all()


def test_the_interval_of_equal_votes_has_width_zero():
    assert opinion.mos_interval([0, 4, 0], 1) == (2, 2)


def test_the_interval_stays_within_the_scale():
    assert opinion.mos_interval([1, 1, 0], 1) == (1, 3)


def test_many_images_at_once_equal_one_at_a_time(rng):
    histograms = rng.integers(0, 4, (50, 10))
    histograms[0], histograms[1] = 0, np.eye(10)[4]
    lows, highs = opinion.mos_interval(histograms, 1)
    means, spreads = opinion.mos(histograms, 1), opinion.sos(histograms)
    for i, histogram in enumerate(histograms):
        single = (opinion.mos(histogram, 1), opinion.sos(histogram), *opinion.mos_interval(histogram, 1))
        np.testing.assert_allclose((means[i], spreads[i], lows[i], highs[i]), single, equal_nan=True)


@given(votes)
def test_mean_and_spread_equal_those_of_the_votes(scores):
    histogram = opinion.score_histogram(scores, lowest=1, highest=10)
    assert histogram.sum() == len(scores)
    assert opinion.mos(histogram, 1) == pytest.approx(statistics.fmean(scores))
    if len(scores) > 1:
        assert opinion.sos(histogram) == pytest.approx(statistics.stdev(scores), abs=1e-9)


@given(votes)
def test_the_interval_is_students_clipped_to_the_scale(scores):
    low, high = opinion.mos_interval(opinion.score_histogram(scores, lowest=1, highest=10), 1)
    if len(scores) == 1:
        assert (low, high) == (1, 10)
        return
    error = statistics.stdev(scores) / math.sqrt(len(scores))
    half = stats.t.ppf(0.975, len(scores) - 1) * error
    assert low == pytest.approx(max(1, statistics.fmean(scores) - half), abs=1e-6)
    assert high == pytest.approx(min(10, statistics.fmean(scores) + half), abs=1e-6)


@given(votes, st.integers(-3, 3))
def test_shifting_the_scale_shifts_the_mean(scores, shift):
    histogram = opinion.score_histogram(scores, lowest=1, highest=10)
    assert opinion.mos(histogram, 1 + shift) == pytest.approx(opinion.mos(histogram, 1) + shift)


@given(votes)
def test_the_interval_contains_the_mean(scores):
    histogram = opinion.score_histogram(scores, lowest=1, highest=10)
    low, high = opinion.mos_interval(histogram, 1)
    assert 1 <= low <= opinion.mos(histogram, 1) + 1e-12
    assert opinion.mos(histogram, 1) - 1e-12 <= high <= 10

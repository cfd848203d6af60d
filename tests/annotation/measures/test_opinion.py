"""Opinion scores: examples computed by hand, a second implementation, and property tests."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annotation.measures import opinion
from annotation.measures.vote_variance import UNKNOWN, VoteVariance

votes = st.lists(st.integers(1, 10), min_size=1, max_size=60)
VARIANCE = VoteVariance(mean=2.0, degrees=6.0)


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
    # 4 5 5 6 9: mean 29/5; squared differences 3.24+.64+.64+.04+10.24 = 14.8; SOS √(14.8/4). With six more votes of
    # variance 2: (14.8 + 12)/10 = 2.68; t(10) at 97.5 % is 2.2281, so the interval is 5.8 ± 2.2281·√2.68/√5.
    histogram = opinion.score_histogram([4, 5, 5, 6, 9], lowest=1, highest=10)
    low, high = opinion.mos_interval(histogram, 1, VARIANCE)
    assert opinion.mos(histogram, 1) == pytest.approx(5.8)
    assert opinion.sos(histogram) == pytest.approx(math.sqrt(3.7))
    assert (low, high) == (pytest.approx(4.1687, abs=1e-4), pytest.approx(7.4313, abs=1e-4))


def test_the_interval_of_one_vote_has_the_variance_of_the_campaign():
    # t(6) at 97.5 % is 2.4469: 5 ± 2.4469·√2.
    low, high = opinion.mos_interval(np.eye(10)[4], 1, VARIANCE)
    assert (low, high) == (pytest.approx(1.5395, abs=1e-4), pytest.approx(8.4605, abs=1e-4))
    assert math.isnan(opinion.sos([0, 0, 1, 0]))


@pytest.mark.parametrize("histogram", [[0, 0, 1, 0], [0, 4, 0, 0], [1, 1, 1, 1]])
def test_without_a_known_variance_the_interval_is_the_whole_scale(histogram):
    assert opinion.mos_interval(histogram, 0, UNKNOWN) == (0, 3)


def test_without_votes_all_values_are_nan():
    histogram = np.zeros(10)
    assert np.isnan(
        [opinion.mos(histogram, 1), opinion.sos(histogram), *opinion.mos_interval(histogram, 1, VARIANCE)]
    ).all()


def test_equal_votes_have_an_interval_that_shrinks_with_their_number():
    widths = [np.diff(opinion.mos_interval([0] * 4 + [n] + [0] * 5, 1, VARIANCE))[0] for n in (1, 2, 4, 16)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] > 0


def test_the_interval_stays_within_the_scale():
    assert opinion.mos_interval([1, 1, 0], 1, VARIANCE) == (1, 3)


def test_many_images_at_once_equal_one_at_a_time(rng):
    histograms = rng.integers(0, 4, (50, 10))
    histograms[0], histograms[1] = 0, np.eye(10)[4]
    lows, highs = opinion.mos_interval(histograms, 1, VARIANCE)
    means, spreads = opinion.mos(histograms, 1), opinion.sos(histograms)
    for i, histogram in enumerate(histograms):
        single = (opinion.mos(histogram, 1), opinion.sos(histogram), *opinion.mos_interval(histogram, 1, VARIANCE))
        np.testing.assert_allclose((means[i], spreads[i], lows[i], highs[i]), single, equal_nan=True)


@given(votes)
def test_mean_and_spread_equal_those_of_the_votes(scores):
    histogram = opinion.score_histogram(scores, lowest=1, highest=10)
    assert histogram.sum() == len(scores)
    assert opinion.mos(histogram, 1) == pytest.approx(statistics.fmean(scores))
    if len(scores) > 1:
        assert opinion.sos(histogram) == pytest.approx(statistics.stdev(scores), abs=1e-9)


@given(votes, st.floats(0.1, 5), st.floats(1, 50))
def test_the_interval_is_students_with_a_variance_from_more_votes(scores, mean, degrees):
    histogram = opinion.score_histogram(scores, lowest=1, highest=10)
    low, high = opinion.mos_interval(histogram, 1, VoteVariance(mean, degrees))
    n, centre = len(scores), statistics.fmean(scores)
    squares = sum((score - centre) ** 2 for score in scores)
    deviation = math.sqrt((squares + degrees * mean) / (n - 1 + degrees))
    half = stats.t.ppf(0.975, n - 1 + degrees) * deviation / math.sqrt(n)
    assert low == pytest.approx(max(1, centre - half), abs=1e-6)
    assert high == pytest.approx(min(10, centre + half), abs=1e-6)


@given(votes, st.integers(-3, 3))
def test_shifting_the_scale_shifts_the_mean(scores, shift):
    histogram = opinion.score_histogram(scores, lowest=1, highest=10)
    assert opinion.mos(histogram, 1 + shift) == pytest.approx(opinion.mos(histogram, 1) + shift)


@given(votes)
def test_the_interval_contains_the_mean(scores):
    histogram = opinion.score_histogram(scores, lowest=1, highest=10)
    low, high = opinion.mos_interval(histogram, 1, VARIANCE)
    assert 1 <= low <= opinion.mos(histogram, 1) + 1e-12
    assert opinion.mos(histogram, 1) - 1e-12 <= high <= 10


def test_the_sos_parameter_is_between_equal_votes_and_votes_at_both_ends():
    assert opinion.sos_parameter([[0, 4, 0, 0], [0, 0, 3, 0]]) == 0
    assert opinion.sos_parameter([[5, 0, 0, 5], [1, 0, 0, 1], [1, 0, 0, 9]]) == pytest.approx(1)


def test_the_sos_parameter_computed_by_hand():
    # Votes 1 and 3 of 0 … 4: SOS² = 2, product + SOS²/n = 2·2 + 2/2. Votes 2 and 2: 0 and 2·2. The others add nothing.
    histograms = [[0, 1, 0, 1, 0], [0, 0, 2, 0, 0], [9, 0, 0, 0, 0], [1, 0, 0, 0, 0]]
    assert opinion.sos_parameter(histograms) == pytest.approx(2 / 9)


@pytest.mark.parametrize("votes", [2, 3, 30])
def test_the_sos_parameter_of_binomial_votes_does_not_depend_on_their_number(rng, votes):
    # A binomial distribution over 0 … 9 has the variance m·(9 − m)/9.
    scores = rng.binomial(9, rng.uniform(0.2, 0.8, (20_000, 1)), (20_000, votes))
    _, histograms = opinion.image_histograms(np.repeat(np.arange(20_000), votes), scores, lowest=0, highest=9)
    assert opinion.sos_parameter(histograms) == pytest.approx(1 / 9, rel=0.03)


@pytest.mark.parametrize("histograms", [[[1, 0, 0]], [[5, 0, 0], [0, 0, 4]], np.zeros((0, 3))])
def test_the_sos_parameter_is_unknown_without_images_that_could_differ(histograms):
    assert math.isnan(opinion.sos_parameter(histograms))

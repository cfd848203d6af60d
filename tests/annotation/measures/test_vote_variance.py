"""The variance of votes on one photo: examples computed by hand, and drawn votes with a known variance."""

import math

import numpy as np
import pytest

from annotation.measures import opinion
from annotation.measures.vote_variance import UNKNOWN, VoteVariance, variance_of, vote_variance


def test_two_photos_computed_by_hand():
    # Variances 2 (votes 1 3) and 1 (votes 1 2 3): s₀² = (1·2 + 2·1)/3. The spread of the variances is less than chance
    # alone would give, so all evidence counts: 5 votes on 2 photos.
    found = vote_variance([[1, 0, 1], [1, 1, 1]])
    assert found == VoteVariance(pytest.approx(4 / 3), 3)


@pytest.mark.parametrize("histograms", [np.zeros((0, 5)), np.eye(5), [[0, 3, 0], [2, 0, 0]]])
def test_without_differing_votes_nothing_is_known(histograms):
    assert vote_variance(histograms).degrees == UNKNOWN.degrees == 0
    assert math.isnan(vote_variance(histograms).mean)


def test_photos_with_one_vote_or_none_are_left_out():
    assert vote_variance([[1, 0, 1], [1, 1, 1], [0, 1, 0], [0, 0, 0]]) == vote_variance([[1, 0, 1], [1, 1, 1]])


@pytest.mark.parametrize("degrees", [6, 12, 40])
def test_degrees_are_found_again_in_drawn_variances(degrees, rng):
    variances = 2 * (degrees - 2) / rng.chisquare(degrees, 200_000)
    votes = rng.integers(2, 12, 200_000)
    found = variance_of(variances * rng.chisquare(votes - 1) / (votes - 1), votes)
    assert found.mean == pytest.approx(2, rel=0.02)
    # Heavy tails: with 6 degrees the variance of a variance exists, but its estimate varies.
    assert found.degrees == pytest.approx(degrees, rel=0.25)


def test_equal_variances_count_for_as_many_votes_as_the_limit_allows(rng):
    votes = np.full(5000, 4)
    assert variance_of(2 * rng.chisquare(3, 5000) / 3, votes).degrees > 40


@pytest.mark.parametrize("photos", [3, 20, 500])
@pytest.mark.parametrize("votes", [2, 3, 5])
def test_intervals_contain_the_mean_of_all_votes(photos, votes, rng):
    covered, drawn = 0, 0
    for _ in range(max(1, 1500 // photos)):
        centres = rng.uniform(2, 9, photos)[:, np.newaxis]
        spread = np.sqrt(1.5 * 10 / rng.chisquare(12, photos))[:, np.newaxis]
        everybody = np.clip(np.rint(rng.normal(centres, spread, (photos, 400))), 1, 10).astype(int)
        histograms = np.stack([opinion.score_histogram(row[:votes], lowest=1, highest=10) for row in everybody])
        low, high = opinion.mos_interval(histograms, 1, vote_variance(histograms))
        means = everybody.mean(axis=1)
        covered, drawn = covered + int(((low <= means) & (means <= high)).sum()), drawn + photos
    assert 0.92 < covered / drawn < 0.99

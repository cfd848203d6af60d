"""The cumulative probit model: known thresholds are found, and few votes keep them even."""

import numpy as np
import pytest

from training.learning.score_thresholds import Thresholds, thresholds_fit


def votes_of(model: Thresholds, scores: np.ndarray, votes: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array([rng.multinomial(votes, row) for row in model.distribution(scores)], dtype=np.float64)


def test_known_thresholds_and_spread_are_found() -> None:
    true = Thresholds(np.array([0.4, 1.9, 2.3, 3.1]), 1.3)
    scores = np.random.default_rng(1).uniform(0, 5, 500)
    found = thresholds_fit(scores, votes_of(true, scores, 20))
    np.testing.assert_allclose(found.places, true.places, atol=0.1)
    assert found.spread == pytest.approx(1.3, abs=0.08)


def test_scores_that_say_nothing_give_everybody_the_overall_distribution() -> None:
    rng = np.random.default_rng(1)
    shares = np.array([0.1, 0.4, 0.1, 0.3, 0.1])
    votes = rng.multinomial(6, shares, size=400).astype(float)
    model = thresholds_fit(rng.uniform(0, 4, 400), votes)
    np.testing.assert_allclose(model.distribution(np.array([0.0, 4.0])), np.tile(shares, (2, 1)), atol=0.05)


def test_a_higher_score_never_moves_votes_down() -> None:
    model = thresholds_fit(np.array([1.0, 4.0]), np.eye(10)[[1, 5]] * 2)
    below = model.distribution(np.linspace(-3, 12, 40)).cumsum(axis=1)
    assert (np.diff(below, axis=0) <= 1e-12).all()
    np.testing.assert_allclose(below[:, -1], 1)


@pytest.mark.parametrize("bins", [2, 3, 101])
def test_short_and_long_scales(bins: int) -> None:
    scores = np.linspace(0, bins - 1, 30)
    votes = np.eye(bins)[np.rint(scores).astype(int)] * 2
    distribution = thresholds_fit(scores, votes).distribution(scores)
    means = distribution @ np.arange(bins)
    assert np.corrcoef(means, scores)[0, 1] > 0.8
    np.testing.assert_allclose(distribution.sum(1), 1)

"""The crowd's score: prediction and votes, weighted by the inverse of their variances."""

import pytest

from inference.personal.crowd import crowd_score


def test_without_votes_it_is_the_prediction() -> None:
    assert crowd_score(6.2, [], vote_variance=2.0, width=9) == pytest.approx(6.2)


def test_votes_count_by_their_variance() -> None:
    """The model's variance is .01·9² = .81; two votes of variance 1.62 count as much as the prediction."""
    assert crowd_score(6.0, [4.0, 2.0], vote_variance=1.62, width=9) == pytest.approx((6 + 3) / 2)


def test_many_votes_replace_the_prediction() -> None:
    assert crowd_score(9.0, [3.0] * 500, vote_variance=2.0, width=9) == pytest.approx(3.0, abs=0.05)


def test_votes_without_a_variance_do_not_divide_by_zero() -> None:
    assert 3.0 <= crowd_score(6.0, [3.0], vote_variance=0.0, width=9) < 6.0

"""PIT histogram and coverage: numbers by hand, a check by drawing votes, and models that are too sure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.measures.vote_variance import UNKNOWN, VoteVariance
from tests.training.evaluation.calibration.invented import bell, comparison, right_model
from training.evaluation.calibration.group_draws import GroupDraws
from training.evaluation.calibration.vote_forecast import (
    central_interval,
    coverages,
    mos_forecast,
    pit_histogram,
)

NONE = np.zeros(10)


def at(score: int, **others: float) -> np.ndarray:
    """Return a distribution with most of it at one score, and the others as `s3=.1`."""
    p = NONE.copy()
    for name, share in others.items():
        p[int(name[1:]) - 1] = share
    p[score - 1] += 1 - p.sum()
    return p


def test_a_central_interval_computed_by_hand() -> None:
    # Cumulated .05, .15, .95, 1: the 10 % quantile is 4, the 90 % quantile is 5, and both hold .1 + .8.
    low, high, mass = central_interval([at(5, s3=0.05, s4=0.1, s6=0.05)], 0.8, 1)
    assert (low.tolist(), high.tolist()) == ([4], [5])
    assert mass == pytest.approx(0.9)
    low, high, mass = central_interval([at(7)], 0.9, 1)
    assert (low.tolist(), high.tolist(), mass.tolist()) == ([7], [7], [1.0])


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9]))
def test_a_central_interval_holds_at_least_its_level_and_has_no_end_too_many(seed: int, level: float) -> None:
    p = np.random.default_rng(seed).dirichlet(np.ones(10), 5)
    low, high, mass = central_interval(p, level, 1)
    assert (mass >= level - 1e-9).all()
    for row, (first, last) in enumerate(zip(low.astype(int) - 1, high.astype(int) - 1, strict=True)):
        assert mass[row] == pytest.approx(p[row, first : last + 1].sum())
        assert p[row, :first].sum() < (1 - level) / 2 + 1e-9
        assert p[row, last + 1 :].sum() < (1 - level) / 2 + 1e-9


def test_the_interval_of_a_mos_is_narrower_with_more_votes_and_honest_about_what_they_share() -> None:
    p = bell([5.5], [2.0])
    total = float((p @ np.arange(1, 11) ** 2)[0] - (p @ np.arange(1, 11))[0] ** 2)
    within = VoteVariance(1.0, 50.0)
    widths = [float(np.diff(mos_forecast(p, [k], 0.8, 1, within), axis=0)[0, 0]) for k in (1, 4, 10_000)]
    expected = [2 * 1.2816 * np.sqrt(total - 1 + 1 / k) for k in (1, 4, 10_000)]
    assert widths == pytest.approx(expected, rel=1e-3)
    # Without a typical variance all of it averages out.
    unknown = float(np.diff(mos_forecast(p, [4], 0.8, 1, UNKNOWN), axis=0)[0, 0])
    assert unknown == pytest.approx(2 * 1.2816 * np.sqrt(total / 4), rel=1e-3)


def test_the_pit_of_one_vote_computed_by_hand() -> None:
    # F goes from .25 to .75 at the vote: half of the tenth from .2, all up to .7, half of the tenth up to .8.
    found = pit_histogram(comparison([[5]], [at(5, s3=0.25, s7=0.25)]), np.array([0]))
    assert found.shares == pytest.approx((0, 0, 0.1, 0.2, 0.2, 0.2, 0.2, 0.1, 0, 0))
    assert (found.votes, found.photos, found.groups, found.outside) == (1, 1, 1, 0)
    # A vote that the model gave no chance, above all others, is at the upper end.
    assert pit_histogram(comparison([[9]], [at(5)]), np.array([0])).shares == (*(0.0,) * 9, 1.0)
    assert pit_histogram(comparison([[1]], [at(5)]), np.array([0])).shares == (1.0, *(0.0,) * 9)


def test_the_pit_is_the_mean_of_randomised_ones(rng: np.random.Generator) -> None:
    compared = right_model(50, rng, votes=4)
    found = pit_histogram(compared, np.arange(50))
    upper = np.cumsum(compared.distribution, axis=1)
    row = np.searchsorted(compared.image_ids, compared.votes.image_ids)
    score = compared.votes.scores.astype(int) - 1
    ends = upper[row, score]
    starts = ends - compared.distribution[row, score]
    drawn = np.concatenate([rng.uniform(starts, ends) for _ in range(2000)])
    shares = np.histogram(drawn, bins=10, range=(0, 1))[0] / len(drawn)
    np.testing.assert_allclose(found.shares, shares, atol=0.003)
    assert sum(found.shares) == pytest.approx(1)


def test_bars_of_right_distributions_are_rarely_outside_of_their_band(rng: np.random.Generator) -> None:
    outside = [pit_histogram(right_model(200, rng, votes=4), np.arange(200)).outside for _ in range(40)]
    assert np.mean(outside) / 10 < 0.08  # 5 % is promised


def test_a_model_that_is_too_sure_has_full_ends_and_one_that_is_not_sure_enough_a_full_middle(
    rng: np.random.Generator,
) -> None:
    right = right_model(300, rng)
    means = right.quality_mean
    scores = right.votes.scores.reshape(300, 3)
    sure = pit_histogram(comparison(scores, bell(means, np.full(300, 0.7))), np.arange(300))
    unsure = pit_histogram(comparison(scores, bell(means, np.full(300, 3.0))), np.arange(300))
    assert min(sure.shares[0], sure.shares[-1]) > 0.15
    assert min(unsure.shares[4:6]) > 0.13
    assert sure.outside >= 4
    assert unsure.outside >= 4


def test_coverage_of_two_photos_computed_by_hand() -> None:
    compared = comparison([[5, 5], [5, 9]], [at(5), at(5)])
    vote, _, mos, _ = coverages(compared, GroupDraws([0, 1], seed=1), UNKNOWN)
    assert (vote.observed.value, vote.promised, vote.width) == (0.75, 1.0, 0.0)
    assert (mos.observed.value, mos.promised) == (0.5, 0.8)
    assert not vote.of_mos
    assert mos.of_mos


@pytest.mark.parametrize("votes", [2, 8])
def test_intervals_of_a_right_model_contain_what_they_promise(votes: int, rng: np.random.Generator) -> None:
    compared = right_model(4000, rng, votes=votes)
    for found in coverages(compared, GroupDraws(compared.groups, seed=1), VoteVariance(1.2**2 + 1 / 12, 100.0)):
        assert found.observed.value == pytest.approx(found.promised, abs=0.025)
        assert found.promised >= found.level


def test_a_model_that_is_too_sure_is_caught_by_both_coverages(rng: np.random.Generator) -> None:
    right = right_model(300, rng)
    sure = comparison(right.votes.scores.reshape(300, 3), bell(right.quality_mean, np.full(300, 0.8)))
    for found in coverages(sure, GroupDraws(sure.groups, seed=1), VoteVariance(0.5, 100.0)):
        assert found.observed.high < found.promised

"""The quick models of the queue: what is known about scores, and what they say about watches."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.acquisition.anchors import AnchorsFirst
from inference.acquisition.quality_learner import ScoreVotes, interval_gap, quality_knowledge
from inference.acquisition.strategy import Pool
from inference.acquisition.watch_learner import champion_input, mutual_information, watch_opinion

NOISE = 1.0


def drawn_scores(rng: np.random.Generator, count: int = 400) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return inputs [N, 8] and true scores [N]: a line with deviations of variance .25."""
    inputs = rng.normal(size=(count, 8)) / np.sqrt(8)
    return inputs, 5.5 + inputs @ rng.normal(0, 2, 8) + rng.normal(0, 0.5, count)


def votes_on(true: NDArray[np.float64], count: NDArray[np.int64], rng: np.random.Generator) -> ScoreVotes:
    return ScoreVotes(count, count * true + np.sqrt(count * NOISE) * rng.normal(size=len(true)))


def test_the_variance_is_that_of_the_errors() -> None:
    # Squared errors divided by what the model says about them: 1 on average, for photos with and without votes.
    ratios = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        inputs, true = drawn_scores(rng)
        given = votes_on(true[:200], np.full(200, 2), rng)
        own = votes_on(true[200:], rng.integers(0, 4, 200), rng)
        found = quality_knowledge(inputs[:200], given, inputs[200:], own, vote_variance=NOISE)
        assert found is not None
        squares = (found.mean - true[200:]) ** 2 / found.variance
        ratios.append([squares[own.votes == 0].mean(), squares[own.votes > 0].mean()])
    assert np.mean(ratios, axis=0) == pytest.approx([1, 1], abs=0.25)


def test_each_vote_lowers_the_variance_and_moves_the_mean() -> None:
    rng = np.random.default_rng(1)
    inputs, true = drawn_scores(rng)
    given = votes_on(true[:200], np.full(200, 2), rng)
    same = np.repeat(inputs[200:201], 3, axis=0)
    own = ScoreVotes(np.array([0, 1, 5]), np.array([0.0, 10.0, 50.0]))
    found = quality_knowledge(inputs[:200], given, same, own, vote_variance=NOISE)
    assert found is not None
    assert (np.diff(found.variance) < 0).all()
    assert (np.diff(found.mean) > 0).all()
    assert found.mean[2] < 10


def test_a_few_photos_are_too_few_to_learn_from() -> None:
    inputs, true = drawn_scores(np.random.default_rng(2), 19)
    votes = ScoreVotes(np.ones(19, dtype=np.int64), true)
    assert quality_knowledge(inputs, votes, inputs, votes, vote_variance=NOISE) is None


def test_the_gap_is_0_where_the_intervals_meet() -> None:
    # People said 5 about all 52 photos; the version agrees about 50 of them within half a point.
    votes = ScoreVotes(np.r_[np.full(51, 4), 0], np.r_[np.full(51, 20.0), 0.0])
    gap = interval_gap(np.r_[np.linspace(4.5, 5.5, 50), 9.9, 9.9], votes, vote_variance=0.5)
    assert (gap[:50] == 0).all()
    assert 0 < gap[50] < 4.9
    assert gap[51] == 0  # nobody has voted
    assert (interval_gap(np.full(52, np.nan), votes, vote_variance=0.5) == 0).all()


class TestWatchOpinion:
    def test_it_learns_what_the_answers_say(self) -> None:
        rng = np.random.default_rng(3)
        inputs = rng.normal(size=(200, 6)) / np.sqrt(6)
        label = (inputs[:, 0] > 0).astype(np.int64)
        found = watch_opinion(inputs[:100], label[:100], 1 - label[:100], inputs[100:], None)
        assert found is not None
        assert ((found.probability > 0.5) == (label[100:] == 1)).mean() > 0.85
        assert found.spread is None

    def test_a_photo_weighs_one_however_many_votes_it_has(self) -> None:
        rng = np.random.default_rng(3)
        inputs = rng.normal(size=(60, 6))
        label = (inputs[:, 0] > 0).astype(np.int64)
        one = watch_opinion(inputs, label, 1 - label, inputs, None)
        many = watch_opinion(inputs, 7 * label, 7 * (1 - label), inputs, None)
        assert one is not None
        assert many is not None
        np.testing.assert_allclose(one.probability, many.probability)

    @pytest.mark.parametrize(("yes", "no"), [(19, 0), (30, 0), (30, 1), (1, 30), (10, 9)])
    def test_it_needs_twenty_photos_and_two_of_each_label(self, yes: int, no: int) -> None:
        label = np.r_[np.ones(yes, dtype=np.int64), np.zeros(no, dtype=np.int64)]
        inputs = np.random.default_rng(1).normal(size=(yes + no, 3))
        assert watch_opinion(inputs, label, 1 - label, inputs, None) is None

    def test_the_spread_is_between_0_and_ln_2_and_the_same_for_the_same_seed(self) -> None:
        rng = np.random.default_rng(3)
        inputs = rng.normal(size=(60, 6))
        label = (inputs[:, 0] + rng.normal(size=60) > 0).astype(np.int64)
        found = [watch_opinion(inputs, label, 1 - label, inputs, np.random.default_rng(5)) for _ in range(2)]
        spreads = [one.spread for one in found if one is not None and one.spread is not None]
        np.testing.assert_array_equal(spreads[0], spreads[1])
        assert (spreads[0] >= 0).all()
        assert (spreads[0] <= np.log(2)).all()
        assert spreads[0].max() > 0


def test_members_of_one_opinion_have_no_mutual_information() -> None:
    said = np.array([[0.5, 0.0, 1.0], [0.5, 1.0, 1.0]])
    np.testing.assert_allclose(mutual_information(said), [0, np.log(2), 0], atol=1e-9)


def test_the_input_of_the_champion_is_0_at_its_threshold() -> None:
    given = champion_input(np.array([0.9, 0.5, 0.99, np.nan]), 0.9)
    assert given[0] == pytest.approx(0)
    assert given[1] < 0 < given[2]
    assert given[3] == 0


def test_anchors_are_the_photos_that_most_others_have_rated() -> None:
    votes = np.array([0, 2, 1, 0])
    pool = Pool(np.arange(4), votes, np.full(4, 3), 3 - votes)
    assert np.argsort(-AnchorsFirst().priorities(pool, np.random.default_rng(1)))[:2].tolist() == [1, 2]

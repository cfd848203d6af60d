"""Strategies that look at features and at scores: which photos come first."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.acquisition.disagreement import Disagreement
from inference.acquisition.diverse_batch import DiverseBatch
from inference.acquisition.information_gain import InformationGain
from inference.acquisition.strategy import Pool, Strategy
from inference.acquisition.typical_first import TypicalFirst


def pool_of(
    count: int, votes: NDArray[np.int64] | None = None, leases: int | NDArray[np.int64] = 0, **more: object
) -> Pool:
    given = np.zeros(count, dtype=np.int64) if votes is None else votes
    needed = np.full(count, 5, dtype=np.int64)
    return Pool(np.arange(count), given, needed, needed - given - leases, **more)  # type: ignore[arg-type]  # own columns


def order(strategy: Strategy, pool: Pool, seed: int = 1) -> list[int]:
    found: list[int] = np.argsort(-strategy.priorities(pool, np.random.default_rng(seed))).tolist()
    return found


@pytest.fixture
def kinds() -> NDArray[np.int64]:
    """Return the kind of each of 400 photos, 20 kinds of unequal size."""
    sizes = np.r_[np.full(10, 30), np.full(10, 10)]
    return np.repeat(np.arange(20), sizes)


@pytest.fixture
def features(kinds: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return features [400, 20] in which the kinds are far apart."""
    return (20 * np.eye(20)[kinds] + np.random.default_rng(5).normal(size=(400, 20))).astype(np.float32)


class TestTypicalFirst:
    def test_the_first_photos_are_of_most_kinds_and_from_their_middle(
        self, features: NDArray[np.float32], kinds: NDArray[np.int64]
    ) -> None:
        first = order(TypicalFirst(), pool_of(400, features=features))[:20]
        assert len(set(kinds[first])) >= 14  # k-means with one start may split a large kind
        middles = np.array([features[kinds == kind].mean(axis=0) for kind in range(20)])
        distance = np.linalg.norm(features - middles[kinds], axis=1)
        assert distance[first].mean() < np.quantile(distance, 0.25)

    def test_kinds_without_answers_come_first(self, features: NDArray[np.float32], kinds: NDArray[np.int64]) -> None:
        votes = (kinds % 2 == 0).astype(np.int64)
        first = order(TypicalFirst(), pool_of(400, votes, features=features))[:20]
        assert (kinds[first] % 2 == 1).all()

    def test_answered_photos_that_left_the_pool_count(
        self, features: NDArray[np.float32], kinds: NDArray[np.int64]
    ) -> None:
        answered = features[kinds < 5]
        first = order(TypicalFirst(), pool_of(400, features=features, answered_features=answered))
        assert (kinds[first[:10]] >= 5).all()

    def test_without_features_the_fewest_votes_come_first(self) -> None:
        assert order(TypicalFirst(), pool_of(3, np.array([2, 0, 1]))) == [1, 2, 0]


class TestInformationGain:
    def test_the_photo_that_is_known_least_comes_first(self) -> None:
        pool = pool_of(3, quality_variance=np.array([0.1, 0.8, 0.4]), vote_variance=np.ones(3))
        assert order(InformationGain(), pool) == [1, 2, 0]

    def test_a_vote_with_less_noise_tells_more(self) -> None:
        pool = pool_of(2, quality_variance=np.array([0.5, 0.5]), vote_variance=np.array([2.0, 0.5]))
        assert order(InformationGain(), pool) == [1, 0]

    def test_an_answer_on_its_way_counts(self) -> None:
        pool = pool_of(2, leases=np.array([2, 0]), quality_variance=np.array([0.6, 0.5]), vote_variance=np.ones(2))
        assert order(InformationGain(), pool) == [1, 0]

    def test_photos_that_look_alike_lower_each_others_gain(self) -> None:
        # Three copies of one photo with the highest variance, and two others.
        features = np.array([[0, 0], [0, 0.01], [0.01, 0], [9, 9], [-9, 9]], dtype=np.float32)
        variance = np.array([1.0, 0.99, 0.98, 0.8, 0.7])
        pool = pool_of(5, features=features, quality_variance=variance, vote_variance=np.ones(5))
        assert order(InformationGain(), pool)[:3] == [0, 3, 4]

    def test_the_joint_gain_of_the_batch_beats_the_best_photos_one_by_one(self, features: NDArray[np.float32]) -> None:
        rng = np.random.default_rng(2)
        variance = rng.uniform(0.5, 1.0, 400)
        pool = pool_of(400, features=features, quality_variance=variance, vote_variance=np.full(400, 0.5))
        squares = ((features[:, None] - features[None]) ** 2).sum(axis=2)
        covariance = np.sqrt(np.outer(variance, variance)) * np.exp(-squares / np.median(squares))

        def gain(rows: list[int]) -> float:
            return float(0.5 * np.linalg.slogdet(np.eye(len(rows)) + covariance[np.ix_(rows, rows)] / 0.5)[1])

        assert gain(order(InformationGain(), pool)[:30]) > gain(np.argsort(-variance)[:30].tolist())


class TestDiverseBatch:
    def test_each_next_photo_is_the_furthest(self) -> None:
        features = np.array([[0], [1], [10], [11], [30]], dtype=np.float32)
        pool = pool_of(5, np.array([1, 0, 0, 0, 0]), features=features)
        assert order(DiverseBatch(), pool)[:2] == [4, 3]

    def test_answered_photos_that_left_the_pool_count(self) -> None:
        features = np.array([[0], [1], [10]], dtype=np.float32)
        pool = pool_of(3, features=features, answered_features=np.array([[10.5]], dtype=np.float32))
        assert order(DiverseBatch(), pool)[0] == 0

    def test_every_kind_comes_in_the_first_twenty(
        self, features: NDArray[np.float32], kinds: NDArray[np.int64]
    ) -> None:
        assert set(kinds[order(DiverseBatch(), pool_of(400, features=features))[:20]]) == set(range(20))


def test_disagreement_comes_by_the_width_of_the_gap_then_by_fewest_votes() -> None:
    pool = pool_of(4, np.array([3, 3, 2, 0]), quality_disagreement=np.array([0.5, 1.5, 0.0, np.nan]))
    assert order(Disagreement(), pool) == [1, 0, 3, 2]

"""Queue strategies: the rules for all of them, and which photos the simple ones put first."""

from dataclasses import fields, replace

import numpy as np
import pytest

from annotation.services.lane_registry import RANDOM, lanes
from inference.acquisition.fewest_votes import FewestVotesFirst
from inference.acquisition.registry import STRATEGIES
from inference.acquisition.strategy import Pool, Strategy


def pool_of(votes: list[int], leases: list[int], needed: int = 3) -> Pool:
    votes_given, open_leases = np.array(votes, dtype=np.int64), np.array(leases, dtype=np.int64)
    votes_needed = np.full(len(votes), needed, dtype=np.int64)
    return Pool(
        np.arange(len(votes), dtype=np.int64), votes_given, votes_needed, votes_needed - votes_given - open_leases
    )


def full_pool(count: int, known: float = 1.0) -> Pool:
    """Return a pool with all columns; of each, a part is not known."""
    rng = np.random.default_rng(7)

    def some(values: np.ndarray) -> np.ndarray:
        values[rng.random(count) >= known] = np.nan
        return values

    votes = rng.integers(0, 3, count)
    yes = rng.binomial(votes, 0.5)
    return Pool(
        np.arange(count),
        votes,
        np.full(count, 4),
        4 - votes - rng.integers(0, 2, count),
        features=some(rng.normal(size=(count, 8)).astype(np.float32)),
        groups=np.arange(count) // 2,
        quality_mean=some(rng.uniform(1, 10, count)),
        quality_variance=some(rng.uniform(0, 2, count)),
        vote_variance=some(rng.uniform(0.5, 2, count)),
        quality_disagreement=some(rng.uniform(0, 2, count)),
        watch_probability=some(rng.uniform(0, 1, count)),
        watch_spread=some(rng.uniform(0, 0.6, count)),
        watch_threshold=0.4,
        watch_yes=yes,
        watch_no=votes - yes,
        answered_features=rng.normal(size=(5, 8)).astype(np.float32),
    )


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
class TestEveryStrategy:
    @pytest.mark.parametrize("count", [0, 1, 7])
    def test_gives_one_finite_number_for_each_photo(self, strategy: Strategy, count: int) -> None:
        priorities = strategy.priorities(pool_of([0] * count, [1] * count), np.random.default_rng(1))
        assert priorities.shape == (count,)
        assert priorities.dtype == np.float64
        assert np.isfinite(priorities).all()

    def test_a_seed_gives_the_same_order_again(self, strategy: Strategy) -> None:
        pool = pool_of([0, 1, 2, 0, 1, 2], [0] * 6)
        first, again, other = (strategy.priorities(pool, np.random.default_rng(seed)) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()

    @pytest.mark.parametrize("count", [0, 1, 2, 60])
    def test_gives_finite_numbers_for_all_that_a_pool_can_hold(self, strategy: Strategy, count: int) -> None:
        for known in (0.0, 0.5, 1.0):
            pool = full_pool(count, known=known)
            priorities = strategy.priorities(pool, np.random.default_rng(1))
            assert priorities.shape == (count,)
            assert np.isfinite(priorities).all()

    def test_near_duplicates_are_never_side_by_side(self, strategy: Strategy) -> None:
        pool = replace(full_pool(60), groups=np.arange(60) // 3)
        order = np.argsort(-strategy.priorities(pool, np.random.default_rng(3)))
        if strategy.name != RANDOM:  # it has no order
            groups = (np.arange(60) // 3)[order]
            assert (groups[1:] != groups[:-1]).all()

    def test_only_strategies_that_look_at_votes_alone_choose_holdout_photos(self, strategy: Strategy) -> None:
        if strategy.columns - {"groups"}:
            assert strategy.split == "train"
        assert strategy.columns <= {field.name for field in fields(Pool)}

    def test_is_offered_as_a_lane_with_its_name_and_texts(self, strategy: Strategy) -> None:
        (lane,) = (lane for lane in lanes() if lane.name == strategy.name)
        assert (lane.label, lane.description, lane.reason) == (strategy.label, strategy.description, strategy.reason)
        assert len(strategy.name) <= 40
        assert lane.reason.format(votes=1, votes_needed=3, priority=-0.5)


def test_the_random_lane_is_a_strategy_too() -> None:
    assert RANDOM in STRATEGIES
    assert all(strategy.name == name for name, strategy in STRATEGIES.items())


def test_photos_with_the_fewest_votes_come_first_and_leases_count_as_votes() -> None:
    pool = pool_of([2, 0, 1, 0], [0, 0, 0, 2])
    for seed in range(20):
        order = np.argsort(-FewestVotesFirst().priorities(pool, np.random.default_rng(seed)))
        assert list(order[:2]) == [1, 2]
        assert set(order[2:]) == {0, 3}


def test_ties_are_in_random_order() -> None:
    pool = pool_of([0] * 5, [0] * 5)
    first_photos = {
        int(np.argmax(FewestVotesFirst().priorities(pool, np.random.default_rng(seed)))) for seed in range(60)
    }
    assert first_photos == set(range(5))

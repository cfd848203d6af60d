"""Strategies for watch labels: which photos come first."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.acquisition.relabel_or_new import RelabelOrNew, label_certainty
from inference.acquisition.strategy import Pool, Strategy
from inference.acquisition.watch_bald import WatchBald
from inference.acquisition.watch_entropy import WatchEntropy
from inference.acquisition.watch_margin import WatchMargin


def pool_of(
    probability: list[float], yes: list[int] | None = None, no: list[int] | None = None, **more: object
) -> Pool:
    count = len(probability)
    for_it, against = (np.array(one if one is not None else [0] * count, dtype=np.int64) for one in (yes, no))
    needed = np.full(count, 5, dtype=np.int64)
    columns: dict[str, object] = {
        "watch_probability": np.array(probability),
        "watch_threshold": 0.5,
        "watch_yes": for_it,
        "watch_no": against,
        "open_slots": needed - for_it - against,
        **more,
    }
    slots = columns.pop("open_slots")
    return Pool(np.arange(count), for_it + against, needed, slots, **columns)  # type: ignore[arg-type]  # own columns


def order(strategy: Strategy, pool: Pool) -> list[int]:
    priorities: NDArray[np.float64] = strategy.priorities(pool, np.random.default_rng(1))
    found: list[int] = np.argsort(-priorities).tolist()
    return found


@pytest.mark.parametrize("strategy", [WatchMargin(), WatchEntropy(), RelabelOrNew()])
def test_the_photo_at_the_threshold_comes_first(strategy: Strategy) -> None:
    assert order(strategy, pool_of([0.1, 0.45, 0.9, 0.99]))[0] == 1
    assert order(strategy, pool_of([0.1, 0.45, 0.85, 0.99], watch_threshold=0.86))[0] == 2


@pytest.mark.parametrize("strategy", [WatchMargin(), WatchEntropy(), RelabelOrNew()])
def test_answers_and_leases_make_a_photo_less_urgent(strategy: Strategy) -> None:
    assert order(strategy, pool_of([0.5, 0.4], yes=[2, 0], no=[0, 0]))[0] == 1
    assert order(strategy, pool_of([0.5, 0.48], open_slots=np.array([4, 5])))[0] == 1


def test_votes_against_the_model_make_a_photo_uncertain_again() -> None:
    pool = pool_of([0.95, 0.7], yes=[0, 1], no=[1, 0])
    assert order(WatchMargin(), pool) == [0, 1]
    assert order(RelabelOrNew(), pool) == [0, 1]


def test_a_contested_photo_comes_before_a_new_one_that_the_model_is_sure_of() -> None:
    # ActiveLab's question: one more answer for the first photo, or the first answer for the second one.
    pool = pool_of([0.5, 0.98, 0.99, 0.01, 0.02], yes=[1, 0, 3, 0, 0], no=[1, 0, 0, 3, 0])
    certainty = label_certainty(pool)
    assert certainty[0] < certainty[1]
    assert ((certainty >= 0.5) & (certainty <= 1)).all()
    assert order(RelabelOrNew(), pool)[0] == 0


def test_more_agreeing_answers_make_a_label_more_certain() -> None:
    certainty = label_certainty(pool_of([0.7] * 4, yes=[0, 1, 2, 4], no=[0, 0, 0, 0]))
    assert (np.diff(certainty) > 0).all()


def test_bald_asks_where_models_differ_and_not_where_all_are_unsure() -> None:
    pool = pool_of([0.5, 0.5, 0.9], watch_spread=np.array([0.0, 0.5, 0.1]))
    assert order(WatchBald(), pool) == [1, 2, 0]


def test_photos_without_a_prediction_come_last() -> None:
    assert order(WatchMargin(), pool_of([np.nan, 0.99, 0.5])) == [2, 1, 0]

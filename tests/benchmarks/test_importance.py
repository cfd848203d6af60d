"""Importance weights of draws without return."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._importance import effective_sample_size, lure_weights


@given(pool=st.integers(1, 60), share=st.floats(0.01, 1))
def test_uniform_draws_have_equal_weights(pool: int, share: float) -> None:
    draws = max(1, round(share * pool))
    chances = 1 / (pool - np.arange(draws))
    assert lure_weights(chances, pool) == pytest.approx(np.ones(draws))


def test_the_weighted_mean_is_unbiased_where_the_plain_one_is_not(rng: np.random.Generator) -> None:
    values = np.arange(30.0)
    plain, weighted = [], []
    for _ in range(3000):
        left, drawn, chances = list(range(30)), [], []
        for _ in range(10):
            wanted = 1 + values[left]
            place = int(rng.choice(len(left), p=wanted / wanted.sum()))
            chances.append(wanted[place] / wanted.sum())
            drawn.append(left.pop(place))
        plain.append(values[drawn].mean())
        weighted.append((lure_weights(chances, 30) * values[drawn]).mean())
    error = np.std(weighted) / np.sqrt(len(weighted))
    assert abs(np.mean(weighted) - values.mean()) < 4 * error
    assert np.mean(plain) - values.mean() > 2


def test_all_photos_count_alike_when_none_is_left() -> None:
    assert lure_weights([0.1, 0.9, 1.0], 3).tolist() == [1, 1, 1]


def test_impossible_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="4 draws without return"):
        lure_weights([0.5] * 4, 3)
    for chance in (0.0, 1.1, float("nan")):
        with pytest.raises(ValueError, match="above 0 and at most 1"):
            lure_weights([chance], 3)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=50))
def test_the_effective_size_is_between_1_and_the_number_of_draws(weights: list[float]) -> None:
    assert 1 - 1e-9 <= effective_sample_size(weights) <= len(weights) + 1e-9


def test_the_effective_size_of_equal_weights_is_their_number() -> None:
    assert effective_sample_size([3.0] * 7) == pytest.approx(7)
    assert effective_sample_size([]) == 0

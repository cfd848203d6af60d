"""The mean of a pool from chosen photos and photos drawn at random."""

import numpy as np
import pytest

from annotation.measures.pool_mean import classical_mean
from annotation.measures.weighted_mean import Stratum, random_draws, weighted_mean

PHOTOS = 400


def campaign(rng: np.random.Generator, values: np.ndarray, *, draws: int = 150, chosen: float = 0.6) -> Stratum:
    """Take photos: 60 % of them the highest values that are left, the others at random."""
    left = list(np.argsort(values))
    taken, is_random = [], rng.random(draws) >= chosen
    for drawn in is_random:
        taken.append(left.pop(int(rng.integers(len(left))) if drawn else -1))
    return random_draws(values[taken], is_random, photos=len(values))


def test_random_draws_alone_give_the_plain_mean_and_its_interval(rng: np.random.Generator) -> None:
    values = rng.normal(5, 1, 120)
    found = weighted_mean([random_draws(values, np.ones(120, bool), photos=PHOTOS)], noise=0.0)
    plain = classical_mean(values, groups=np.arange(120), pool=PHOTOS, noise=0.0)
    assert found is not None
    assert found.mean.value == pytest.approx(plain.value)
    assert found.mean.high - found.mean.low == pytest.approx(plain.high - plain.low, rel=0.03)
    assert found.draws == 120
    assert [found.worth, found.largest] == pytest.approx([120, 1])


def test_the_truth_is_in_the_interval_although_the_highest_values_were_chosen(rng: np.random.Generator) -> None:
    hits, errors, plain = [], [], []
    for _ in range(300):
        values = rng.normal(5, 1, PHOTOS)
        taken = campaign(rng, values)
        found = weighted_mean([taken], noise=0.0)
        assert found is not None
        hits.append(found.mean.low <= values.mean() <= found.mean.high)
        errors.append(found.mean.value - values.mean())
        plain.append(taken.values.mean() - values.mean())
    assert np.mean(hits) > 0.91
    assert abs(np.mean(errors)) < 0.02
    assert np.mean(plain) > 0.5


def test_chosen_photos_make_the_interval_narrower(rng: np.random.Generator) -> None:
    taken = campaign(rng, rng.normal(5, 1, PHOTOS))
    found = weighted_mean([taken], noise=0.0)
    alone = classical_mean(taken.values[taken.is_random], groups=np.arange(taken.draws), pool=PHOTOS, noise=0.0)
    assert found is not None
    assert found.mean.high - found.mean.low < 0.9 * (alone.high - alone.low)
    assert taken.draws < found.worth < 150
    assert found.largest > 1.5


def test_rare_photos_that_were_all_chosen_are_not_said_to_be_the_only_ones(rng: np.random.Generator) -> None:
    values = np.r_[np.ones(12), np.zeros(388)]
    taken = random_draws(np.r_[np.ones(12), np.zeros(60)], np.r_[np.zeros(12), np.ones(60)], photos=PHOTOS)
    found = weighted_mean([taken], is_share=True)
    assert found is not None
    assert found.mean.value == pytest.approx(values.mean())
    # One more watch among the 60 would have meant five more in the pool.
    assert found.mean.high > (12 + 5) / PHOTOS
    assert found.mean.low < 12 / PHOTOS


def test_a_pool_that_was_taken_as_a_whole_is_known(rng: np.random.Generator) -> None:
    values = rng.normal(5, 1, 50)
    found = weighted_mean([random_draws(values, np.zeros(50, bool), photos=50)], noise=0.0)
    assert found is not None
    assert [found.mean.value, found.mean.low, found.mean.high] == pytest.approx([values.mean()] * 3)
    noisy = weighted_mean([random_draws(values, np.zeros(50, bool), photos=50)])
    assert noisy is not None
    assert noisy.mean.low < values.mean() - 0.1


def test_strata_are_added_up(rng: np.random.Generator) -> None:
    low, high = rng.normal(2, 0.1, 40), rng.normal(8, 0.1, 40)
    strata = [random_draws(values, np.ones(40), photos=photos) for values, photos in ((low, 900), (high, 100))]
    found = weighted_mean(strata)
    assert found is not None
    assert found.mean.value == pytest.approx(0.9 * 2 + 0.1 * 8, abs=0.1)
    assert found.mean.high - found.mean.low < 0.4
    assert found.largest == pytest.approx(1.8)


def test_too_few_random_draws_of_one_stratum_tell_nothing(rng: np.random.Generator) -> None:
    enough = random_draws(rng.normal(size=40), np.ones(40), photos=900)
    assert weighted_mean([enough, random_draws(rng.normal(size=9), np.ones(9), photos=100)]) is None
    assert weighted_mean([enough, random_draws([], [], photos=0)]) is not None
    assert weighted_mean([]) is None


def test_more_taken_photos_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="3 values and 3 draws of 2 photos"):
        weighted_mean([random_draws([1, 2, 3], [1, 1, 1], photos=2)])

"""Intervals of photos in groups of near-duplicates: the bootstrap draws groups."""

import numpy as np
import pytest

from annotation.measures import correlation, intervals


def mean(values: np.ndarray) -> np.ndarray:
    result: np.ndarray = values.mean(axis=-1)
    return result


def test_copies_of_photos_do_not_narrow_the_interval(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(2, 50))
    once = intervals.interval(correlation.rmse, x, y, seed=5)
    copied = [np.repeat(column, 3) for column in (x, y)]
    grouped = intervals.interval(correlation.rmse, *copied, seed=5, groups=np.repeat(np.arange(50), 3))
    assert (grouped.low, grouped.high, grouped.error) == pytest.approx((once.low, once.high, once.error))
    assert (grouped.n, grouped.groups) == (150, 50)
    photos = intervals.interval(correlation.rmse, *copied, seed=5)
    assert photos.high - photos.low < 0.7 * (grouped.high - grouped.low), "drawing copies one by one is too sure"


def test_photos_that_are_groups_of_their_own_give_the_interval_without_groups(rng: np.random.Generator) -> None:
    x, y, z = rng.normal(size=(3, 40))
    without = intervals.paired_interval(correlation.srcc, x, y, z, seed=2)
    names = np.array([f"group {number:02}" for number in range(40)])
    found = intervals.paired_interval(correlation.srcc, x, y, z, seed=2, groups=names)
    assert (found.value, found.low, found.high) == (without.value, without.low, without.high)
    assert (without.groups, found.groups) == (None, 40)


def test_groups_of_different_sizes_are_drawn_whole(rng: np.random.Generator) -> None:
    groups = np.array([7, 3, 3, 7, 7, 1, 9, 9, 9, 9])
    values = rng.normal(size=10)
    found = intervals.interval(mean, values, seed=4, groups=groups)
    names = np.unique(groups)
    drawn = np.random.default_rng(4).integers(0, len(names), (1000, len(names)))
    means = [np.concatenate([values[groups == names[one]] for one in row]).mean() for row in drawn]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))
    assert found.error == pytest.approx(np.std(means, ddof=1))
    assert found.as_json() == {
        "value": found.value, "low": found.low, "high": found.high, "n": 10, "groups": 4, "error": found.error
    }  # fmt: skip


def test_one_group_has_no_interval() -> None:
    found = intervals.interval(mean, [1.0, 2.0, 3.0], seed=1, groups=[5, 5, 5])
    assert found == intervals.Interval(2.0, 2.0, 2.0, 3, 1)
    assert "error" not in found.as_json()


def test_each_photo_needs_a_group() -> None:
    with pytest.raises(ValueError, match="Each of the 3 images needs a group, but there are 2 groups"):
        intervals.interval(mean, [1.0, 2.0, 3.0], seed=1, groups=[1, 2])

"""From scores to an order: ties, near-duplicates, and the mixed head."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference.acquisition.selection import groups_apart, head_mix, place_in_group, priorities_of
from inference.acquisition.strategy import Pool


def pool_of(count: int, **columns: object) -> Pool:
    ones = np.ones(count, dtype=np.int64)
    return Pool(np.arange(count), 0 * ones, ones, ones, **columns)  # type: ignore[arg-type]  # the tests' own columns


@given(st.lists(st.integers(0, 6), max_size=60), st.integers(1, 10))
def test_groups_apart_keeps_all_photos_and_neighbours_differ_while_others_are_left(groups: list[int], gap: int) -> None:
    labels = np.array(groups, dtype=np.int64)
    order = groups_apart(np.arange(len(groups)), labels, gap=gap)
    assert sorted(order.tolist()) == list(range(len(groups)))
    placed = labels[order]
    for place in range(1, len(placed)):
        if placed[place] == placed[place - 1]:
            assert (placed[place:] == placed[place]).all()


def test_photos_of_a_group_keep_their_order_and_the_gap() -> None:
    groups = np.arange(100)
    groups[[0, 1, 5]] = 200
    order = groups_apart(np.arange(100), groups, gap=20)
    places = np.argsort(order)
    assert places[0] == 0
    assert places[1] - places[0] >= 18  # the third one left its place before
    assert places[5] - places[1] >= 18


def test_without_near_duplicates_nothing_moves() -> None:
    np.testing.assert_array_equal(groups_apart(np.array([3, 1, 0, 2]), np.arange(4)), [3, 1, 0, 2])


def test_the_place_in_a_group_counts_the_rows_before() -> None:
    np.testing.assert_array_equal(place_in_group(np.array([5, 2, 5, 5, 2])), [0, 0, 1, 2, 1])
    assert place_in_group(np.zeros(0, dtype=np.int64)).shape == (0,)


def test_priorities_fall_by_score_and_unknown_scores_come_last() -> None:
    scores = np.array([0.1, np.nan, 0.9, 0.5])
    priorities = priorities_of(scores, pool_of(4), np.random.default_rng(1))
    np.testing.assert_array_equal(priorities, [-2, -3, 0, -1])


def test_the_head_of_a_mixed_order_has_one_photo_of_each_kind_first() -> None:
    # The 50 best photos of 1000 are of 10 kinds, and by score alone the first 5 would be of one kind.
    rng = np.random.default_rng(1)
    kinds = np.arange(1000) // 5 % 10
    features = (10 * np.eye(10)[kinds] + 0.1 * rng.normal(size=(1000, 10))).astype(np.float32)
    mixed = head_mix(np.arange(1000), features, rng)
    assert mixed[0] == 0
    assert set(kinds[mixed[:10]].tolist()) == set(range(10))
    np.testing.assert_array_equal(mixed[50:], np.arange(50, 1000))
    assert sorted(mixed[:50].tolist()) == list(range(50))

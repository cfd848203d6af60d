"""Shares of photos with near-duplicates, ties at the end of a part, and percentages that stay true."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.measures.group_shares import (
    highest_part,
    independent_photos,
    percents,
    share_interval,
    trials_needed,
    wilson_ends,
)
from annotation.measures.intervals import wilson_interval


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (10, 10)])
def test_single_photos_have_wilsons_interval(hits: int, n: int) -> None:
    found, expected = share_interval(np.arange(n) < hits, np.arange(n)), wilson_interval(hits, n)
    assert [found.value, found.low, found.high] == pytest.approx([expected.value, expected.low, expected.high])


def test_groups_of_equal_size_count_once() -> None:
    hits = np.array([True] * 3 + [False] * 27)
    found, fewer = share_interval(hits, np.arange(30) // 3), wilson_interval(1, 10)
    assert [found.low, found.high, found.n, found.groups] == [
        pytest.approx(fewer.low), pytest.approx(fewer.high), 30, 10,
    ]  # fmt: skip
    assert np.isnan(share_interval(hits[:0], np.arange(0)).value)


def test_a_large_group_makes_all_photos_worth_less() -> None:
    # By hand: (40 + 30)²/(40² + 30) = 3.006.
    groups = np.concatenate([np.zeros(40), np.arange(1, 31)])
    assert independent_photos(groups) == pytest.approx(4900 / 1630)


def test_the_interval_covers_the_share_where_one_group_is_large() -> None:
    """With the number of groups as the number of trials it covered 67 % of such shares."""
    rng, sizes = np.random.default_rng(4), np.array([40] + [1] * 30)
    groups = np.repeat(np.arange(31), sizes)
    found = [share_interval(np.repeat(rng.random(31) < 0.82, sizes), groups) for _ in range(400)]
    assert np.mean([one.low <= 0.82 <= one.high for one in found]) >= 0.93


@given(st.lists(st.integers(1, 4), min_size=1, max_size=30), st.floats(0, 1))
def test_the_highest_part_has_its_share_whatever_the_ties(values: list[int], share: float) -> None:
    part = highest_part(values, share)
    assert part.sum() == pytest.approx(share * len(values))
    assert all(part[i] >= part[j] for i in range(len(values)) for j in range(len(values)) if values[i] > values[j])
    assert all(part[i] == part[j] for i in range(len(values)) for j in range(len(values)) if values[i] == values[j])


@pytest.mark.parametrize(
    ("shares", "beside", "text"),
    [([0.996, 0.978, 0.9993], [], ["99.6", "97.8", "99.9"]), ([0.93, 0.86, 0.97], [0.9], ["93", "86", "97"]),
     ([0.95, 0.8964, 0.98], [0.9], ["95.0", "89.6", "98.0"]), ([1.0, 0.94, 1.0], [], ["100", "94", "100"]),
     ([0.0, 0.004], [], ["0.0", "0.4"]), ([float("nan"), 0.5], [], ["–", "50"])],
)  # fmt: skip
def test_percentages_never_say_what_is_false(shares: list[float], beside: list[float], text: list[str]) -> None:
    assert percents(shares, beside=beside) == text


@pytest.mark.parametrize(("share", "limit"), [(1.0, 0.8), (0.6, 0.8), (0.5, 0.25)])
def test_so_many_photos_separate_a_share_from_a_limit(share: float, limit: float) -> None:
    def is_apart(trials: float) -> bool:
        low, high = wilson_ends(share, trials)
        return low > limit or high < limit

    needed = trials_needed(share, limit)
    assert is_apart(1.001 * needed)
    assert not is_apart(0.999 * needed)
    assert np.isinf(trials_needed(limit, limit))

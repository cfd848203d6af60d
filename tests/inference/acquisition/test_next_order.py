"""The likely order of the lanes, and the chance of a photo."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.acquisition.next_order import chance_at_random, chance_within, lanes_in_turn


def test_each_lane_gets_its_share_from_the_start() -> None:
    order = lanes_in_turn({"random": 0.25, "gain": 0.75}, {"random": 9, "gain": 9}, 8, rest="random")
    assert order == ["gain", "gain", "random", "gain"] * 2


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_after_any_number_of_photos_each_lane_is_within_one_of_its_share(weights: list[int]) -> None:
    shares = {f"lane-{place}": weight / sum(weights) for place, weight in enumerate(weights)}
    order = lanes_in_turn(shares, dict.fromkeys(shares, 99), 40, rest="lane-0")
    for count in range(1, 41):
        for lane, share in shares.items():
            assert abs(order[:count].count(lane) - count * share) <= len(shares) - 1 + 1e-9


def test_a_lane_without_photos_leaves_its_turns_to_the_random_one() -> None:
    order = lanes_in_turn({"random": 0.4, "gain": 0.6}, {"random": 9, "gain": 2}, 6, rest="random")
    assert (order.count("gain"), order.count("random")) == (2, 4)


def test_the_order_ends_with_the_last_photo() -> None:
    assert len(lanes_in_turn({"random": 0.4, "gain": 0.6}, {"random": 1, "gain": 2}, 20, rest="random")) == 3
    assert lanes_in_turn({"gain": 1.0}, {"gain": 0}, 20, rest="random") == []


def test_the_chance_of_the_first_and_second_photo_of_a_lane() -> None:
    assert chance_within(2, 0.5, 1) == pytest.approx(0.75)
    assert chance_within(2, 0.5, 2) == pytest.approx(0.25)
    assert chance_within(2, 0.5, 3) == 0
    assert chance_within(20, 1.0, 20) == 1


def test_the_chance_is_that_of_drawn_lanes() -> None:
    hits = np.random.default_rng(0).binomial(20, 0.3, size=200_000)
    assert chance_within(20, 0.3, 5) == pytest.approx((hits >= 5).mean(), abs=0.005)


def test_the_chance_of_a_random_photo() -> None:
    assert chance_at_random(1, 0.5, 10) == pytest.approx(0.05)
    assert chance_at_random(2, 1.0, 2) == pytest.approx(0.75)

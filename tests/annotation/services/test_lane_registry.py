"""Queue lanes have unique names, and a campaign can only use existing lanes."""

import pytest

from annotation.services import lane_registry
from annotation.services.lane_registry import (
    Lane,
    lane_reason,
    lane_register,
    lane_shares_known,
    lane_shares_problem,
    lanes,
)

SHARP = Lane("sharp", "Sharp first", "The sharpest photo.", "sharpness {priority:.1f}, {votes} of {votes_needed}")


@pytest.fixture
def sharp_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_registry, "_lanes", dict(lane_registry._lanes))
    lane_register(SHARP)


def test_a_registered_lane_is_listed_and_gives_its_reason(sharp_lane: None) -> None:
    assert lanes()[0].name == "random"
    assert SHARP in lanes()
    assert lane_reason("sharp", votes=1, votes_needed=3, priority=0.25) == "sharpness 0.2, 1 of 3"


def test_a_lane_can_register_again_but_its_name_is_unique(sharp_lane: None) -> None:
    lane_register(SHARP)
    with pytest.raises(ValueError, match="Two queue lanes have the name 'sharp'"):
        lane_register(Lane("sharp", "Another", "", ""))


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"random": 0.4, "sharp": 0.6}, ""),
        ({"random": 1.0}, ""),
        ({"random": 0.4, "blurred": 0.6}, "no queue lane 'blurred'"),
        ({"random": 0.4, "sharp": 0.5}, "add up to 100 percent, not 90"),
        ({"random": 1.4, "sharp": -0.4}, "from 0 to 100"),
        ({"random": "1"}, "with a number for each lane"),
        ([1.0], "with a number for each lane"),
        ({}, "add up to 100 percent, not 0"),
    ],
)
def test_shares_need_known_lanes_and_a_total_of_100_percent(sharp_lane: None, shares: object, message: str) -> None:
    problem = lane_shares_problem(shares)
    assert message in problem
    assert bool(message) == bool(problem)


def test_the_share_of_a_lane_that_no_longer_exists_goes_to_the_random_lane(sharp_lane: None) -> None:
    assert lane_shares_known({"random": 0.2, "sharp": 0.3, "gone": 0.5}) == pytest.approx({"random": 0.7, "sharp": 0.3})
    assert lane_shares_known({"gone": 1.0}) == {"random": 1.0}
    assert lane_shares_known({"random": 0.0, "sharp": 1.0}) == {"sharp": 1.0}

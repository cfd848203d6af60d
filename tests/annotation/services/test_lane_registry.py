"""Lanes are named once, and a campaign's shares fit the lanes there are."""

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
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_registry, "_lanes", dict(lane_registry._lanes))
    lane_register(SHARP)


def test_a_registered_lane_is_offered_and_says_why_it_chose(registered: None) -> None:
    assert lanes()[0].name == "random"
    assert SHARP in lanes()
    assert lane_reason("sharp", votes=1, votes_needed=3, priority=0.25) == "sharpness 0.2, 1 of 3"


def test_a_lane_registers_again_but_no_other_takes_its_name(registered: None) -> None:
    lane_register(SHARP)
    with pytest.raises(ValueError, match="Two queue lanes have the name 'sharp'"):
        lane_register(Lane("sharp", "Another", "", ""))


@pytest.mark.parametrize(
    ("shares", "sentence"),
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
def test_shares_are_of_known_lanes_and_add_up(registered: None, shares: object, sentence: str) -> None:
    problem = lane_shares_problem(shares)
    assert sentence in problem
    assert bool(sentence) == bool(problem)


def test_the_share_of_a_lane_that_no_longer_exists_goes_to_random(registered: None) -> None:
    assert lane_shares_known({"random": 0.2, "sharp": 0.3, "gone": 0.5}) == pytest.approx({"random": 0.7, "sharp": 0.3})
    assert lane_shares_known({"gone": 1.0}) == {"random": 1.0}
    assert lane_shares_known({"random": 0.0, "sharp": 1.0}) == {"sharp": 1.0}

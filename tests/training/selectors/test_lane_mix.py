"""The lanes of the last answers beside the wanted shares."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Assignment, Campaign
from tests.opinions_and_predictions import images_make
from training.selectors.lane_mix import LAST, lane_mix


def answered(campaign: Campaign, annotator: Any, lanes: Sequence[str], *, state: str = "done") -> None:
    images = images_make(campaign, len(lanes), prefix=state)
    Assignment.objects.bulk_create(
        Assignment(
            campaign=campaign, image=image, annotator=annotator, lane=lane, state=state, expires_at=timezone.now()
        )
        for image, lane in zip(images, lanes, strict=True)
    )


@pytest.fixture
def campaign(campaign: Campaign) -> Campaign:
    campaign.lane_shares = {"random": 0.5, "fewest_votes": 0.5}
    campaign.gold_share, campaign.repeat_share = 0.1, 0.0
    return campaign


def test_wanted_and_given_shares(campaign: Campaign, people: dict[str, Any]) -> None:
    answered(campaign, people["alice"], ["random"] * 20 + ["fewest_votes"] * 70 + ["gold"] * 10)
    mix = lane_mix(campaign)
    assert mix.answers == 100
    assert [(one.name, one.label, one.answers) for one in mix.lanes] == [
        ("random", "Uniform random", 20),
        ("fewest_votes", "Fewest votes first", 70),
        ("gold", "Gold photos", 10),
    ]
    assert [one.wanted for one in mix.lanes] == pytest.approx([0.45, 0.45, 0.1])
    assert [one.name for one in mix.differing] == ["random", "fewest_votes"]
    assert mix.lanes[0].given.low < 0.2 < mix.lanes[0].given.high


def test_only_the_last_answers_count(campaign: Campaign, people: dict[str, Any]) -> None:
    answered(campaign, people["alice"], ["fewest_votes"] * 50 + ["random"] * LAST)
    assert lane_mix(campaign).lanes[0].answers == LAST


def test_leases_without_an_answer_do_not_count(campaign: Campaign, people: dict[str, Any]) -> None:
    answered(campaign, people["alice"], ["random"] * 3, state="leased")
    answered(campaign, people["alice"], ["random"] * 3, state="skipped")
    assert lane_mix(campaign).lanes == []


def test_a_lane_that_is_gone_keeps_its_name(campaign: Campaign, people: dict[str, Any]) -> None:
    answered(campaign, people["alice"], ["old_lane"] * 5)
    assert ("old_lane", 0.0) in [(one.label, one.wanted) for one in lane_mix(campaign).lanes]

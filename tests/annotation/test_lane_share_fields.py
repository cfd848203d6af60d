"""The mixture of lanes on the settings page: its picture, and the mixtures that have a name."""

import json
from itertools import pairwise
from typing import Any

import pytest
from django.urls import reverse

from annotation.campaign_forms import CampaignForm
from annotation.models import Campaign
from annotation.models.campaigns import default_lane_shares
from annotation.services.lane_mixtures import MIXTURES
from annotation.services.lane_registry import lane_shares_problem, lanes


@pytest.mark.parametrize("mixture", MIXTURES, ids=lambda one: one.name)
def test_a_mixture_with_a_name_can_be_stored_and_has_random_photos(mixture: Any) -> None:
    assert lane_shares_problem(dict(mixture.shares)) == ""
    assert mixture.shares["random"] >= 0.1


def test_the_first_mixture_is_that_of_a_new_campaign() -> None:
    assert MIXTURES[0].shares == default_lane_shares() == Campaign().lane_shares


def test_the_picture_has_a_part_for_each_lane_without_gaps(campaign: Campaign) -> None:
    parts = CampaignForm(instance=campaign).lane_fields.parts()
    assert [part.field for part in parts] == [f"lane_{lane.name}" for lane in lanes()]
    assert parts[0].start == 0
    for part, after in pairwise(parts):
        assert after.start == pytest.approx(part.start + part.percent)
    assert sum(part.percent for part in parts) == pytest.approx(100)


def test_a_picture_of_wrong_numbers_stays_within_its_width(campaign: Campaign) -> None:
    data = {"lane_random": "90", "lane_fewest_votes": "many", "lane_watch_margin": "-5", "lane_holdout": "300"}
    parts = CampaignForm(data, instance=campaign).lane_fields.parts()
    assert max(part.start + part.percent for part in parts) <= 100


def test_lanes_with_a_share_are_not_folded_away(campaign: Campaign) -> None:
    campaign.lane_shares = {"random": 0.5, "diverse_batch": 0.5}
    fields = CampaignForm(instance=campaign).lane_fields
    assert "lane_diverse_batch" in [field.html_name for field in fields.first]
    assert "lane_watch_bald" in [field.html_name for field in fields.others]


def test_the_page_offers_the_mixtures_and_every_lane_once(campaign: Campaign, client_of: Any) -> None:
    html = client_of("ada").get(reverse("campaign-edit", args=["watches"])).content.decode()
    for mixture in MIXTURES:
        assert str(mixture.label) in html
    for lane in lanes():
        assert html.count(f'name="lane_{lane.name}"') == 1
    offered = {one.name: text for one, text in CampaignForm(instance=campaign).lane_fields.mixtures()}
    values = json.loads(offered["random"])
    assert values["lane_random"] == "100"
    assert set(values.values()) == {"100", "0"}

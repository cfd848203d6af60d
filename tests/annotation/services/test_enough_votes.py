"""Photos stop when they have enough votes: counters, freed votes, other settings, and who is left out."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.urls import reverse

from annotation.consensus.enough_votes import StopRule
from annotation.models import Assignment, Campaign, Image, PhotoConsensus, User
from annotation.selectors.enough_votes import votes_still_needed
from annotation.services.campaigns import campaign_update
from annotation.services.enough_votes import votes_needed_plan
from annotation.services.queue import counters_rebuild, leases_claim
from annotation.tasks import consensus_refresh
from tests.opinions_and_predictions import consensus_make, images_make, vote


@pytest.fixture
def photos(campaign: Campaign, people: dict[str, Any]) -> list[Image]:
    """Four photos. The first two have two votes and narrow intervals, the others three votes and wide ones."""
    images = images_make(campaign, 4)
    for place, image in enumerate(images):
        for name in ("alice", "bob", "rita")[: 2 if place < 2 else 3]:
            vote(image, people[name], 5)
        consensus_make(image, 5.0)
    counters_rebuild(campaign=campaign)
    for place, error in enumerate((0.4, 0.4, 0.9, 0.8)):
        PhotoConsensus.objects.filter(pk=images[place].pk).update(
            votes=2 if place < 2 else 3, corrected_error=error, watch_posterior=0.01
        )
    campaign_update(campaign=campaign, target_half_width=1.0, most_votes=5)
    campaign.refresh_from_db()
    return images


def needed(campaign: Campaign) -> list[int]:
    return list(campaign.images.order_by("pk").values_list("votes_needed", flat=True))


def test_photos_stop_and_their_votes_go_to_the_widest_intervals(photos: list[Image], campaign: Campaign) -> None:
    assert needed(campaign) == [3, 3, 3, 3]
    assert votes_needed_plan(campaign=campaign) == 4
    assert needed(campaign) == [2, 2, 4, 4]
    assert list(campaign.images.order_by("pk").values_list("open_slots", flat=True)) == [0, 0, 1, 1]
    assert counters_rebuild(campaign=campaign) == 0
    assert votes_needed_plan(campaign=campaign) == 0


def test_the_queue_hands_out_only_photos_that_still_need_votes(
    photos: list[Image], campaign: Campaign, people: dict[str, Any]
) -> None:
    votes_needed_plan(campaign=campaign)
    leases = leases_claim(campaign=campaign, annotator=people["ada"], count=10)
    assert {lease.image_id for lease in leases} == {photos[2].pk, photos[3].pk}


def test_a_live_lease_on_a_photo_that_stops_stays_valid(
    photos: list[Image], campaign: Campaign, people: dict[str, Any]
) -> None:
    assert len(leases_claim(campaign=campaign, annotator=people["ada"], count=10)) == 2
    votes_needed_plan(campaign=campaign)
    assert needed(campaign) == [3, 3, 3, 3]
    assert Assignment.objects.filter(state=Assignment.State.LEASED).count() == 2
    assert counters_rebuild(campaign=campaign) == 0


def test_other_settings_give_every_photo_its_usual_number_back(photos: list[Image], campaign: Campaign) -> None:
    votes_needed_plan(campaign=campaign)
    campaign_update(campaign=campaign, target_half_width=0.0)
    campaign.refresh_from_db()
    assert needed(campaign) == [3, 3, 3, 3]
    assert votes_needed_plan(campaign=campaign) == 0
    assert counters_rebuild(campaign=campaign) == 0


def test_a_target_for_watches_stops_photos_too(photos: list[Image], campaign: Campaign) -> None:
    campaign_update(campaign=campaign, target_half_width=0.0, target_watch=0.95)
    campaign.refresh_from_db()
    votes_needed_plan(campaign=campaign)
    assert needed(campaign) == [2, 2, 3, 3]


@pytest.mark.parametrize("fields", [{"split": "holdout"}, {"role": "gold"}, {"problem": "damaged"}])
def test_holdout_special_and_problem_photos_keep_their_number(
    photos: list[Image], campaign: Campaign, fields: dict[str, str]
) -> None:
    Image.objects.filter(pk=photos[0].pk).update(**fields)
    votes_needed_plan(campaign=campaign)
    assert needed(campaign)[0] == 3


def test_a_paused_campaign_and_one_without_targets_do_not_change(photos: list[Image], campaign: Campaign) -> None:
    campaign.state = Campaign.State.PAUSED
    assert votes_needed_plan(campaign=campaign) == 0


@pytest.mark.django_db(transaction=True)
def test_a_photo_that_another_transaction_holds_waits_for_the_next_refresh(
    photos: list[Image], campaign: Campaign
) -> None:
    from threading import Thread

    from django.db import connection

    changed: list[int] = []

    def worker() -> None:
        try:
            changed.append(votes_needed_plan(campaign=campaign))
        finally:
            connection.close()

    with transaction.atomic():
        Image.objects.select_for_update().get(pk=photos[0].pk)
        thread = Thread(target=worker)
        thread.start()
        thread.join()
    assert changed == [3]
    assert votes_needed_plan(campaign=campaign) >= 1
    assert needed(campaign)[0] == 2


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"target_watch": 0.4}, "target_watch"),
        ({"target_half_width": -1.0}, "target_half_width"),
        ({"target_half_width": 1.0, "fewest_votes": 4}, "fewest_votes"),
        ({"target_half_width": 1.0, "most_votes": 2}, "most_votes"),
    ],
)
def test_contradicting_settings_are_refused(campaign: Campaign, fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        campaign_update(campaign=campaign, **fields)
    assert wrong in refused.value.message_dict


def test_a_refresh_of_the_consensus_applies_the_targets(campaign: Campaign, make_user: Callable[..., User]) -> None:
    campaign_update(campaign=campaign, target_watch=0.9, votes_per_image=5)
    images = images_make(campaign, 12)
    annotators = [make_user(f"person-{number}") for number in range(4)]
    for place, image in enumerate(images):
        for annotator in annotators:
            vote(image, annotator, 4 + place % 3, watch="yes" if place % 2 else "no")
    Image.objects.filter(campaign=campaign).update(votes_needed=5, open_slots=5)
    counters_rebuild(campaign=campaign)
    assert consensus_refresh(campaign.pk) == "full"
    assert needed(campaign) == [4] * 12


def test_the_forecast_says_votes_and_hours(photos: list[Image], campaign: Campaign, people: dict[str, Any]) -> None:
    fixed = campaign_update(campaign=campaign, target_half_width=0.0)
    forecast = votes_still_needed(fixed)
    assert (forecast.votes, forecast.hours, forecast.is_by_target) == (2, None, False)
    extra = images_make(campaign, 1, prefix="extra")[0]
    vote(extra, people["alice"], 5, milliseconds=9000)
    counters_rebuild(campaign=campaign)
    forecast = votes_still_needed(fixed)
    assert forecast.votes == 4
    assert forecast.hours == pytest.approx(4 * 9 / 3600)
    assert (forecast.seconds_per_answer, forecast.answers, forecast.minutes) == (9.0, 1, 1)


def test_the_overview_shows_the_forecast_and_the_settings_page_has_the_targets(
    photos: list[Image], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    html = client_of("rita").get(reverse("campaign", args=[campaign.slug])).content.decode()
    assert "of 4 photos have enough votes" in html
    assert "within ± 1.0 points" in html
    assert "enough votes" not in client_of("alice").get(reverse("campaign", args=[campaign.slug])).content.decode()
    settings = client_of("ada").get(reverse("campaign-edit", args=[campaign.slug])).content.decode()
    assert 'name="target_half_width"' in settings
    assert client_of("rita").get(reverse("campaign-edit", args=[campaign.slug])).status_code in (403, 404)


def test_the_rule_comes_from_the_campaign(campaign: Campaign) -> None:
    from annotation.selectors.enough_votes import stop_rule

    assert stop_rule(campaign) == StopRule(half_width=0.0, watch=0.0, fewest=2, most=10)
    assert not stop_rule(campaign).is_on

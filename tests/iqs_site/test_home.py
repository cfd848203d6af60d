"""The home page and the error pages."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Campaign, Image, Membership, Role
from annotation.selectors.campaign_cards import campaign_cards
from tests.opinions_and_predictions import images_make, vote


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def test_anonymous_users_are_sent_to_the_login(client: Client) -> None:
    assert client.get("/").headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(("name", "sees"), [("alice", True), ("rita", True), ("ada", True), ("mallory", False)])
def test_users_see_only_their_own_campaigns(client_of: Callable[[str], Any], name: str, sees: bool) -> None:
    assert ("Watches" in text_of(client_of(name).get("/"))) == sees


def test_a_superuser_is_admin_of_every_campaign(campaign: Campaign, make_user: Callable[..., Any]) -> None:
    (card,) = campaign_cards(make_user("root", is_superuser=True))
    assert (card.campaign, card.role) == (campaign, Role.ADMIN)


def test_a_card_shows_the_progress_of_the_campaign(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    images = images_make(campaign, 4)
    campaign.images.update(votes_needed=2)
    Image.objects.filter(pk=images[0].pk).update(vote_count=3)  # one vote more than needed
    Image.objects.filter(pk=images[1].pk).update(vote_count=1)
    Image.objects.filter(pk=images[3].pk).update(problem="It does not open.")
    vote(images[0], people["alice"], 5)
    response = client_of("alice").get("/")
    text = text_of(response)
    assert "3 of 6 votes" in text
    assert "1 of 3 photos complete" in text
    assert "1 by you" in text
    assert "annotator" in text
    assert 'href="/campaigns/watches/annotate/"' in response.content.decode()


def test_a_paused_campaign_has_no_annotate_button(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    images_make(campaign, 1)
    Campaign.objects.update(state=Campaign.State.PAUSED)
    response = client_of("alice").get("/")
    assert "paused" in text_of(response)
    assert "/annotate/" not in response.content.decode()


def test_a_campaign_without_photos_says_who_imports_them(client_of: Callable[[str], Any]) -> None:
    assert "Import photos to start" in text_of(client_of("ada").get("/"))
    assert "An admin must import them first" in text_of(client_of("alice").get("/"))


def test_only_staff_see_the_new_campaign_button(client_of: Callable[[str], Any], people: dict[str, Any]) -> None:
    assert "New campaign" not in text_of(client_of("ada").get("/"))
    people["ada"].is_staff = True
    people["ada"].save()
    assert "New campaign" in text_of(client_of("ada").get("/"))


def test_a_user_without_campaigns_sees_what_to_do(client_of: Callable[[str], Any], people: dict[str, Any]) -> None:
    assert "Ask the admin of a campaign to add you as a member. Your user name is mallory" in text_of(
        client_of("mallory").get("/")
    )
    people["mallory"].is_staff = True
    people["mallory"].save()
    assert "Create the first campaign" in text_of(client_of("mallory").get("/"))


def test_many_campaigns_need_no_more_queries_than_one(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    client = client_of("alice")

    def query_count() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/")
        return len(captured)

    before = query_count()
    for number in range(5):
        other = Campaign.objects.create(slug=f"c{number}", name=f"C{number}")
        Membership.objects.create(campaign=other, user=people["alice"])
        images_make(other, 3)
    # session, user, roles, campaigns with pictures, stored and counted progress, own work, own votes
    assert query_count() == before <= 8


def test_the_404_page_links_to_the_home_page(client_of: Callable[[str], Any]) -> None:
    response = client_of("alice").get("/nowhere/")
    assert response.status_code == 404
    assert "Page not found" in text_of(response)
    assert "Go to campaigns" in text_of(response)


def test_the_403_page_says_why(client_of: Callable[[str], Any]) -> None:
    response = client_of("alice").get("/campaigns/watches/calibration/")
    assert response.status_code == 403
    assert "This page needs the role reviewer. Your role in this campaign is annotator." in text_of(response)


def test_the_page_of_a_csrf_error_says_what_to_do(people: dict[str, Any]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["alice"])
    response = client.post("/accounts/logout/")
    assert response.status_code == 403
    assert "Reload the page" in text_of(response)


def test_the_500_page_renders_without_a_context() -> None:
    assert "Something went wrong on the server" in render_to_string("500.html")


def test_cards_of_admins_show_the_newest_photos_of_each_campaign(
    campaign: Campaign, make_user: Callable[..., Any]
) -> None:
    other = Campaign.objects.create(slug="clocks", name="Clocks")
    admin = make_user("ada2")
    for one, role in ((campaign, Role.ADMIN), (other, Role.REVIEWER)):
        Membership.objects.create(campaign=one, user=admin, role=role)
    first, second = images_make(campaign, 6), images_make(other, 2)
    Image.objects.filter(pk=first[-1].pk).update(withdrawn_at=timezone.now())
    pictures = {card.campaign: card.pictures for card in campaign_cards(admin)}
    assert pictures[campaign] == [image.pk for image in reversed(first[1:5])]
    assert pictures[other] == [image.pk for image in reversed(second)]


def test_cards_of_annotators_show_no_photo_that_they_have_not_answered(
    campaign: Campaign, people: dict[str, Any]
) -> None:
    images = images_make(campaign, 3)
    vote(images[1], people["alice"], 5)
    assert [card.pictures for card in campaign_cards(people["alice"])] == [[images[1].pk]]

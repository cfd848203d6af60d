"""The page Plan a campaign and the command plan_campaign."""

import html
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign
from annotation.selectors.panels import campaign_pace, campaign_panel
from tests.opinions_and_predictions import images_make, vote

PAGE = "/plan-campaign/"
QUERY = {
    "noise": "oasis",
    "lowest": 1,
    "highest": 10,
    "photos": 300,
    "votes": 3,
    "holdout_photos": 200,
    "holdout_votes": 5,
    "people": 20,
    "seconds": 4,
    "cost_per_hour": 30,
    "champion": 0.6,
    "similarity": 0.9,
}


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.fixture
def pilot(campaign: Campaign, people: dict[str, Any]) -> Campaign:
    """A campaign with 80 photos, three votes each: photos differ by 2 points, bob is one point lenient, noise 1."""
    rng = np.random.default_rng(1)
    for image, quality in zip(images_make(campaign, 80), rng.normal(5.5, 2, 80), strict=True):
        for name, bias in (("alice", 0), ("bob", 1), ("rita", 0)):
            score = int(np.clip(np.rint(quality + bias + rng.normal(0, 1)), 1, 10))
            vote(image, people[name], score, milliseconds=2500)
    return campaign


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 302), ("mallory", 403), ("alice", 403), ("bob", 403), ("rita", 200), ("ada", 200)],
)
def test_only_reviewers_and_staff_plan(client_of: Callable[[str], Any], name: str, status: int) -> None:
    assert client_of(name).get(PAGE).status_code == status


def test_staff_without_a_campaign_plan_too(client_of: Callable[[str], Any], people: dict[str, Any]) -> None:
    people["mallory"].is_staff = True
    people["mallory"].save()
    response = client_of("mallory").get(PAGE)
    assert response.status_code == 200
    assert "Watches" not in response.content.decode()


def test_a_campaign_of_others_is_no_source_of_noise(
    client_of: Callable[[str], Any], people: dict[str, Any], pilot: Campaign
) -> None:
    people["mallory"].is_staff = True
    people["mallory"].save()
    response = client_of("mallory").get(PAGE, QUERY | {"noise": pilot.slug})
    assert response.status_code == 422
    assert "is not one of the available choices" in text_of(response)


def test_the_result_has_hours_cost_and_the_first_change(client_of: Callable[[str], Any]) -> None:
    text = text_of(client_of("rita").get(PAGE, QUERY))
    assert "1,900 votes take 2.1 hours" in text
    assert "63 cost at 30 an hour" in text
    assert re.search(r"\+0\.\d{3} gain in SRCC that the promotion rule detects", text)
    assert "For narrower MOS intervals: more votes on each photo" in text
    assert re.search(r"For detecting smaller gains: more (votes on each )?holdout photos? ", text)


def test_a_wrong_plan_is_refused_with_a_reason(client_of: Callable[[str], Any]) -> None:
    response = client_of("rita").get(PAGE, QUERY | {"votes": 25, "highest": 1})
    assert response.status_code == 422
    text = text_of(response)
    assert "at most 20 are possible" in text
    assert "The highest score must be above the lowest." in text


def test_a_small_holdout_says_what_the_rule_needs(client_of: Callable[[str], Any]) -> None:
    assert "The promotion rule needs 20 holdout photos" in text_of(
        client_of("rita").get(PAGE, QUERY | {"holdout_photos": 10})
    )


def test_a_pilot_gives_noise_pace_and_numbers(client_of: Callable[[str], Any], pilot: Campaign) -> None:
    panel = campaign_panel(pilot)
    assert panel is not None
    assert panel.photos == pytest.approx(1.9, abs=0.4)  # the ends of the scale make it smaller
    assert panel.rest == pytest.approx(1.0, abs=0.15)
    assert 0.2 < panel.annotators < 1.2
    assert campaign_pace(pilot) == 2.5
    response = client_of("rita").get(PAGE, {"noise": pilot.slug})
    assert response.context["form"].data["seconds"] == 2.5
    assert response.context["form"].data["photos"] == 80
    assert "240 votes on 80 photos by 3 people of this campaign" in text_of(response)


def test_simulated_votes_are_named(pilot: Campaign, people: dict[str, Any]) -> None:
    people["bob"].is_simulated = True
    people["bob"].save()
    panel = campaign_panel(pilot)
    assert panel is not None
    assert "80 of all votes are from simulated annotators" in panel.source


def test_a_campaign_with_few_votes_is_not_enough(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    response = client_of("rita").get(PAGE, {"noise": campaign.slug})
    assert response.status_code == 200
    assert "This campaign has not enough votes to tell its noise" in text_of(response)


def test_the_number_of_queries_does_not_depend_on_photos(
    client_of: Callable[[str], Any], pilot: Campaign, people: dict[str, Any]
) -> None:
    client = client_of("rita")
    query = {"noise": pilot.slug}
    client.get(PAGE, query)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE, query)
    for image in images_make(pilot, 30, prefix="more"):
        vote(image, people["alice"], 5)
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE, query)
    assert len(many) == len(few) <= 13


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = io.StringIO()
        call_command("plan_campaign", *arguments, stdout=out)
        return out.getvalue()

    def test_it_prints_what_the_page_shows(self, client_of: Callable[[str], Any]) -> None:
        printed = self.run("--photos", "300", "--people", "20", "--seconds", "4", "--cost", "30")
        assert "1,900 votes, 2.1 hours (0.1 each), cost 63" in printed
        gain = re.search(r"Gain in SRCC that is detected +\+(0\.\d{3})", printed)
        assert gain is not None
        assert f"+{gain[1]}" in text_of(client_of("rita").get(PAGE, QUERY))
        assert "Change first for the MOS intervals: more votes on each photo." in printed

    def test_a_campaign_is_a_source_of_noise_and_pace(self, pilot: Campaign) -> None:
        printed = self.run("--noise", pilot.slug, "--photos", "100", "--holdout-photos", "20", "--votes", "3")
        assert "Noise: Watches (240 votes on 80 photos by 3 people" in printed
        assert "400 votes, 0.3 hours" in printed  # 2.5 seconds each

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--votes", "11"), "at most one of each annotator"),
            (("--scale", "10"), "not a scale"),
            (("--noise", "nowhere"), "no campaign 'nowhere'"),
            (("--noise", "watches"), "not enough votes"),
        ],
    )
    def test_a_wrong_plan_is_refused(self, campaign: Campaign, arguments: tuple[str, ...], message: str) -> None:
        with pytest.raises(CommandError, match=message):
            self.run(*arguments)

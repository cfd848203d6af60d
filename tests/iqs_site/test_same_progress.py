"""Every page and the API show the same progress of a campaign."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from annotation.models import Campaign, Image
from annotation.services.queue import counters_rebuild
from iqs_site import overview
from tests.opinions_and_predictions import images_make, vote


@pytest.fixture(autouse=True)
def _workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the broker, which these tests do not start."""
    worker = SimpleNamespace(name="worker@host", queues=("default", "inference", "single", "training"))
    monkeypatch.setattr(overview, "broker_alive", lambda: True)
    monkeypatch.setattr(overview, "workers_alive", lambda: [worker])


@pytest.fixture
def mixed_campaign(campaign: Campaign, people: dict[str, Any]) -> Campaign:
    """Ten photos of all kinds that need one or two votes. Two annotators answered each of the first nine."""
    images = images_make(campaign, 10)
    campaign.images.update(votes_needed=2)
    Image.objects.filter(pk=images[0].pk).update(votes_needed=1)  # one vote more than needed
    Image.objects.filter(pk=images[2].pk).update(problem="It does not open.")
    for image, role in zip(images[3:6], ("practice", "example", "gold"), strict=True):
        Image.objects.filter(pk=image.pk).update(role=role, expected_score=5, expected_watch="no")
    for image in images[:9]:
        for name in ("alice", "bob"):
            vote(image, people[name], 5)
    counters_rebuild(campaign=campaign)
    return campaign


def progress_numbers(response: Any) -> list[str]:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))
    found = re.search(r"(\d+) of (\d+) votes.*?(\d+) of (\d+) photos complete", text)
    assert found, text
    return list(found.groups())


def test_home_campaign_page_and_api_show_the_same_progress(
    client_of: Callable[[str], Any], mixed_campaign: Campaign
) -> None:
    progress = {
        "votes_given": 9,  # 1 for the first photo, 2 for each of the four others that count
        "votes_wanted": 11,
        "complete_images": 5,
        "images": 6,  # of ten: one has a problem, three are special
    }
    expected = [str(progress[name]) for name in ("votes_given", "votes_wanted", "complete_images", "images")]
    alice = client_of("alice")
    assert progress_numbers(alice.get("/")) == expected
    assert progress_numbers(alice.get("/campaigns/watches/")) == expected
    assert progress_numbers(client_of("ada").get("/campaigns/watches/status")) == expected
    api = alice.get("/api/campaigns/watches/progress").json()
    assert {name: api[name] for name in progress} == progress


def test_own_answers_are_the_same_everywhere(client_of: Callable[[str], Any], mixed_campaign: Campaign) -> None:
    """Answers to photos of every kind count, because they are work of the annotator."""
    alice, page = client_of("alice"), "/campaigns/watches/"
    assert alice.get("/").context["home"].cards[0].card.own_answers == 9
    assert alice.get(f"{page}mine/").context["progress"].answers == 9
    assert alice.get("/api/campaigns/watches/progress").json()["own_answers"] == 9
    members = client_of("ada").get(f"{page}members/").context["memberships"]
    assert {member.user.username: member.answers for member in members} == {"alice": 9, "bob": 9, "rita": 0, "ada": 0}


def test_reviewers_see_what_the_progress_does_not_count(
    client_of: Callable[[str], Any], mixed_campaign: Campaign
) -> None:
    sentence = "Not counted here: 3 practice, example or gold photos. 1 photo with a problem. 1 vote more than needed."
    assert sentence in client_of("rita").get("/campaigns/watches/").content.decode()
    assert "Not counted here" not in client_of("alice").get("/campaigns/watches/").content.decode()

"""Disputed photos: which ones, what a reviewer sees, and decisions that change no vote and can be undone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Adjudication, Annotation, AuditKind, AuditRecord, Campaign, Image, PhotoConsensus, User
from annotation.selectors.adjudications import photos_disputed
from annotation.services.consensus import consensus_refresh
from annotation.services.queue import counters_rebuild
from tests.opinions_and_predictions import images_make, votes

SCATTER, LABELS = 3, 5  # places of the photo with scattered scores and of the one with mixed labels


@pytest.fixture
def rated(campaign: Campaign, make_user: Callable[..., User]) -> list[Image]:
    """Four people agree about ten photos, except for the scores of one and the watch labels of another."""
    images = images_make(campaign, 10)
    scores = np.tile([5, 5, 6, 6], (10, 1))
    scores[SCATTER] = [1, 4, 8, 10]
    watch = np.full((10, 4), "no", dtype=object)
    watch[:4] = "yes"
    watch[LABELS] = ["yes", "yes", "no", "no"]
    votes(images, [make_user(f"person-{number}") for number in range(4)], scores, watch)
    counters_rebuild(campaign=campaign)
    consensus_refresh(campaign=campaign)
    return images


def decide(client: Client, image: Image, **changes: Any) -> Any:
    data = {"watch": "yes", "score": "7", "comment": "a clock is on the wall"} | changes
    return client.post(reverse("adjudication", args=["watches", image.pk]), data)


def test_the_widest_disagreements_come_first_and_say_why(rated: list[Image], campaign: Campaign) -> None:
    count, disputed = photos_disputed(campaign, limit=10)
    assert count == 2
    assert {one.image.pk for one in disputed} == {rated[SCATTER].pk, rated[LABELS].pk}
    reasons = {one.image.pk: " ".join(one.reasons) for one in disputed}
    assert "votes scatter" in reasons[rated[SCATTER].pk]
    assert "watch votes 2 to 2" in reasons[rated[LABELS].pk]
    assert "watch" not in reasons[rated[SCATTER].pk]


def test_photos_that_still_get_votes_and_photos_out_of_the_queue_are_not_disputed(
    rated: list[Image], campaign: Campaign
) -> None:
    Image.objects.filter(pk=rated[SCATTER].pk).update(votes_needed=9)
    Image.objects.filter(pk=rated[LABELS].pk).update(problem="damaged")
    assert photos_disputed(campaign, limit=10)[1] == []


def test_a_campaign_without_consensus_has_no_disputed_photos(campaign: Campaign) -> None:
    assert photos_disputed(campaign, limit=10) == (0, [])


def test_a_decision_changes_no_vote_and_takes_the_photo_out(
    rated: list[Image], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    image, client = rated[SCATTER], client_of("rita")
    answers = Annotation.objects.count()
    before = PhotoConsensus.objects.values().get(pk=image.pk)
    assert decide(client, image).status_code == 302
    decision = Adjudication.objects.get()
    assert (decision.watch, decision.score, decision.reviewer.username) == ("yes", 7, "rita")
    assert Annotation.objects.count() == answers
    assert PhotoConsensus.objects.values().get(pk=image.pk) == before
    assert [one.image.pk for one in photos_disputed(campaign, limit=10)[1]] == [rated[LABELS].pk]
    record = AuditRecord.objects.get(kind=AuditKind.ADJUDICATION)
    assert (record.by, record.after) == (
        decision.reviewer,
        {"watch": "yes", "score": 7, "saw_prediction": False},
    )


def test_a_decision_can_be_undone_and_stays_as_a_row(
    rated: list[Image], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    image, client = rated[SCATTER], client_of("rita")
    decide(client, image)
    decide(client_of("ada"), image, score="3")
    assert list(Adjudication.objects.filter(undone_at=None).values_list("score", flat=True)) == [3]
    client.post(reverse("adjudication-undo", args=["watches", image.pk]))
    assert not Adjudication.objects.filter(undone_at=None).exists()
    assert Adjudication.objects.count() == 2
    assert AuditRecord.objects.filter(kind=AuditKind.ADJUDICATION_UNDONE).count() == 1
    assert image.pk in {one.image.pk for one in photos_disputed(campaign, limit=10)[1]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"watch": "maybe"}, "Choose watch"),
        ({"score": "11"}, "whole number from 1 to 10"),
        ({"score": "x"}, "whole number"),
        ({"comment": "x" * 501}, "longer than 500"),
    ],
)
def test_wrong_decisions_are_refused_with_a_message(
    rated: list[Image], client_of: Callable[[str], Client], changes: dict[str, str], message: str
) -> None:
    response = decide(client_of("rita"), rated[0], **changes)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not Adjudication.objects.exists()


def test_the_page_shows_all_votes(rated: list[Image], client_of: Callable[[str], Client]) -> None:
    page = reverse("adjudication", args=["watches", rated[SCATTER].pk])
    html = client_of("rita").get(page).content.decode()
    assert all(f"person-{number}" in html for number in range(4))


def test_a_decided_photo_is_marked_on_its_page_and_in_the_gallery(
    rated: list[Image], client_of: Callable[[str], Client]
) -> None:
    client = client_of("rita")
    photo, gallery = reverse("photo", args=["watches", rated[0].pk]), reverse("photos", args=["watches"])
    assert "decided by a reviewer" not in client.get(photo).content.decode()
    assert ">decided</span>" not in client.get(gallery).content.decode()
    decide(client, rated[0])
    assert "decided by a reviewer" in client.get(photo).content.decode()
    assert client.get(gallery).content.decode().count(">decided</span>") == 1


@pytest.mark.parametrize("name", ["alice", "mallory", "anonymous"])
def test_only_reviewers_see_disputed_photos_and_decide(
    rated: list[Image], client_of: Callable[[str], Client], name: str
) -> None:
    client = client_of(name)
    for page in (
        reverse("adjudications", args=["watches"]),
        reverse("adjudication", args=["watches", rated[0].pk]),
    ):
        assert client.get(page).status_code in (302, 403, 404)
    assert decide(client, rated[0]).status_code in (302, 403, 404)
    assert client.post(reverse("adjudication-undo", args=["watches", rated[0].pk])).status_code in (302, 403, 404)
    assert not Adjudication.objects.exists()


def test_a_photo_of_another_campaign_is_not_found(
    rated: list[Image], people: dict[str, Any], client_of: Callable[[str], Client]
) -> None:
    other = images_make(Campaign.objects.create(slug="other", name="Other"), 1)[0]
    assert client_of("rita").get(reverse("adjudication", args=["watches", other.pk])).status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_photos(
    rated: list[Image], campaign: Campaign, client_of: Callable[[str], Client]
) -> None:
    client, page = client_of("rita"), reverse("adjudications", args=["watches"])

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page).status_code == 200
        return len(captured)

    count()  # the first request of a session
    decide(client, rated[0])
    client.get(page)  # shows the message about the decision
    few = count()
    for image in rated[1:3]:
        decide(client, image)
    client.get(page)
    PhotoConsensus.objects.filter(pk__in=[image.pk for image in rated[3:8]]).update(sos=4.0)
    assert count() == few

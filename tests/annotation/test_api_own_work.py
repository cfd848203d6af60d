"""The API of own work: comments, last answers, goal, photos left, other campaigns, and photos for work offline."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from annotation.models import Assignment, Campaign, Image, Membership, PhotoComment, User
from annotation.services.annotations import annotation_record
from annotation.services.queue import LEASES_PER_ANNOTATOR, leases_claim

ROOT = "/api/campaigns/watches"
ROLES = [("anonymous", 401), ("mallory", 404), ("alice", 200), ("rita", 200), ("ada", 200)]


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(f"{ROOT}/{path}", body, content_type="application/json")


@pytest.fixture
def photos(make_image: Callable[..., Image]) -> list[Image]:
    return [make_image(seed) for seed in range(12)]


def rate(campaign: Campaign, annotator: Any, image: Image, score: int = 5, **fields: Any) -> None:
    answer = fields or {"watch": "yes", "score": score}
    annotation_record(campaign=campaign, annotator=annotator, image_id=image.pk, client_id=uuid4(), **answer)


# --- Comments ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status"), ROLES)
def test_only_members_comment(client_of: Any, photos: list[Image], name: str, status: int) -> None:
    body = {"client_id": str(uuid4()), "image_id": photos[0].pk, "text": "Blurred on purpose?"}
    assert post(client_of(name), "comments", body).status_code == status
    assert PhotoComment.objects.count() == (1 if status == 200 else 0)


def test_a_comment_has_a_receipt_and_is_confirmed_later(client_of: Any, photos: list[Image]) -> None:
    client, client_id = client_of("alice"), str(uuid4())
    body = {"client_id": client_id, "image_id": photos[0].pk, "text": "Blurred on purpose?"}
    first, second = post(client, "comments", body).json(), post(client, "comments", body).json()
    assert (first["created"], second["created"]) == (True, False)
    assert first["comment_id"] == second["comment_id"]
    assert post(client, "receipts", {"client_ids": [client_id]}).json()["stored"] == [client_id]
    assert post(client_of("bob"), "receipts", {"client_ids": [client_id]}).json()["stored"] == []


def test_a_comment_of_somebody_else_is_refused(client_of: Any, people: Any, photos: list[Image]) -> None:
    body = {"client_id": str(uuid4()), "image_id": photos[0].pk, "text": "x", "annotator_id": people["bob"].pk}
    response = post(client_of("alice"), "comments", body)
    assert (response.status_code, "logged in as alice" in response.json()["detail"]) == (409, True)


@pytest.mark.parametrize("change", [{"text": ""}, {"text": "x" * 501}, {"text": " "}, {"image_id": 10**9}])
def test_a_comment_that_is_not_valid_is_refused(client_of: Any, photos: list[Image], change: dict[str, Any]) -> None:
    body = {"client_id": str(uuid4()), "image_id": photos[0].pk, "text": "x", **change}
    assert post(client_of("alice"), "comments", body).status_code == 422


def test_a_removed_member_can_still_comment_on_a_photo_that_they_had(
    campaign: Campaign, client_of: Any, people: Any, photos: list[Image]
) -> None:
    had = leases_claim(campaign=campaign, annotator=people["alice"], count=1)[0].image_id
    Membership.objects.filter(user=people["alice"]).delete()
    other = next(photo.pk for photo in photos if photo.pk != had)
    statuses = [
        post(client_of("alice"), "comments", {"client_id": str(uuid4()), "image_id": image, "text": "x"}).status_code
        for image in (had, other)
    ]
    assert statuses == [200, 404]


# --- Last answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status"), ROLES)
def test_only_members_see_last_answers(client_of: Any, name: str, status: int) -> None:
    assert client_of(name).get(f"{ROOT}/answers").status_code == status


def test_the_last_answers_are_own_ones_that_can_be_given_again(
    campaign: Campaign, client_of: Any, people: Any, photos: list[Image]
) -> None:
    for score, photo in enumerate(photos[:4], start=1):
        rate(campaign, people["alice"], photo, score)
    rate(campaign, people["alice"], photos[4], skip_reason="Another reason")
    rate(campaign, people["bob"], photos[5])
    Image.objects.filter(pk=photos[3].pk).update(role="practice")
    answers = client_of("alice").get(f"{ROOT}/answers?count=3").json()["answers"]
    assert [answer["image_id"] for answer in answers] == [photos[4].pk, photos[2].pk, photos[1].pk]
    assert [answer["score"] for answer in answers] == [None, 3, 2]
    assert answers[0]["skip_reason"] == "Another reason"
    assert answers[1]["thumbnail"] == f"/photos/{photos[2].pk}/thumbnail"
    Campaign.objects.update(state="closed")
    assert client_of("alice").get(f"{ROOT}/answers").json() == {"answers": []}


def test_answers_to_hidden_repeats_are_not_among_the_last_answers(
    campaign: Campaign, client_of: Any, people: Any, photos: list[Image]
) -> None:
    from tests.opinions_and_predictions import vote

    vote(photos[0], people["alice"], 4)
    vote(photos[0], people["alice"], 9, is_repeat=True)
    answers = client_of("alice").get(f"{ROOT}/answers").json()["answers"]
    assert [answer["score"] for answer in answers] == [4]


# --- Photos left and other campaigns ----------------------------------------------------------------


def test_the_progress_says_how_many_photos_are_left(
    campaign: Campaign, client_of: Any, people: Any, photos: list[Image]
) -> None:
    rate(campaign, people["alice"], photos[0])
    rate(campaign, people["alice"], photos[1], skip_reason="Another reason")
    left = {name: client_of(name).get(f"{ROOT}/progress").json()["photos_left"] for name in ("alice", "bob")}
    assert left == {"alice": 10, "bob": 12}


def test_other_campaigns_with_photos_are_listed(
    campaign: Campaign, client_of: Any, people: Any, photos: list[Image], make_image: Callable[..., Image]
) -> None:
    more, empty, foreign = (Campaign.objects.create(slug=slug, name=slug) for slug in ("more", "empty", "foreign"))
    for one in (more, empty):
        Membership.objects.create(campaign=one, user=people["alice"])
    for seed in range(20, 34):
        make_image(seed, campaign=more)
    make_image(40, campaign=foreign)
    campaigns = client_of("alice").get("/api/me/work").json()["campaigns"]
    assert [(one["slug"], one["photos_left"]) for one in campaigns] == [("more", 14), ("watches", 12)]
    assert campaigns[0]["url"] == "/campaigns/more/annotate/"
    Campaign.objects.update(state="paused")
    assert client_of("alice").get("/api/me/work").json() == {"campaigns": []}
    assert client_of("mallory").get("/api/me/work").json() == {"campaigns": []}
    assert client_of("anonymous").get("/api/me/work").status_code == 401


# --- Goal -------------------------------------------------------------------------------------------


def test_each_user_sets_an_own_goal(client_of: Any, people: Any) -> None:
    response = client_of("alice").put("/api/me/session-goal", {"photos": 50}, content_type="application/json")
    assert response.json() == {"photos": 50}
    assert dict(User.objects.exclude(session_goal=0).values_list("username", "session_goal")) == {"alice": 50}
    assert client_of("anonymous").put("/api/me/session-goal", {"photos": 5}).status_code == 401


@pytest.mark.parametrize("photos", [-1, 1001, True, "5", None])
def test_a_goal_that_is_not_valid_is_refused(client_of: Any, photos: object) -> None:
    response = client_of("alice").put("/api/me/session-goal", {"photos": photos}, content_type="application/json")
    assert response.status_code == 422


# --- Photos for work without a connection -----------------------------------------------------------


def test_a_page_can_hold_more_photos_but_at_most_half_of_the_open_ones(
    client_of: Any, make_image: Callable[..., Image]
) -> None:
    for seed in range(160):
        make_image(seed, votes_needed=1, open_slots=1)
    client, held = client_of("alice"), []

    def claim(**fields: Any) -> list[int]:
        leases = post(client, "leases", {"count": 20, "known": held, **fields}).json()["leases"]
        held.extend(lease["image_id"] for lease in leases)
        return [lease["byte_size"] for lease in leases]

    while sizes := claim():
        assert all(sizes)
    assert len(held) == LEASES_PER_ANNOTATOR
    while claim(hold=200):
        pass
    assert len(held) == 80, "others must still get photos"
    assert Assignment.objects.filter(state="leased").count() == len(held)
    assert post(client, "leases", {"count": 1, "hold": 201}).status_code == 422


def test_an_empty_queue_has_a_reason_as_one_word(client_of: Any, campaign: Campaign, photos: list[Image]) -> None:
    claim = post(client_of("alice"), "leases", {"count": 1}).json()
    assert (claim["empty_kind"], claim["more_at"]) == ("", None)
    Campaign.objects.update(state="paused")
    assert post(client_of("alice"), "leases", {"count": 1}).json()["empty_kind"] == "paused"
    Campaign.objects.update(state="active")
    Image.objects.update(open_slots=0)
    lease = Assignment.objects.get()
    claim = post(client_of("bob"), "leases", {"count": 1}).json()
    assert claim["empty_kind"] == "reserved"
    assert claim["more_at"].startswith(f"{lease.expires_at:%Y-%m-%dT%H:%M}")

"""The API endpoints for leases, answers and progress."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from annotation.models import Annotation, Assignment, Campaign, Image

BASE = "/api/campaigns/watches"


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(f"{BASE}/{path}", body, content_type="application/json")


def answer_to(image: Image, **fields: Any) -> dict[str, Any]:
    return {"client_id": str(uuid4()), "image_id": image.pk, "watch": "yes", "score": 7, **fields}


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(4)]


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 401), ("mallory", 404), ("alice", 200), ("rita", 200), ("ada", 200)],
)
def test_only_members_can_use_the_api(client_of: Any, photos: list[Image], name: str, status: int) -> None:
    client = client_of(name)
    assert post(client, "leases", {"count": 1}).status_code == status
    assert post(client, "leases/renew", {"image_ids": []}).status_code == status
    assert post(client, "leases/return", {"image_ids": []}).status_code == status
    assert post(client, "annotations", answer_to(photos[0])).status_code == status
    assert client.get(f"{BASE}/progress").status_code == status
    assert Annotation.objects.count() == (status == 200)


def test_a_request_without_the_csrf_token_is_refused(people: Any, photos: list[Image]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["alice"])
    assert post(client, "leases", {"count": 1}).status_code == 403


def test_leases_have_the_fields_that_the_page_needs(client_of: Any, photos: list[Image], people: Any) -> None:
    body = post(client_of("alice"), "leases", {"count": 2}).json()
    assert body["empty_because"] == ""
    assert len(body["leases"]) == 2
    lease = body["leases"][0]
    image = Image.objects.get(pk=lease["image_id"])
    assert lease["url"] == f"/photos/{image.pk}/original"
    assert (lease["width"], lease["height"], lease["name"]) == (96, 64, image.name)
    assert "expires_at" in lease
    known = [entry["image_id"] for entry in body["leases"]]
    more = post(client_of("alice"), "leases", {"count": 5, "known": known}).json()
    assert not {entry["image_id"] for entry in more["leases"]} & set(known)


def test_an_empty_claim_gives_the_reason(client_of: Any, campaign: Campaign) -> None:
    assert "no photos yet" in post(client_of("alice"), "leases", {"count": 1}).json()["empty_because"]
    Campaign.objects.update(state="paused")
    assert "paused" in post(client_of("alice"), "leases", {"count": 1}).json()["empty_because"]


def test_leases_can_be_renewed_and_returned(client_of: Any, photos: list[Image]) -> None:
    alice = client_of("alice")
    ids = [lease["image_id"] for lease in post(alice, "leases", {"count": 3}).json()["leases"]]
    assert post(alice, "leases/renew", {"image_ids": ids}).json()["renewed"] == 3
    assert post(alice, "leases/return", {"image_ids": ids[1:]}).json() == {"returned": 2}
    assert Assignment.objects.filter(state="leased").count() == 1


def test_an_answer_sent_twice_is_recorded_once(client_of: Any, photos: list[Image]) -> None:
    alice, answer = client_of("alice"), answer_to(photos[0], milliseconds=900, viewing={"input": "keys"})
    first, second = post(alice, "annotations", answer), post(alice, "annotations", answer)
    row = Annotation.objects.get()
    expected = {"client_id": answer["client_id"], "annotation_id": row.pk, "saved": True}
    assert first.json() == {**expected, "created": True}
    assert second.json() == {**expected, "created": False}
    assert (row.milliseconds, row.viewing) == (900, {"input": "keys"})


def test_an_invalid_answer_gets_an_error_message(client_of: Any, photos: list[Image]) -> None:
    response = post(client_of("alice"), "annotations", answer_to(photos[0], score=11))
    assert response.status_code == 422
    assert response.json() == {"detail": "The score must be a whole number from 1 to 10, not 11."}


@pytest.mark.parametrize("invalid", [{"client_id": "no uuid"}, {"image_id": 2**70}, {"score": "good"}])
def test_a_malformed_answer_is_refused(client_of: Any, photos: list[Image], invalid: dict[str, Any]) -> None:
    assert post(client_of("alice"), "annotations", answer_to(photos[0], **invalid)).status_code == 422


def test_an_answer_with_the_id_of_another_annotator_is_refused(
    client_of: Any, people: Any, photos: list[Image]
) -> None:
    answer = answer_to(photos[0], annotator_id=people["bob"].pk)
    response = post(client_of("alice"), "annotations", answer)
    assert response.status_code == 409
    assert "You are logged in as alice" in response.json()["detail"]
    assert post(client_of("bob"), "annotations", answer).status_code == 200


def test_progress_includes_own_answers(client_of: Any, photos: list[Image]) -> None:
    alice = client_of("alice")
    post(alice, "annotations", answer_to(photos[0]))
    post(client_of("bob"), "annotations", answer_to(photos[0]))
    assert alice.get(f"{BASE}/progress").json() == {
        "own_answers": 1,
        "own_skips": 0,
        "pace_per_hour": 1,
        "images": 4,
        "photos_left": 3,
        "complete_images": 0,
        "votes_given": 2,
        "votes_wanted": 12,
    }


def test_a_request_takes_few_queries(client_of: Any, photos: list[Image], django_assert_max_num_queries: Any) -> None:
    alice = client_of("alice")
    access, savepoint = 4, 2  # queries; access means session, user, campaign, membership
    with django_assert_max_num_queries(access + savepoint + 8):
        post(alice, "leases", {"count": 4})
    with django_assert_max_num_queries(access + savepoint + 6):
        post(alice, "annotations", answer_to(photos[0]))

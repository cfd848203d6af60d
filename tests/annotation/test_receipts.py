"""Receipts: a page asks which of its answers are in the database."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from annotation.models import Annotation, Image, Membership, User
from annotation.services.annotations import annotation_record
from annotation.services.campaigns import campaign_create

PATH = "/api/campaigns/watches/receipts"


def ask(client: Client, *client_ids: UUID) -> Any:
    body = {"client_ids": [str(client_id) for client_id in client_ids]}
    return client.post(PATH, body, content_type="application/json")


@pytest.fixture
def answer(people: dict[str, Any], make_image: Callable[..., Image]) -> Callable[..., UUID]:
    """Return a function that records a user's answer to the photo of a seed, and returns the client id."""
    images: dict[int, Image] = {}

    def record(name: str, seed: int = 0, **fields: Any) -> UUID:
        if seed not in images:
            images[seed] = make_image(seed)
        image = images[seed]
        default = {"watch": "yes", "score": 7} if "skip_reason" not in fields else {}
        client_id = uuid4()
        annotation_record(
            campaign=image.campaign,
            annotator=people[name],
            image_id=image.pk,
            client_id=client_id,
            **{**default, **fields},
        )
        return client_id

    return record


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 401), ("mallory", 404), ("alice", 200), ("bob", 200), ("rita", 200), ("ada", 200)],
)
def test_only_members_can_ask_for_receipts(client_of: Any, name: str, status: int) -> None:
    assert ask(client_of(name), uuid4()).status_code == status


def test_own_answers_are_confirmed_and_unknown_ones_are_not(client_of: Any, answer: Callable[..., UUID]) -> None:
    first, skipped = answer("alice", 1), answer("alice", 2, skip_reason="It does not load or is damaged")
    receipt = ask(client_of("alice"), first, skipped, uuid4()).json()
    assert set(receipt["stored"]) == {str(first), str(skipped)}
    assert (receipt["own_answers"], receipt["own_skips"]) == (1, 1)


def test_a_corrected_answer_is_still_confirmed(client_of: Any, answer: Callable[..., UUID]) -> None:
    first, correction = answer("alice", 1), answer("alice", 1, score=3)
    receipt = ask(client_of("alice"), first, correction).json()
    assert set(receipt["stored"]) == {str(first), str(correction)}
    assert receipt["own_answers"] == 1


@pytest.mark.parametrize("name", ["bob", "rita", "ada"])
def test_answers_of_other_annotators_are_never_confirmed(
    client_of: Any, answer: Callable[..., UUID], name: str
) -> None:
    assert ask(client_of(name), answer("alice")).json() == {"stored": [], "own_answers": 0, "own_skips": 0}


def test_answers_in_another_campaign_are_not_confirmed(client_of: Any, people: Any, make_image: Any) -> None:
    alice: User = people["alice"]
    other = campaign_create(by=people["ada"], slug="clocks", name="Clocks")
    Membership.objects.create(campaign=other, user=alice)
    client_id = uuid4()
    image = make_image(9, campaign=other)
    annotation_record(campaign=other, annotator=alice, image_id=image.pk, client_id=client_id, watch="no", score=4)
    assert ask(client_of("alice"), client_id).json()["stored"] == []


def test_a_request_takes_few_queries_and_accepts_at_most_500_ids(
    client_of: Any, answer: Callable[..., UUID], django_assert_max_num_queries: Any
) -> None:
    alice = client_of("alice")
    recorded = [answer("alice", seed) for seed in range(3)]
    access = 4  # queries for session, user, campaign and membership
    with django_assert_max_num_queries(access + 2):
        receipt = ask(alice, *recorded, *(uuid4() for _ in range(497)))
    assert len(receipt.json()["stored"]) == Annotation.objects.count() == 3
    assert ask(alice, *(uuid4() for _ in range(501))).status_code == 422
    assert alice.post(PATH, {"client_ids": ["no uuid"]}, content_type="application/json").status_code == 422

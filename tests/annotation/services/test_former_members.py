"""Answers that were on their way while an admin removed the person or changed the role."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from annotation.models import Annotation, Assignment, Campaign, Image, Membership, Role
from annotation.selectors.former_members import TAKEN, campaign_of_former_member
from annotation.services.annotations import AnnotationError, annotation_record
from annotation.services.campaigns import campaign_update
from annotation.services.members import member_remove, member_set
from annotation.services.queue import counters_rebuild, leases_claim

BASE = "/api/campaigns/watches"


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(3)]


@pytest.fixture
def leased(campaign: Campaign, people: dict[str, Any], photos: list[Image]) -> Image:
    """Return a photo that alice got before she was removed."""
    (lease,) = leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    remove(people["alice"])
    return lease.image


def remove(user: Any) -> None:
    member_remove(membership=Membership.objects.get(user=user))


def answer(campaign: Campaign, user: Any, image: Image, **fields: Any) -> Any:
    of_answer = {"client_id": uuid4(), "watch": "yes", "score": 7, **fields}
    return annotation_record(campaign=campaign, annotator=user, image_id=image.pk, **of_answer)


def body(image: Image, **fields: Any) -> dict[str, Any]:
    return {"client_id": str(uuid4()), "image_id": image.pk, "watch": "yes", "score": 7, **fields}


def test_the_answer_of_a_removed_member_to_a_leased_photo_is_recorded(
    campaign: Campaign, people: dict[str, Any], leased: Image
) -> None:
    assert answer(campaign, people["alice"], leased).created
    leased.refresh_from_db()
    assert (leased.vote_count, counters_rebuild(campaign=campaign)) == (1, 0)
    assert (
        answer(campaign, people["alice"], leased, score=3).annotation.supersedes is not None
    )  # a correction on its way


def test_a_photo_that_the_removed_member_never_had_is_refused(
    campaign: Campaign, people: dict[str, Any], leased: Image, photos: list[Image]
) -> None:
    other = next(photo for photo in photos if photo != leased)
    with pytest.raises(AnnotationError, match="Only members"):
        answer(campaign, people["alice"], other)
    with pytest.raises(AnnotationError, match="Only members"):
        answer(campaign, people["mallory"], leased)
    assert not Annotation.objects.exists()


def test_an_old_lease_proves_nothing_until_the_person_is_a_member_again(
    campaign: Campaign, people: dict[str, Any], leased: Image
) -> None:
    Assignment.objects.update(expires_at=timezone.now() - TAKEN - timedelta(seconds=1))
    with pytest.raises(AnnotationError, match="Ask an admin of the campaign to add you again, then send"):
        answer(campaign, people["alice"], leased)
    member_set(campaign=campaign, user=people["alice"], role=Role.ANNOTATOR)
    assert answer(campaign, people["alice"], leased).created


def test_the_receipt_of_an_answer_stays_the_same_after_the_removal(
    campaign: Campaign, people: dict[str, Any], leased: Image
) -> None:
    client_id = uuid4()
    answer(campaign, people["alice"], leased, client_id=client_id)
    Assignment.objects.update(expires_at=timezone.now() - TAKEN - timedelta(seconds=1))
    assert not answer(campaign, people["alice"], leased, client_id=client_id).created


def test_the_api_takes_the_answer_and_confirms_it(client_of: Any, leased: Image, photos: list[Image]) -> None:
    client = client_of("alice")
    sent = body(leased)
    assert client.post(f"{BASE}/annotations", sent, content_type="application/json").status_code == 200
    receipts = client.post(f"{BASE}/receipts", {"client_ids": [sent["client_id"]]}, content_type="application/json")
    assert receipts.json() == {"stored": [sent["client_id"]], "own_answers": 1, "own_skips": 0}
    other = next(photo for photo in photos if photo != leased)
    assert client.post(f"{BASE}/annotations", body(other), content_type="application/json").status_code == 404


@pytest.mark.parametrize(
    ("path", "sent"),
    [("leases", {}), ("leases/renew", {"image_ids": []}), ("leases/return", {"image_ids": []}), ("practice/done", {})],
)
def test_a_removed_member_gets_no_more_photos(client_of: Any, leased: Image, path: str, sent: dict[str, Any]) -> None:
    assert client_of("alice").post(f"{BASE}/{path}", sent, content_type="application/json").status_code == 404


@pytest.mark.parametrize(("name", "status"), [("anonymous", 401), ("mallory", 404), ("bob", 200)])
def test_the_lease_of_one_person_helps_nobody_else(client_of: Any, leased: Image, name: str, status: int) -> None:
    client = client_of(name)
    for path, sent in (("annotations", body(leased)), ("receipts", {"client_ids": []})):
        assert client.post(f"{BASE}/{path}", sent, content_type="application/json").status_code == status


def test_the_answer_arrives_at_an_old_address_too(client_of: Any, campaign: Campaign, leased: Image) -> None:
    campaign_update(campaign=campaign, slug="clocks")
    assert (
        client_of("alice").post(f"{BASE}/annotations", body(leased), content_type="application/json").status_code == 200
    )


@pytest.mark.parametrize(
    ("before", "after"), [("ada", Role.ANNOTATOR), ("alice", Role.REVIEWER), ("rita", Role.ANNOTATOR)]
)
def test_an_answer_arrives_whatever_the_new_role_is(
    client_of: Any, campaign: Campaign, people: dict[str, Any], photos: list[Image], before: str, after: Role
) -> None:
    member_set(campaign=campaign, user=people["bob"], role=Role.ADMIN)  # so that ada is not the last one
    (lease,) = leases_claim(campaign=campaign, annotator=people[before], count=1)
    member_set(campaign=campaign, user=people[before], role=after)
    answered = client_of(before).post(f"{BASE}/annotations", body(lease.image), content_type="application/json")
    assert answered.status_code == 200


def test_one_query_finds_the_campaign(
    campaign: Campaign, people: dict[str, Any], leased: Image, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        assert campaign_of_former_member(user=people["alice"], slug="watches", image_id=leased.pk) == campaign
    assert campaign_of_former_member(user=people["mallory"], slug="watches") is None

"""Practice photos: members see them from worst to best, and finish practice once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from annotation.models import Campaign, Image, Membership
from annotation.services.queue import leases_claim

PRACTICE = "/api/campaigns/watches/practice"


@pytest.fixture
def practice(make_image: Callable[..., Image]) -> list[Image]:
    """Return three practice photos, best first. The campaign also has photos with every other role."""
    photos = [
        make_image(seed, role="practice", expected_score=score, expected_watch="no", guidance=f"A typical {score}.")
        for seed, score in enumerate([9, 5, 2])
    ]
    make_image(10)
    make_image(11, role="example", expected_score=3)
    make_image(12, role="gold", expected_score=3)
    make_image(13, role="practice", expected_score=1, problem="It does not open.")
    return photos


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 401), ("mallory", 404), ("alice", 200), ("bob", 200), ("rita", 200), ("ada", 200)],
)
def test_only_members_can_practice(client_of: Any, practice: list[Image], name: str, status: int) -> None:
    client = client_of(name)
    assert client.get(PRACTICE).status_code == status
    assert client.post(f"{PRACTICE}/done").status_code == status
    assert Membership.objects.exclude(practised_at=None).count() == (status == 200)


def test_practice_photos_are_sorted_from_worst_to_best(client_of: Any, practice: list[Image]) -> None:
    body = client_of("alice").get(PRACTICE).json()
    assert [photo["score"] for photo in body["photos"]] == [2, 5, 9]
    assert body["photos"][0] == {
        "image_id": practice[2].pk,
        "url": reverse("photo-original", args=[practice[2].pk]),
        "width": 96,
        "height": 64,
        "name": "photo-2.jpg",
        "watch": "no",
        "score": 2,
        "guidance": "A typical 2.",
    }
    assert body["done"] is False


def test_a_photo_without_an_expected_score_comes_last(
    client_of: Any, practice: list[Image], make_image: Callable[..., Image]
) -> None:
    unscored = make_image(20, role="practice")
    last = client_of("alice").get(PRACTICE).json()["photos"][-1]
    assert (last["image_id"], last["score"], last["watch"]) == (unscored.pk, None, "")


def test_each_member_finishes_practice_once(client_of: Any, practice: list[Image]) -> None:
    alice = client_of("alice")
    assert alice.post(f"{PRACTICE}/done").json() == {"done": True}
    first = Membership.objects.get(user__username="alice").practised_at
    assert alice.get(PRACTICE).json()["done"] is True
    alice.post(f"{PRACTICE}/done")
    assert Membership.objects.get(user__username="alice").practised_at == first
    assert client_of("bob").get(PRACTICE).json()["done"] is False


def test_a_superuser_without_a_membership_does_not_have_to_practice(
    client_of: Any, practice: list[Image], people: dict[str, Any], make_user: Any
) -> None:
    people["root"] = make_user("root", is_superuser=True)
    assert client_of("root").post(f"{PRACTICE}/done").status_code == 200
    assert client_of("root").get(PRACTICE).json()["done"] is True


@pytest.mark.parametrize(("name", "status"), [("mallory", 404), ("alice", 200)])
def test_members_can_open_the_file_without_a_lease(
    client_of: Any, practice: list[Image], name: str, status: int
) -> None:
    assert client_of(name).get(reverse("photo-original", args=[practice[0].pk])).status_code == status


def test_practice_and_example_photos_are_never_leased(campaign: Campaign, people: Any, practice: list[Image]) -> None:
    campaign.gold_share = 0
    leases = leases_claim(campaign=campaign, annotator=people["alice"], count=10)
    assert [lease.image.role for lease in leases] == ["rated"]


def test_the_number_of_queries_does_not_depend_on_the_number_of_photos(
    client_of: Any, practice: list[Image], django_assert_num_queries: Any
) -> None:
    alice = client_of("alice")
    with django_assert_num_queries(5):  # session, user, campaign with role, photos, done
        assert len(alice.get(PRACTICE).json()["photos"]) == 3

"""Active members, and the admin's button that returns their leased photos to the queue."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Annotation, Campaign, Image, Membership, User
from annotation.selectors.activity import members_active
from annotation.services.annotations import annotation_record
from annotation.services.queue import leases_claim, leases_renew


@pytest.fixture
def images(make_image: Callable[..., Image]) -> list[Image]:
    return [make_image(seed) for seed in range(6)]


def answer(campaign: Campaign, annotator: User, image: Image, **fields: Any) -> Annotation:
    default = {"watch": "yes", "score": 5} if "skip_reason" not in fields else {}
    return annotation_record(
        campaign=campaign, annotator=annotator, image_id=image.pk, client_id=uuid4(), **default, **fields
    ).annotation


def make_older(annotation: Annotation, **ago: int) -> None:
    Annotation.objects.filter(pk=annotation.pk).update(created_at=timezone.now() - timedelta(**ago))


def membership(name: str) -> Membership:
    return Membership.objects.select_related("campaign", "user").get(user__username=name)


def test_a_member_is_active_while_heartbeats_arrive(
    campaign: Campaign, people: dict[str, Any], images: list[Image]
) -> None:
    leases_claim(campaign=campaign, annotator=people["bob"], count=2)
    make_older(answer(campaign, people["alice"], images[0]), minutes=20)
    bob, alice = members_active(campaign)
    assert (bob.membership.user, bob.is_active, bob.held) == (people["bob"], True, 2)
    assert (alice.membership.user, alice.is_active, alice.held, alice.held_until) == (people["alice"], False, 0, None)

    later = timezone.now() + timedelta(seconds=200)  # no heartbeat for more than half of the lease (300 s)
    assert not members_active(campaign, now=later)[0].is_active
    leases_renew(campaign=campaign, annotator=people["bob"], image_ids=[image.pk for image in images])
    assert members_active(campaign)[0].is_active


def test_number_of_answers_and_median_time_in_the_last_hour(
    campaign: Campaign, people: dict[str, Any], images: list[Image]
) -> None:
    make_older(answer(campaign, people["alice"], images[0], milliseconds=60_000), minutes=61)
    for image, milliseconds in zip(images[1:4], (1000, 2000, 9000), strict=True):
        answer(campaign, people["alice"], image, milliseconds=milliseconds)
    answer(campaign, people["alice"], images[4], skip_reason="broken")
    (alice,) = members_active(campaign)
    assert (alice.answers_last_hour, alice.seconds_per_answer) == (3, 2.0)


def test_answers_of_other_campaigns_do_not_count(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    Membership.objects.create(campaign=other, user=people["alice"])
    answer(other, people["alice"], make_image(9, campaign=other))
    assert members_active(campaign) == []
    assert members_active(other)[0].answers_last_hour == 1


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 302), ("mallory", 404), ("alice", 403), ("bob", 403), ("rita", 403), ("ada", 200)],
)
def test_only_admins_see_active_members_and_revoke_leases(
    campaign: Campaign, people: dict[str, Any], client_of: Any, images: list[Image], name: str, status: int
) -> None:
    leases_claim(campaign=campaign, annotator=people["bob"], count=2)
    client = client_of(name)
    assert client.get(reverse("members-activity", args=["watches"])).status_code == status
    revoked = client.post(reverse("member-leases", args=["watches", membership("bob").pk]))
    assert revoked.status_code == (302 if status == 200 else status)
    assert campaign.assignments.filter(state="leased").count() == (0 if name == "ada" else 2)


def test_revoked_photos_are_available_again_and_a_later_answer_is_kept(
    campaign: Campaign, people: dict[str, Any], client_of: Any, make_image: Callable[..., Image]
) -> None:
    image = make_image(1, votes_needed=1, open_slots=1)
    leases_claim(campaign=campaign, annotator=people["bob"], count=1)
    response = client_of("ada").post(
        reverse("member-leases", args=["watches", membership("bob").pk]), headers={"HX-Request": "true"}
    )
    assert "1 photo is back in the queue" in response.content.decode()
    image.refresh_from_db()
    assert image.open_slots == 1
    assert [lease.image for lease in leases_claim(campaign=campaign, annotator=people["alice"], count=1)] == [image]
    answer(campaign, people["alice"], image)
    assert answer(campaign, people["bob"], image).surplus
    image.refresh_from_db()
    assert (image.vote_count, image.open_slots) == (2, -1)


def test_admins_cannot_revoke_leases_of_another_campaign(
    campaign: Campaign, people: dict[str, Any], client_of: Any, make_image: Callable[..., Image]
) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    other_membership = Membership.objects.create(campaign=other, user=people["bob"])
    make_image(1, campaign=other)
    leases_claim(campaign=other, annotator=people["bob"], count=1)
    assert client_of("ada").post(reverse("member-leases", args=["watches", other_membership.pk])).status_code == 404
    assert other.assignments.filter(state="leased").count() == 1


def test_simulated_annotators_are_marked_as_simulated(
    campaign: Campaign, people: dict[str, Any], client_of: Any, images: list[Image]
) -> None:
    people["bob"].is_simulated = True
    people["bob"].save()
    answer(campaign, people["bob"], images[0])
    assert "simulated" in client_of("ada").get(reverse("members-activity", args=["watches"])).content.decode()

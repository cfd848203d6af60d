"""Which photos the queue took, in which order, and which of them it drew at random."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Annotation, Assignment, Campaign, Image, User
from tests.opinions_and_predictions import images_make, votes
from training.evaluation.weighted_answers import TakenPhotos
from training.selectors.drawn_photos import taken_photos

START = timezone.now() - timedelta(days=30)


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def lease(images: Sequence[Image], annotator: User, lane: str, *, at: float, **changed: Any) -> None:
    """Store that the queue gave these photos, one a minute."""
    for minute, image in enumerate(images):
        fields = {"campaign": image.campaign, "state": Assignment.State.DONE, "expires_at": timezone.now()} | changed
        made = Assignment.objects.create(image=image, annotator=annotator, lane=lane, **fields)
        Assignment.objects.filter(pk=made.pk).update(leased_at=hour(at) + timedelta(minutes=minute))


def imported_at(images: Sequence[Image], at: float) -> None:
    Image.objects.filter(pk__in=[image.pk for image in images]).update(created_at=hour(at))


@pytest.fixture
def alice(people: dict[str, Any]) -> User:
    found: User = people["alice"]
    return found


@pytest.fixture
def bob(people: dict[str, Any]) -> User:
    found: User = people["bob"]
    return found


@pytest.fixture
def train(campaign: Campaign) -> list[Image]:
    images = images_make(campaign, 12, prefix="train")
    imported_at(images, -1)
    return images


@pytest.fixture
def holdout(campaign: Campaign) -> list[Image]:
    images = images_make(campaign, 5, prefix="holdout", holdout=True)
    imported_at(images, -1)
    return images


def found(campaign: Campaign, **changed: Any) -> TakenPhotos:
    return taken_photos(campaign, **({"left_queue_at": None} | changed))


def test_photos_come_in_the_order_in_which_somebody_got_them_first(
    campaign: Campaign, train: list[Image], alice: User, bob: User
) -> None:
    lease(train[2:3], alice, "watch_margin", at=0)
    lease(train[:2], alice, "random", at=1)
    lease(train[:3], bob, "fewest_votes", at=2)
    votes(train[:3], [alice, bob], [[2, 4], [5, 5], [9, 7]], [["yes", "no"], ["no", "no"], ["yes", "yes"]])
    taken = found(campaign)
    assert taken.scores.tolist() == [8, 3, 5]
    assert taken.watch.tolist() == [1, 0.5, 0]
    assert taken.votes.tolist() == taken.labels.tolist() == [2, 2, 2]
    assert taken.is_random.tolist() == [False, True, True]
    assert (taken.holdout, taken.others) == (0, 12)


@pytest.mark.parametrize(
    ("lane", "is_random"),
    [("random", True), ("fewest_votes", True), ("holdout", True), ("anchors", False), ("unasked", False)],
)
def test_only_lanes_that_do_not_look_at_photos_draw_at_random(
    campaign: Campaign, holdout: list[Image], alice: User, lane: str, is_random: bool
) -> None:
    lease(holdout[:1], alice, lane, at=0)
    taken = found(campaign)
    assert (taken.is_random.tolist(), taken.is_holdout.tolist()) == ([is_random], [True])


def test_photos_without_votes_are_taken_and_have_no_value(campaign: Campaign, train: list[Image], alice: User) -> None:
    lease(train[:1], alice, "random", at=0, state=Assignment.State.SKIPPED)
    taken = found(campaign)
    assert str(taken.scores.tolist() + taken.watch.tolist()) == "[nan, nan]"


def test_hidden_repeats_are_no_draws(campaign: Campaign, train: list[Image], alice: User) -> None:
    lease(train[:1], alice, "repeat", at=0, is_repeat=True)
    assert len(found(campaign).scores) == 0


def test_draws_before_the_last_photo_came_are_not_random(
    campaign: Campaign, train: list[Image], holdout: list[Image], alice: User
) -> None:
    imported_at(train[11:], 1)
    lease([train[0], holdout[0]], alice, "random", at=0)
    lease([train[1], holdout[1]], alice, "random", at=2)
    taken = found(campaign)
    assert taken.is_holdout.tolist() == [False, True, False, True]
    assert taken.is_random.tolist() == [False, True, True, True]


def test_after_decided_photos_left_only_the_random_lane_is_even_outside_the_holdout(
    campaign: Campaign, train: list[Image], holdout: list[Image], alice: User
) -> None:
    lease([train[0], holdout[0]], alice, "fewest_votes", at=0)
    lease([train[1], holdout[1]], alice, "fewest_votes", at=2)
    lease([train[2]], alice, "random", at=3)
    taken = found(campaign, left_queue_at=hour(1))
    assert taken.is_random.tolist() == [True, True, False, True, True]


def test_imported_answers_take_a_photo_without_a_draw(
    campaign: Campaign, train: list[Image], alice: User, bob: User
) -> None:
    lease(train[:2], alice, "random", at=0)
    lease(train[2:3], alice, "random", at=4)
    votes(train[:4], [bob], [[2], [4], [6], [8]], [["no"]] * 4)
    Annotation.objects.filter(image__in=train[:3]).update(created_at=hour(5))
    Annotation.objects.filter(image=train[3]).update(created_at=hour(3))
    taken = found(campaign)
    assert taken.scores.tolist() == [2, 4, 8, 6]
    assert taken.is_random.tolist() == [True, True, False, True]


def test_withdrawn_and_special_photos_are_not_in_the_campaign(
    campaign: Campaign, train: list[Image], alice: User
) -> None:
    lease(train[:3], alice, "random", at=0)
    Image.objects.filter(pk=train[0].pk).update(withdrawn_at=timezone.now())
    Image.objects.filter(pk=train[1].pk).update(role=Image.Role.GOLD)
    taken = found(campaign)
    assert (len(taken.scores), taken.others) == (1, 10)


def test_a_returned_lease_does_not_move_its_photo_back(campaign: Campaign, train: list[Image], alice: User) -> None:
    lease(train[:1], alice, "random", at=0)
    lease(train[1:2], alice, "random", at=1)
    Assignment.objects.filter(image=train[0]).update(leased_at=hour(9))
    imported_at(train[11:], 2)
    taken = found(campaign)
    assert taken.is_random.tolist() == [False, False]


def test_it_takes_four_queries(campaign: Campaign, train: list[Image], alice: User) -> None:
    lease(train, alice, "random", at=0)
    with CaptureQueriesContext(connection) as queries:
        found(campaign)
    assert len(queries) == 4

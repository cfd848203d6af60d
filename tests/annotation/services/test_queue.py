"""Leases: at most one for each open slot, no photo twice for an annotator, and correct slot counters."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Count, F
from django.utils import timezone

from annotation.models import Annotation, Assignment, Campaign, Image, Membership
from annotation.services.annotations import annotation_record
from annotation.services.queue import (
    LEASES_PER_ANNOTATOR,
    counters_rebuild,
    leases_claim,
    leases_expire,
    leases_renew,
    leases_return,
)


def claim(campaign: Campaign, annotator: Any, count: int, **options: Any) -> list[int]:
    leases = leases_claim(campaign=campaign, annotator=annotator, count=count, rng=random.Random(1), **options)
    return [lease.image_id for lease in leases]


def answer(campaign: Campaign, annotator: Any, image_id: int, **fields: Any) -> Annotation:
    fields = fields or {"watch": "yes", "score": 7}
    return annotation_record(
        campaign=campaign, annotator=annotator, image_id=image_id, client_id=uuid4(), **fields
    ).annotation


def counters_are_correct(campaign: Campaign) -> bool:
    """Return whether the stored counters equal a new count."""
    return counters_rebuild(campaign=campaign) == 0


def most_slots_taken() -> int:
    """Return the highest number of leases and votes of one photo."""
    taken = Assignment.objects.filter(state__in=["leased", "done"]).values("image").annotate(n=Count("pk"))
    return max((row["n"] for row in taken), default=0)


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(8)]


def test_a_claim_takes_a_slot_of_each_photo(campaign: Any, people: Any, photos: list[Image]) -> None:
    before = timezone.now()
    leases = leases_claim(campaign=campaign, annotator=people["alice"], count=3)
    assert len({lease.image_id for lease in leases}) == 3
    assert all(lease.state == Assignment.State.LEASED for lease in leases)
    assert all(lease.expires_at >= before + timedelta(seconds=300) for lease in leases)
    assert Image.objects.filter(open_slots=2).count() == 3
    assert counters_are_correct(campaign)


def test_a_reload_gets_the_same_photos_in_the_same_order_and_takes_no_slot(
    campaign: Any, people: Any, photos: list[Image]
) -> None:
    first = claim(campaign, people["alice"], 3)
    assert claim(campaign, people["alice"], 3) == first
    assert claim(campaign, people["alice"], 5)[:3] == first
    assert Assignment.objects.count() == 5


def test_photos_that_the_page_knows_do_not_come_again(campaign: Any, people: Any, photos: list[Image]) -> None:
    first = claim(campaign, people["alice"], 3)
    second = claim(campaign, people["alice"], 3, known=first)
    assert not set(first) & set(second)
    assert len(second) == 3


def test_leases_that_the_page_knows_are_not_renewed(campaign: Any, people: Any, photos: list[Image]) -> None:
    known = claim(campaign, people["alice"], 2)
    soon = timezone.now() + timedelta(seconds=5)
    Assignment.objects.update(expires_at=soon)
    claim(campaign, people["alice"], 2, known=known)
    assert Assignment.objects.filter(image__in=known, expires_at=soon).count() == 2


def test_an_annotator_gets_every_photo_exactly_once(campaign: Any, people: Any, photos: list[Image]) -> None:
    seen = []
    while claimed := claim(campaign, people["alice"], 3):
        seen += claimed
        for image_id in claimed:
            answer(campaign, people["alice"], image_id)
    assert sorted(seen) == sorted(photo.pk for photo in photos)
    assert counters_are_correct(campaign)


def test_a_photo_without_open_slots_is_not_leased(campaign: Any, people: Any, make_image: Any) -> None:
    photo = make_image(1, votes_needed=1, open_slots=1)
    assert claim(campaign, people["alice"], 1) == [photo.pk]
    assert claim(campaign, people["bob"], 1) == []


def test_a_photo_with_a_problem_is_not_leased(campaign: Any, people: Any, make_image: Any) -> None:
    make_image(1, problem="It does not open.")
    assert claim(campaign, people["alice"], 1) == []


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_paused_or_closed_campaign_leases_no_photos(
    campaign: Any, people: Any, photos: list[Image], state: str
) -> None:
    campaign.state = state
    assert claim(campaign, people["alice"], 1) == []


def test_photos_of_another_campaign_are_not_leased(campaign: Any, people: Any, make_image: Any) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    make_image(1, campaign=other)
    assert claim(campaign, people["alice"], 1) == []


def test_annotators_get_photos_in_different_orders(campaign: Any, people: Any, make_image: Any) -> None:
    for seed in range(20):
        make_image(seed)
    orders = [
        [
            lease.image_id
            for lease in leases_claim(campaign=campaign, annotator=people[name], count=20, rng=random.Random(seed))
        ]
        for seed, name in enumerate(["alice", "bob"])
    ]
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


def test_the_same_seed_gives_the_same_photos(campaign: Any, people: Any, photos: list[Image]) -> None:
    assert claim(campaign, people["alice"], 4) == claim(campaign, people["bob"], 4)


def test_a_returned_photo_is_available_to_others_and_comes_back_first(
    campaign: Any, people: Any, photos: list[Image]
) -> None:
    first = claim(campaign, people["alice"], 2)
    assert leases_return(campaign=campaign, annotator=people["alice"], image_ids=first) == 2
    assert leases_return(campaign=campaign, annotator=people["alice"], image_ids=first) == 0
    assert Image.objects.filter(open_slots=3).count() == 8
    assert claim(campaign, people["alice"], 3)[:2] == first
    assert counters_are_correct(campaign)


def test_annotators_cannot_return_or_renew_the_leases_of_others(
    campaign: Any, people: Any, photos: list[Image]
) -> None:
    leased = claim(campaign, people["alice"], 2)
    assert leases_return(campaign=campaign, annotator=people["bob"], image_ids=leased) == 0
    assert leases_renew(campaign=campaign, annotator=people["bob"], image_ids=leased) == 0


def test_expired_leases_free_their_slots_once(campaign: Any, people: Any, photos: list[Image]) -> None:
    for name in ("alice", "bob"):
        claim(campaign, people[name], 3)
    Assignment.objects.filter(annotator=people["alice"]).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert leases_expire() == 3
    assert leases_expire() == 0
    assert counters_are_correct(campaign)
    assert Assignment.objects.filter(state="leased").count() == 3


def test_a_renewed_lease_does_not_expire(campaign: Any, people: Any, photos: list[Image]) -> None:
    leased = claim(campaign, people["alice"], 2)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert leases_renew(campaign=campaign, annotator=people["alice"], image_ids=leased[:1]) == 1
    assert leases_expire() == 1


def test_an_annotator_gets_an_expired_lease_again_while_a_slot_is_open(
    campaign: Any, people: Any, make_image: Any
) -> None:
    photo = make_image(1, votes_needed=1, open_slots=1)
    claim(campaign, people["alice"], 1)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    leases_expire()
    assert claim(campaign, people["alice"], 1) == [photo.pk]
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    leases_expire()
    assert claim(campaign, people["bob"], 1) == [photo.pk]
    assert claim(campaign, people["alice"], 1) == []
    assert counters_are_correct(campaign)


def test_an_annotator_has_a_limited_number_of_leases(campaign: Any, people: Any, make_image: Any) -> None:
    for seed in range(LEASES_PER_ANNOTATOR + 5):
        make_image(seed)
    leased: list[int] = []
    while claimed := claim(campaign, people["alice"], 20, known=leased):
        leased += claimed
    assert len(leased) == LEASES_PER_ANNOTATOR


def test_a_rebuild_corrects_wrong_counters(campaign: Any, people: Any, photos: list[Image]) -> None:
    leased = claim(campaign, people["alice"], 3)
    answer(campaign, people["alice"], leased[0])
    expected = list(Image.objects.order_by("pk").values_list("pk", "vote_count", "open_slots"))
    Image.objects.filter(pk__in=leased[:2]).update(vote_count=F("vote_count") + 5, open_slots=-3)
    assert counters_rebuild(campaign=campaign) == 2
    assert list(Image.objects.order_by("pk").values_list("pk", "vote_count", "open_slots")) == expected


def test_a_claim_takes_few_queries(
    campaign: Any, people: Any, photos: list[Image], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(7):  # two of them are the savepoint, one looks along the lanes with priorities
        claim(campaign, people["alice"], 1)


@pytest.mark.django_db(transaction=True)
def test_eight_concurrent_annotators_never_take_too_many_slots(
    campaign: Any, make_user: Callable[..., Any], make_image: Callable[..., Any]
) -> None:
    """Each of 8 threads claims, answers, skips and returns photos until none is left. There are only 12 photos."""
    for seed in range(12):
        make_image(seed)
    annotators = [make_user(f"annotator-{number}") for number in range(8)]
    for annotator in annotators:
        Membership.objects.create(campaign=campaign, user=annotator)
    skipping = annotators[:2]  # a third skip would take a photo out of the queue
    slots_taken: list[int] = []
    errors: list[BaseException] = []
    start = threading.Barrier(len(annotators))

    def answer_photos(annotator: Any, rng: random.Random, *, share_not_answered: float) -> None:
        idle = 0
        while idle < 3:  # an empty claim may only mean that others hold the row locks
            leases = leases_claim(campaign=campaign, annotator=annotator, count=rng.randint(1, 4), rng=rng)
            idle = 0 if leases else idle + 1
            slots_taken.append(most_slots_taken())
            for lease in leases:
                draw = rng.random()
                if draw < share_not_answered / 2:
                    leases_return(campaign=campaign, annotator=annotator, image_ids=[lease.image_id])
                elif draw < share_not_answered and annotator in skipping:
                    answer(campaign, annotator, lease.image_id, skip_reason="cannot rate")
                else:
                    answer(campaign, annotator, lease.image_id)

    def answer_in_thread(annotator: Any, seed: int) -> None:
        try:
            start.wait()
            answer_photos(annotator, random.Random(seed), share_not_answered=0.2)
        except BaseException as error:  # a thread's failure must fail the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=answer_in_thread, args=(person, seed)) for seed, person in enumerate(annotators)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for annotator in annotators:  # photos that were returned after the other threads had stopped
        answer_photos(annotator, random.Random(9), share_not_answered=0)

    assert not errors
    assert max(slots_taken) == 3
    votes = Counter(Annotation.objects.filter(skip_reason="").values_list("image_id", flat=True))
    assert set(votes.values()) == {3}
    assert len(votes) == 12
    assert not Annotation.objects.filter(surplus=True).exists()
    assert not Annotation.objects.exclude(supersedes=None).exists()
    assert not Image.objects.exclude(open_slots=0).exists()
    assert counters_are_correct(campaign)

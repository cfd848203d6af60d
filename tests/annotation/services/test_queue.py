"""Leases: at most as many as open slots, no photo twice, slots always add up."""

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


def balance_holds(campaign: Campaign) -> bool:
    """Whether the stored counters are what counting gives."""
    return counters_rebuild(campaign=campaign) == 0


def most_leases_and_votes() -> int:
    taken = Assignment.objects.filter(state__in=["leased", "done"]).values("image").annotate(n=Count("pk"))
    return max((row["n"] for row in taken), default=0)


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(8)]


def test_a_claim_takes_a_slot_of_each_photo(campaign: Any, people: Any, photos: list[Image]) -> None:
    leases = leases_claim(campaign=campaign, annotator=people["alice"], count=3)
    assert len({lease.image_id for lease in leases}) == 3
    assert all(lease.state == Assignment.State.LEASED for lease in leases)
    assert all(lease.expires_at > timezone.now() + timedelta(seconds=290) for lease in leases)
    assert Image.objects.filter(open_slots=2).count() == 3
    assert balance_holds(campaign)


def test_a_reload_gets_the_same_photos_in_the_same_order_and_burns_no_slot(
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


def test_nobody_gets_a_photo_twice_and_everything_is_handed_out(
    campaign: Any, people: Any, photos: list[Image]
) -> None:
    seen = []
    while got := claim(campaign, people["alice"], 3):
        seen += got
        for image_id in got:
            answer(campaign, people["alice"], image_id)
    assert sorted(seen) == sorted(photo.pk for photo in photos)
    assert balance_holds(campaign)


def test_a_full_photo_is_not_handed_out(campaign: Any, people: Any, make_image: Any) -> None:
    photo = make_image(1, votes_needed=1, open_slots=1)
    assert claim(campaign, people["alice"], 1) == [photo.pk]
    assert claim(campaign, people["bob"], 1) == []


def test_a_photo_with_a_problem_is_not_handed_out(campaign: Any, people: Any, make_image: Any) -> None:
    make_image(1, problem="It does not open.")
    assert claim(campaign, people["alice"], 1) == []


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_campaign_at_rest_hands_out_nothing(campaign: Any, people: Any, photos: list[Image], state: str) -> None:
    campaign.state = state
    assert claim(campaign, people["alice"], 1) == []


def test_photos_of_another_campaign_stay_there(campaign: Any, people: Any, make_image: Any) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    make_image(1, campaign=other)
    assert claim(campaign, people["alice"], 1) == []


def test_every_annotator_has_an_order_of_their_own(campaign: Any, people: Any, make_image: Any) -> None:
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


def test_a_returned_photo_is_open_to_others_and_comes_back_first(
    campaign: Any, people: Any, photos: list[Image]
) -> None:
    first = claim(campaign, people["alice"], 2)
    assert leases_return(campaign=campaign, annotator=people["alice"], image_ids=first) == 2
    assert leases_return(campaign=campaign, annotator=people["alice"], image_ids=first) == 0
    assert Image.objects.filter(open_slots=3).count() == 8
    assert claim(campaign, people["alice"], 3)[:2] == first
    assert balance_holds(campaign)


def test_nobody_returns_or_renews_the_leases_of_others(campaign: Any, people: Any, photos: list[Image]) -> None:
    held = claim(campaign, people["alice"], 2)
    assert leases_return(campaign=campaign, annotator=people["bob"], image_ids=held) == 0
    assert leases_renew(campaign=campaign, annotator=people["bob"], image_ids=held) == 0


def test_expired_leases_give_their_slots_back_once(campaign: Any, people: Any, photos: list[Image]) -> None:
    for name in ("alice", "bob"):
        claim(campaign, people[name], 3)
    Assignment.objects.filter(annotator=people["alice"]).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert leases_expire() == 3
    assert leases_expire() == 0
    assert balance_holds(campaign)
    assert Assignment.objects.filter(state="leased").count() == 3


def test_a_renewed_lease_does_not_expire(campaign: Any, people: Any, photos: list[Image]) -> None:
    held = claim(campaign, people["alice"], 2)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert leases_renew(campaign=campaign, annotator=people["alice"], image_ids=held[:1]) == 1
    assert leases_expire() == 1


def test_an_expired_lease_is_taken_up_again_while_a_slot_is_open(campaign: Any, people: Any, make_image: Any) -> None:
    photo = make_image(1, votes_needed=1, open_slots=1)
    claim(campaign, people["alice"], 1)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    leases_expire()
    assert claim(campaign, people["alice"], 1) == [photo.pk]
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    leases_expire()
    assert claim(campaign, people["bob"], 1) == [photo.pk]
    assert claim(campaign, people["alice"], 1) == []
    assert balance_holds(campaign)


def test_nobody_empties_the_queue_by_only_taking(campaign: Any, people: Any, make_image: Any) -> None:
    for seed in range(LEASES_PER_ANNOTATOR + 5):
        make_image(seed)
    held: list[int] = []
    while got := claim(campaign, people["alice"], 20, known=held):
        held += got
    assert len(held) == LEASES_PER_ANNOTATOR


def test_a_rebuild_puts_wrong_counters_right(campaign: Any, people: Any, photos: list[Image]) -> None:
    held = claim(campaign, people["alice"], 3)
    answer(campaign, people["alice"], held[0])
    right = list(Image.objects.order_by("pk").values_list("pk", "vote_count", "open_slots"))
    Image.objects.filter(pk__in=held[:2]).update(vote_count=F("vote_count") + 5, open_slots=-3)
    assert counters_rebuild(campaign=campaign) == 2
    assert list(Image.objects.order_by("pk").values_list("pk", "vote_count", "open_slots")) == right


def test_a_claim_takes_few_queries(
    campaign: Any, people: Any, photos: list[Image], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(6):  # two of them are the savepoint
        claim(campaign, people["alice"], 1)


@pytest.mark.django_db(transaction=True)
def test_eight_annotators_at_once_never_collect_too_much(
    campaign: Any, make_user: Callable[..., Any], make_image: Callable[..., Any]
) -> None:
    """Each of 8 threads claims, answers, skips and returns until nothing is left; the pool is small on purpose."""
    for seed in range(12):
        make_image(seed)
    annotators = [make_user(f"annotator-{number}") for number in range(8)]
    for annotator in annotators:
        Membership.objects.create(campaign=campaign, user=annotator)
    skipping = annotators[:2]  # a third skip would take a photo out of the queue
    most_at_once: list[int] = []
    errors: list[BaseException] = []
    start = threading.Barrier(len(annotators))

    def work(annotator: Any, rng: random.Random, *, share_left_out: float) -> None:
        idle = 0
        while idle < 3:  # an empty claim may only mean that others hold the row locks
            leases = leases_claim(campaign=campaign, annotator=annotator, count=rng.randint(1, 4), rng=rng)
            idle = 0 if leases else idle + 1
            most_at_once.append(most_leases_and_votes())
            for lease in leases:
                dice = rng.random()
                if dice < share_left_out / 2:
                    leases_return(campaign=campaign, annotator=annotator, image_ids=[lease.image_id])
                elif dice < share_left_out and annotator in skipping:
                    answer(campaign, annotator, lease.image_id, skip_reason="cannot judge")
                else:
                    answer(campaign, annotator, lease.image_id)

    def work_in_thread(annotator: Any, seed: int) -> None:
        try:
            start.wait()
            work(annotator, random.Random(seed), share_left_out=0.2)
        except BaseException as error:  # a thread's failure must fail the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work_in_thread, args=(person, seed)) for seed, person in enumerate(annotators)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for annotator in annotators:  # what was returned last, after everybody else had stopped
        work(annotator, random.Random(9), share_left_out=0)

    assert not errors
    assert max(most_at_once) == 3
    votes = Counter(Annotation.objects.filter(skip_reason="").values_list("image_id", flat=True))
    assert set(votes.values()) == {3}
    assert len(votes) == 12
    assert not Annotation.objects.filter(surplus=True).exists()
    assert not Annotation.objects.exclude(supersedes=None).exists()
    assert not Image.objects.exclude(open_slots=0).exists()
    assert balance_holds(campaign)

"""Hidden repeats: each comes once, after other photos, takes no slot, and is not a vote."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Annotation, Assignment, Campaign, Image, Membership, QueueLane, QueuePriority
from annotation.selectors.progress import own_progress, queue_status
from annotation.services.annotations import annotation_record, prediction_shown
from annotation.services.queue import counters_rebuild, leases_claim, leases_expire, leases_renew, leases_return
from annotation.services.queue_lanes import REPEAT_AFTER


@pytest.fixture
def campaign(campaign: Campaign) -> Campaign:
    campaign.repeat_share, campaign.gold_share = 0.3, 0.0
    campaign.save()
    return campaign


@pytest.fixture
def photos(campaign: Campaign, make_image: Callable[..., Image]) -> list[Image]:
    return [make_image(seed) for seed in range(40)]


def claim(campaign: Campaign, annotator: Any, count: int = 1, *, seed: int = 1, **options: Any) -> list[Assignment]:
    return leases_claim(campaign=campaign, annotator=annotator, count=count, rng=random.Random(seed), **options)


def answer(campaign: Campaign, lease: Assignment, score: int = 7, **fields: Any) -> Annotation:
    return annotation_record(
        campaign=campaign,
        annotator=lease.annotator,
        image_id=lease.image_id,
        client_id=uuid4(),
        lease_id=lease.pk,
        **(fields or {"watch": "yes", "score": score}),
    ).annotation


def answer_photos(campaign: Campaign, annotator: Any, leases: int, *, seed: int = 1) -> list[Assignment]:
    """Claim and answer photos one at a time. Return the leases."""
    rng, done = random.Random(seed), []
    for _ in range(leases):
        for lease in leases_claim(campaign=campaign, annotator=annotator, count=1, rng=rng):
            answer(campaign, lease)
            done.append(lease)
    return done


@pytest.fixture
def repeat(campaign: Campaign, people: Any, photos: list[Image]) -> Assignment:
    """Return a live lease of a hidden repeat. Alice holds it, after `REPEAT_AFTER` + 5 answers."""
    campaign.repeat_share = 0
    answer_photos(campaign, people["alice"], REPEAT_AFTER + 5)
    campaign.repeat_share = 1  # the form does not accept 1; here it makes the next lease a repeat
    (lease,) = claim(campaign, people["alice"])
    campaign.repeat_share = 0
    assert lease.is_repeat
    return lease


def counters_are_correct(campaign: Campaign) -> bool:
    return counters_rebuild(campaign=campaign) == 0


def test_repeats_come_once_after_other_photos_and_at_the_configured_share(
    campaign: Campaign, people: Any, photos: list[Image]
) -> None:
    done = answer_photos(campaign, people["alice"], 200)
    order = [lease.image_id for lease in done]
    repeats = [position for position, lease in enumerate(done) if lease.is_repeat]
    assert 5 <= len(repeats) <= 20, "of about 50 leases; the first 10 cannot be repeats"
    assert len(order) == 40 + len(repeats), "every photo comes once, and only repeats come twice"
    assert set(Counter(order).values()) <= {1, 2}
    for position in repeats:
        assert position - order.index(order[position]) > REPEAT_AFTER
    assert counters_are_correct(campaign)


def test_repeats_start_after_ten_answers(campaign: Campaign, people: Any, photos: list[Image]) -> None:
    campaign.repeat_share = 1
    assert not any(lease.is_repeat for lease in answer_photos(campaign, people["alice"], REPEAT_AFTER + 1))
    assert claim(campaign, people["alice"])[0].is_repeat


def test_the_same_seed_draws_the_same_leases(campaign: Campaign, people: Any, photos: list[Image]) -> None:
    drawn = [
        [(lease.image_id, lease.is_repeat) for lease in answer_photos(campaign, people[name], 30, seed=5)]
        for name in ("alice", "bob")
    ]
    assert drawn[0] == drawn[1]
    assert any(is_repeat for _, is_repeat in drawn[0])


def test_a_repeat_takes_no_slot_and_its_answer_is_not_a_vote(
    campaign: Campaign, repeat: Assignment, people: Any
) -> None:
    before = Image.objects.get(pk=repeat.image_id)
    assert (before.vote_count, before.open_slots) == (1, 2)
    first = Annotation.objects.get(image=repeat.image_id)
    row = answer(campaign, repeat, 3)
    assert row.is_repeat
    assert row.supersedes is None
    assert not row.surplus
    after = Image.objects.get(pk=repeat.image_id)
    assert (after.vote_count, after.open_slots) == (1, 2)
    assert counters_are_correct(campaign)
    assert first in Annotation.objects.filter(campaign=campaign).votes()
    assert row not in Annotation.objects.filter(campaign=campaign).votes()
    assert own_progress(campaign, people["alice"]).answers == REPEAT_AFTER + 5
    repeat.refresh_from_db()
    assert repeat.state == Assignment.State.DONE


def test_a_correction_supersedes_an_answer_of_the_same_kind(campaign: Campaign, repeat: Assignment) -> None:
    first_lease = Assignment.objects.get(image=repeat.image_id, is_repeat=False)
    first = Annotation.objects.get(image=repeat.image_id)
    second = answer(campaign, repeat, 3)
    assert answer(campaign, repeat, 4).supersedes == second
    corrected = answer(campaign, first_lease, 8)
    assert (corrected.supersedes, corrected.is_repeat) == (first, False)
    without_lease = annotation_record(
        campaign=campaign, annotator=repeat.annotator, image_id=repeat.image_id, client_id=uuid4(), watch="no", score=1
    ).annotation
    assert without_lease.supersedes == corrected
    assert counters_are_correct(campaign)


def test_the_lease_id_of_another_annotator_and_photo_is_ignored(
    campaign: Campaign, repeat: Assignment, people: Any
) -> None:
    (other,) = claim(campaign, people["bob"])
    row = annotation_record(
        campaign=campaign,
        annotator=people["bob"],
        image_id=other.image_id,
        client_id=uuid4(),
        lease_id=repeat.pk,
        watch="no",
        score=2,
    ).annotation
    assert not row.is_repeat
    other.refresh_from_db()
    repeat.refresh_from_db()
    assert (other.state, repeat.state) == (Assignment.State.DONE, Assignment.State.LEASED)


def test_the_same_client_id_records_a_repeat_once(campaign: Campaign, repeat: Assignment) -> None:
    client_id = uuid4()
    receipts = [
        annotation_record(
            campaign=campaign,
            annotator=repeat.annotator,
            image_id=repeat.image_id,
            client_id=client_id,
            lease_id=repeat.pk,
            watch="no",
            score=2,
        )
        for _ in range(2)
    ]
    assert [receipt.created for receipt in receipts] == [True, False]
    assert Annotation.objects.filter(is_repeat=True).count() == 1


def test_a_skipped_repeat_does_not_come_back_and_keeps_the_first_answer(campaign: Campaign, repeat: Assignment) -> None:
    answer(campaign, repeat, skip_reason="cannot rate")
    assert Image.objects.get(pk=repeat.image_id).vote_count == 1
    assert counters_are_correct(campaign)
    campaign.repeat_share = 1
    assert repeat.image_id not in [lease.image_id for lease in claim(campaign, repeat.annotator, 10)]


def test_a_repeat_can_be_renewed_and_returned_and_comes_back(campaign: Campaign, repeat: Assignment) -> None:
    mine: dict[str, Any] = {"campaign": campaign, "annotator": repeat.annotator}
    assert leases_renew(**mine, image_ids=[repeat.image_id]) == 1
    slots = Image.objects.get(pk=repeat.image_id).open_slots
    assert leases_return(**mine, image_ids=[repeat.image_id]) == 1
    assert leases_return(**mine, image_ids=[repeat.image_id]) == 0
    assert Image.objects.get(pk=repeat.image_id).open_slots == slots
    again = claim(campaign, repeat.annotator, 2)
    assert (again[0].pk, again[0].is_repeat) == (repeat.pk, True)
    assert not again[1].is_repeat
    assert Image.objects.get(pk=repeat.image_id).open_slots == slots
    assert counters_are_correct(campaign)


def test_a_repeat_comes_back_even_when_the_photo_has_all_its_votes(
    campaign: Campaign, repeat: Assignment, people: Any
) -> None:
    Assignment.objects.filter(pk=repeat.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert leases_expire() == 1
    for name in ("bob", "rita"):
        annotation_record(
            campaign=campaign,
            annotator=people[name],
            image_id=repeat.image_id,
            client_id=uuid4(),
            watch="no",
            score=2,
        )
    assert Image.objects.get(pk=repeat.image_id).open_slots == 0
    assert claim(campaign, repeat.annotator)[0].pk == repeat.pk
    assert counters_are_correct(campaign)


def test_a_reload_gets_a_live_repeat_again_but_a_page_that_knows_it_does_not(
    campaign: Campaign, repeat: Assignment
) -> None:
    assert claim(campaign, repeat.annotator)[0].pk == repeat.pk
    assert repeat.image_id not in [
        lease.image_id for lease in claim(campaign, repeat.annotator, 3, known=[repeat.image_id])
    ]


def test_photos_that_the_page_knows_are_not_repeated(campaign: Campaign, people: Any, photos: list[Image]) -> None:
    campaign.repeat_share = 0
    done = [lease.image_id for lease in answer_photos(campaign, people["alice"], REPEAT_AFTER + 1)]
    campaign.repeat_share = 1
    (lease,) = claim(campaign, people["alice"], known=done[:1])
    assert not lease.is_repeat, "the page may still send an answer to the only photo that could be repeated"
    known = [lease.image_id]
    (lease,) = claim(campaign, people["alice"], known=known)
    assert (lease.is_repeat, lease.image_id) == (True, done[0])


def test_photos_answered_after_the_prediction_are_not_repeated(
    campaign: Campaign, people: Any, photos: list[Image]
) -> None:
    campaign.repeat_share = 0
    for _ in range(REPEAT_AFTER + 5):
        (lease,) = claim(campaign, people["alice"])
        prediction_shown(campaign=campaign, annotator=people["alice"], image_id=lease.image_id)
        assert answer(campaign, lease).saw_prediction
    campaign.repeat_share = 1
    assert not claim(campaign, people["alice"])[0].is_repeat


def test_skipped_corrected_and_broken_photos_are_not_repeated(
    campaign: Campaign, people: Any, photos: list[Image]
) -> None:
    campaign.repeat_share = 0
    done = answer_photos(campaign, people["alice"], REPEAT_AFTER + 3)
    answer(campaign, done[0], skip_reason="cannot rate")
    answer(campaign, done[1], 3)  # a correction is a new answer
    Image.objects.filter(pk=done[2].image_id).update(problem="It does not open.")
    campaign.repeat_share = 1
    assert not claim(campaign, people["alice"])[0].is_repeat


def test_without_ordinary_photos_there_are_no_repeats(campaign: Campaign, people: Any, photos: list[Image]) -> None:
    campaign.repeat_share = 0
    answer_photos(campaign, people["alice"], 40)
    campaign.repeat_share = 1
    assert claim(campaign, people["alice"], 5) == []
    assert "You have answered every photo" in queue_status(campaign, people["alice"])


def test_the_queue_is_not_empty_while_a_repeat_is_left(campaign: Campaign, repeat: Assignment) -> None:
    Image.objects.exclude(pk=repeat.image_id).update(problem="It does not open.")
    assert queue_status(campaign, repeat.annotator) == ""
    leases_return(campaign=campaign, annotator=repeat.annotator, image_ids=[repeat.image_id])
    assert queue_status(campaign, repeat.annotator) == ""
    answer(campaign, repeat)
    assert "You have answered every photo" in queue_status(campaign, repeat.annotator)


def test_the_answer_to_a_repeat_is_marked_if_a_prediction_was_shown(campaign: Campaign, repeat: Assignment) -> None:
    prediction_shown(campaign=campaign, annotator=repeat.annotator, image_id=repeat.image_id)
    assert answer(campaign, repeat).saw_prediction


def test_repeat_and_gold_shares_add_one_query_each_and_other_shares_none(
    campaign: Campaign, people: Any, photos: list[Image]
) -> None:
    answer_photos(campaign, people["alice"], 15)

    def queries(**shares: float) -> int:
        for name in ("repeat_share", "gold_share", "anchoring_share"):
            setattr(campaign, name, shares.get(name, 0.0))
        with CaptureQueriesContext(connection) as captured:
            assert claim(campaign, people["bob"], 5)
        leases_return(campaign=campaign, annotator=people["bob"], image_ids=[photo.pk for photo in photos])
        Assignment.objects.filter(annotator=people["bob"]).delete()
        return len(captured)

    without = queries()
    assert queries(anchoring_share=0.5) == without
    assert queries(repeat_share=0.9) == without + 1
    assert queries(repeat_share=0.5, gold_share=0.5) == without + 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lane_shares", [{"random": 1.0}, {"random": 0.3, "fewest_votes": 0.7}])
def test_counters_stay_correct_with_six_concurrent_threads_and_all_kinds_of_leases(
    campaign: Campaign,
    make_user: Callable[..., Any],
    make_image: Callable[..., Image],
    lane_shares: dict[str, float],
) -> None:
    """Each of three annotators has two threads. Votes and slots must be exact, and repeats must come once."""
    campaign.gold_share = campaign.anchoring_share = 0.2
    campaign.lane_shares = lane_shares
    campaign.save()
    lane = QueueLane.objects.create(campaign=campaign, name="fewest_votes")
    for seed in range(24):
        QueuePriority.objects.create(lane=lane, image=make_image(seed), priority=seed)
    gold = {make_image(seed, role="gold", expected_score=5).pk for seed in range(100, 104)}
    annotators = [make_user(f"annotator-{number}") for number in range(3)]
    for annotator in annotators:
        Membership.objects.create(campaign=campaign, user=annotator)
    errors: list[BaseException] = []
    start = threading.Barrier(2 * len(annotators))

    def rate(annotator: Any, seed: int) -> None:
        rng, idle = random.Random(seed), 0
        try:
            start.wait()
            while idle < 3:
                leases = leases_claim(campaign=campaign, annotator=annotator, count=rng.randint(1, 4), rng=rng)
                idle = 0 if leases else idle + 1
                for lease in leases:
                    if rng.random() < 0.15:
                        leases_return(campaign=campaign, annotator=annotator, image_ids=[lease.image_id])
                    else:
                        answer(campaign, lease, rng.randint(1, 10))
        except BaseException as error:  # a thread's failure must fail the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=rate, args=(annotators[n % 3], n)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A thread ends after three claims that found only locked photos. What it left is rated one after the other.
    for annotator in annotators:
        while leases := leases_claim(campaign=campaign, annotator=annotator, count=4):
            for lease in leases:
                answer(campaign, lease, 5)

    assert not errors
    assert counters_are_correct(campaign)
    votes = Counter(Annotation.objects.votes().exclude(image__in=gold).values_list("image_id", flat=True))
    assert set(votes.values()) == {3}
    assert len(votes) == 24
    assert not Image.objects.filter(role="rated").exclude(open_slots=0).exists()
    assert Assignment.objects.filter(lane="fewest_votes").exists() == ("fewest_votes" in lane_shares)
    probabilities = Assignment.objects.values_list("acquisition_probability", flat=True)
    assert all(probability is not None and 0 < probability <= 1 for probability in probabilities)
    repeats = Annotation.objects.filter(is_repeat=True, supersedes=None)
    assert repeats.exists()
    assert max(Counter(repeats.values_list("image_id", "annotator_id")).values()) == 1
    assert not Assignment.objects.filter(is_anchored=True, image__in=gold).exists()
    assert not Assignment.objects.filter(is_anchored=True, is_repeat=True).exists()

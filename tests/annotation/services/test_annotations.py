"""Recording answers: each answer is recorded exactly once, and the counters of votes and slots stay correct."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from annotation.models import Annotation, Assignment, Campaign, Image
from annotation.services.annotations import AnnotationError, annotation_record, prediction_shown
from annotation.services.queue import counters_rebuild, leases_claim, leases_expire

ANSWER = {"watch": "yes", "score": 7}
SKIP = {"skip_reason": "cannot rate"}


@pytest.fixture
def photo(make_image: Callable[..., Any]) -> Image:
    return make_image(1, votes_needed=2, open_slots=2)  # type: ignore[no-any-return]


@pytest.fixture
def record(campaign: Any, people: Any, photo: Image) -> Callable[..., Any]:
    def send(name: str = "alice", client_id: UUID | None = None, **fields: Any) -> Any:
        fields = fields or ANSWER
        return annotation_record(
            **{
                "campaign": campaign,
                "annotator": people[name],
                "image_id": photo.pk,
                "client_id": client_id or uuid4(),
                **fields,
            }
        )

    return send


@pytest.fixture
def lease(campaign: Any, people: Any, photo: Image) -> Callable[[str], None]:
    def claim(name: str) -> None:
        assert leases_claim(campaign=campaign, annotator=people[name], count=1)

    return claim


def counters(photo: Image) -> tuple[int, int]:
    photo.refresh_from_db()
    assert counters_rebuild(campaign=photo.campaign) == 0, "the stored counters differ from a new count"
    return photo.vote_count, photo.open_slots


def expire_leases() -> None:
    Assignment.objects.filter(state="leased").update(expires_at=timezone.now() - timedelta(seconds=1))
    leases_expire()


def test_an_answer_to_a_lease_turns_the_lease_into_a_vote(record: Any, lease: Any, photo: Image) -> None:
    lease("alice")
    receipt = record(**ANSWER, milliseconds=1234, viewing={"viewport": [390, 844]})
    assert receipt.created
    row = Annotation.objects.get()
    assert (row.watch, row.score, row.milliseconds, row.viewing) == ("yes", 7, 1234, {"viewport": [390, 844]})
    assert not row.surplus
    assert counters(photo) == (1, 1)
    assert Assignment.objects.get().state == Assignment.State.DONE


def test_the_same_client_id_gets_the_same_receipt_and_changes_nothing(record: Any, lease: Any, photo: Image) -> None:
    lease("alice")
    client_id = uuid4()
    first, second = record(client_id=client_id), record(client_id=client_id)
    assert (first.created, second.created) == (True, False)
    assert first.annotation.pk == second.annotation.pk
    assert Annotation.objects.count() == 1
    assert counters(photo) == (1, 1)


def test_a_retry_after_a_correction_gets_the_first_receipt(record: Any) -> None:
    client_id = uuid4()
    first = record(client_id=client_id)
    record(watch="no", score=2)
    assert record(client_id=client_id).annotation.pk == first.annotation.pk
    assert Annotation.objects.count() == 2


def test_a_client_id_of_another_annotator_is_refused(record: Any) -> None:
    client_id = uuid4()
    record(client_id=client_id)
    with pytest.raises(AnnotationError, match="belongs to another answer"):
        record("bob", client_id=client_id)


def test_a_correction_supersedes_the_answer_and_counts_once(record: Any, lease: Any, photo: Image) -> None:
    lease("alice")
    first = record().annotation
    second = record(watch="no", score=3).annotation
    third = record(watch="no", score=4).annotation
    assert (second.supersedes, third.supersedes) == (first, second)
    assert counters(photo) == (1, 1)


def test_a_skip_frees_the_slot_for_other_annotators_only(
    record: Any, lease: Any, photo: Image, campaign: Any, people: Any
) -> None:
    lease("alice")
    record(**SKIP)
    assert counters(photo) == (0, 2)
    assert Assignment.objects.get().state == Assignment.State.SKIPPED
    assert leases_claim(campaign=campaign, annotator=people["alice"], count=1) == []
    lease("bob")


def test_an_answer_after_a_skip_counts_and_a_skip_after_an_answer_removes_it(record: Any, photo: Image) -> None:
    record(**SKIP)
    record(**ANSWER)
    assert counters(photo) == (1, 1)
    record(**SKIP)
    assert counters(photo) == (0, 2)
    assert Annotation.objects.count() == 3


def test_a_late_answer_takes_an_open_slot(record: Any, lease: Any, photo: Image) -> None:
    lease("alice")
    expire_leases()
    assert not record().annotation.surplus
    assert counters(photo) == (1, 1)
    assert Assignment.objects.get().state == Assignment.State.DONE


def test_a_late_answer_is_surplus_when_others_have_the_slots(record: Any, lease: Any, photo: Image) -> None:
    lease("alice")
    expire_leases()
    lease("bob")
    lease("rita")
    late = record("alice").annotation
    assert late.surplus
    assert counters(photo) == (1, -1)
    assert not record("bob").annotation.surplus
    assert not record("rita").annotation.surplus
    assert counters(photo) == (3, -1)
    assert record("alice", watch="no", score=1).annotation.surplus, "a correction of a surplus answer is surplus too"


def test_an_answer_to_an_overdue_lease_is_not_surplus(record: Any, lease: Any, photo: Image) -> None:
    lease("alice")
    lease("bob")
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not record("alice").annotation.surplus
    assert counters(photo) == (1, 0)


def test_an_answer_without_a_lease_is_kept_and_marked(record: Any, photo: Image) -> None:
    record()
    assert Assignment.objects.get().lane == "unasked"
    assert counters(photo) == (1, 1)


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_paused_or_closed_campaign_accepts_answers_to_leased_photos(
    record: Any, lease: Any, campaign: Campaign, photo: Image, state: str
) -> None:
    lease("alice")
    campaign.state = state
    campaign.save()
    assert record("alice").created
    with pytest.raises(AnnotationError, match=f"The campaign is {state}"):
        record("bob")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"watch": "yes", "score": 11}, "from 1 to 10, not 11"),
        ({"watch": "yes", "score": 0}, "from 1 to 10, not 0"),
        ({"watch": "yes"}, "from 1 to 10, not None"),
        ({"watch": "maybe", "score": 5}, "must be one of yes, no, unsure, not 'maybe'"),
        ({"score": 5}, "must be one of yes, no, unsure, not ''"),
        ({"watch": "yes", "score": 5, "skip_reason": "blurred"}, "neither a watch label nor a score"),
        ({"skip_reason": "x" * 201}, "longer than 200"),
        ({**ANSWER, "viewing": {"note": "x" * 2048}}, "larger than 2048 bytes"),
        ({**ANSWER, "image_id": 0}, "no photo number 0"),
    ],
)
def test_invalid_answers_are_refused_with_an_error_message(
    record: Any, photo: Image, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(AnnotationError, match=message):
        record(**fields)
    assert not Annotation.objects.exists()
    assert counters(photo) == (0, 2)


def test_answers_from_users_who_are_not_members_are_refused(record: Any) -> None:
    with pytest.raises(AnnotationError, match="Only members"):
        record("mallory")


def test_the_score_must_be_on_the_scale_of_the_campaign(record: Any, campaign: Campaign) -> None:
    campaign.scale_min, campaign.scale_max = 0, 100
    campaign.save()
    assert record(watch="no", score=0).annotation.score == 0
    with pytest.raises(AnnotationError, match="from 0 to 100"):
        record(watch="no", score=101)


def test_answers_after_the_prediction_was_shown_are_marked(
    record: Any, lease: Any, campaign: Campaign, people: Any, photo: Image
) -> None:
    campaign.mode = Campaign.Mode.PRELABEL
    lease("alice")
    prediction_shown(campaign=campaign, annotator=people["alice"], image_id=photo.pk)
    assert record("alice").annotation.saw_prediction
    assert not record("bob").annotation.saw_prediction


@pytest.mark.parametrize(("mode", "marked"), [("reveal", True), ("blind", False)])
def test_a_correction_after_the_reveal_is_marked_and_the_first_answer_is_not(
    record: Any, lease: Any, campaign: Campaign, mode: str, marked: bool
) -> None:
    campaign.mode = mode
    lease("alice")
    assert not record().annotation.saw_prediction
    assert record(watch="no", score=2).annotation.saw_prediction is marked


def test_annotations_cannot_be_changed_or_deleted(record: Any) -> None:
    row = record().annotation
    row.score = 9
    with pytest.raises(ValidationError):
        row.save()
    with pytest.raises(ValidationError):
        row.delete()


def test_recording_takes_few_queries(record: Any, lease: Any, django_assert_max_num_queries: Any) -> None:
    lease("alice")
    with django_assert_max_num_queries(8):
        record()


@pytest.mark.django_db(transaction=True)
def test_eight_concurrent_requests_with_one_client_id_record_one_answer(record: Any, lease: Any, photo: Image) -> None:
    lease("alice")
    client_id, receipts, start = uuid4(), [], threading.Barrier(8)

    def send() -> None:
        start.wait()
        receipts.append(record(client_id=client_id))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [receipt.created for receipt in receipts].count(True) == 1
    assert len(receipts) == 8
    assert Annotation.objects.count() == 1
    assert counters(photo) == (1, 1)

"""Asking for more votes on some photos, and taking it back."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from annotation.models import Annotation, Assignment, AuditKind, AuditRecord, Campaign, Image, VoteRequest
from annotation.selectors.vote_requests import request_batches
from annotation.selectors.votes import vote_table
from annotation.services.annotations import annotation_record
from annotation.services.campaigns import campaign_update
from annotation.services.enough_votes import votes_needed_plan
from annotation.services.queue import counters_rebuild, leases_claim
from annotation.services.vote_requests import VoteRequestError, votes_request, votes_request_undo
from tests.opinions_and_predictions import consensus_make, images_make, vote

REASON = "people and the model disagree"


@pytest.fixture
def photos(campaign: Campaign, people: dict[str, Any]) -> list[Image]:
    """Three photos with all of their three votes."""
    images = images_make(campaign, 3)
    for image in images:
        for name in ("alice", "bob", "rita"):
            vote(image, people[name], 5)
    counters_rebuild(campaign=campaign)
    return images


def needed(campaign: Campaign) -> list[tuple[int, int, int]]:
    columns = ("votes_needed", "open_slots", "extra_votes")
    return list(campaign.images.order_by("pk").values_list(*columns))


def ask(campaign: Campaign, people: dict[str, Any], photos: list[Image], **options: Any) -> Any:
    return votes_request(
        campaign=campaign, image_ids=[one.pk for one in photos], by=people["rita"], reason=REASON, **options
    )


def test_the_photos_need_more_votes_and_the_counters_stay_right(
    campaign: Campaign, people: dict[str, Any], photos: list[Image]
) -> None:
    sent = ask(campaign, people, photos[:2])
    assert (sent.photos, sent.waiting, sent.left_out) == (2, 0, 0)
    assert needed(campaign) == [(5, 2, 2), (5, 2, 2), (3, 0, 0)]
    assert counters_rebuild(campaign=campaign) == 0
    leases = leases_claim(campaign=campaign, annotator=people["ada"], count=10)
    assert {lease.image_id for lease in leases} == {photos[0].pk, photos[1].pk}
    record = AuditRecord.objects.get(kind=AuditKind.VOTES_REQUESTED)
    assert (record.by, record.what) == (people["rita"], "2 more votes for 2 photos")
    assert record.after == {"votes": 2, "photos": [photos[0].pk, photos[1].pk], "reason": REASON}


def test_a_second_click_asks_for_nothing_more(campaign: Campaign, people: dict[str, Any], photos: list[Image]) -> None:
    ask(campaign, people, photos[:1])
    sent = ask(campaign, people, photos[:2])
    assert (sent.photos, sent.waiting) == (1, 1)
    assert needed(campaign) == [(5, 2, 2), (5, 2, 2), (3, 0, 0)]
    assert AuditRecord.objects.filter(kind=AuditKind.VOTES_REQUESTED).count() == 2


def test_photos_that_nobody_is_asked_about_are_left_out(
    campaign: Campaign, people: dict[str, Any], photos: list[Image]
) -> None:
    Image.objects.filter(pk=photos[0].pk).update(problem="damaged")
    Image.objects.filter(pk=photos[1].pk).update(role="gold")
    other = Campaign.objects.create(slug="other", name="Other")
    (foreign,) = images_make(other, 1)
    sent = ask(campaign, people, [*photos, foreign])
    assert (sent.photos, sent.left_out) == (1, 3)
    foreign.refresh_from_db()
    assert foreign.extra_votes == 0


@pytest.mark.parametrize(("count", "votes"), [(0, 2), (3, 0), (3, 21), (5_001, 2)])
def test_impossible_requests_are_refused(
    campaign: Campaign, people: dict[str, Any], photos: list[Image], count: int, votes: int
) -> None:
    with pytest.raises(VoteRequestError):
        votes_request(campaign=campaign, image_ids=range(1, count + 1), by=people["rita"], reason=REASON, votes=votes)
    assert not VoteRequest.objects.exists()


def test_undo_takes_back_what_nobody_has_begun(campaign: Campaign, people: dict[str, Any], photos: list[Image]) -> None:
    sent = ask(campaign, people, photos[:2])
    leases_claim(campaign=campaign, annotator=people["ada"], count=1)
    assert len(votes_request_undo(campaign=campaign, batch=sent.batch, by=people["ada"])) == 2
    assert sorted(needed(campaign)) == [(3, 0, 0), (3, 0, 0), (4, 0, 1)]  # one answer is being given
    assert counters_rebuild(campaign=campaign) == 0
    assert len(votes_request_undo(campaign=campaign, batch=sent.batch, by=people["ada"])) == 0
    record = AuditRecord.objects.get(kind=AuditKind.VOTES_REQUEST_UNDONE)
    assert (record.by, record.after) == (people["ada"], {"votes_taken_back": 3})
    assert request_batches(campaign, photos=10) == []


def test_progress_counts_votes_that_came_after_the_request(
    campaign: Campaign, people: dict[str, Any], photos: list[Image]
) -> None:
    ask(campaign, people, photos[:2])
    vote(photos[0], people["ada"], 7)
    vote(photos[0], people["mallory"], 7)
    vote(photos[1], people["ada"], 7)
    counters_rebuild(campaign=campaign)
    (batch,) = request_batches(campaign, photos=10)
    assert (batch.wanted, batch.given, batch.is_finished, batch.by) == (4, 3, False, "rita")
    assert [row.image_id for row in batch.finished] == [photos[0].pk]
    sent = ask(campaign, people, photos[:2])  # the first photo is free for another request
    assert (sent.photos, sent.waiting) == (1, 1)


def test_other_settings_and_targets_keep_the_votes_that_were_asked_for(
    campaign: Campaign, people: dict[str, Any], photos: list[Image]
) -> None:
    ask(campaign, people, photos[:1])
    campaign_update(campaign=campaign, votes_per_image=4, target_half_width=1.0, most_votes=8)
    campaign.refresh_from_db()
    assert needed(campaign) == [(6, 3, 2), (4, 1, 0), (4, 1, 0)]
    for image in photos:
        consensus = consensus_make(image, 5.0)
        type(consensus).objects.filter(pk=image.pk).update(votes=3, corrected_error=0.1, watch_posterior=0.01)
    votes_needed_plan(campaign=campaign)
    assert needed(campaign)[0] == (6, 3, 2)
    assert [row[0] for row in needed(campaign)[1:]] == [3, 3]
    assert counters_rebuild(campaign=campaign) == 0


def test_evaluations_leave_out_votes_that_came_by_a_request(
    campaign: Campaign, people: dict[str, Any], photos: list[Image]
) -> None:
    """A correction of an earlier vote counts: only who got the photo after the request is left out."""
    before = timezone.now() - timedelta(hours=1)
    for image in photos:
        for name in ("alice", "bob", "rita"):
            row = Assignment.objects.create(
                campaign=campaign, image=image, annotator=people[name], expires_at=before, state="done"
            )
            Assignment.objects.filter(pk=row.pk).update(leased_at=before)
    ask(campaign, people, photos[:1])
    (lease,) = leases_claim(campaign=campaign, annotator=people["ada"], count=1)
    assert lease.image_id == photos[0].pk
    vote(photos[0], people["ada"], 9)
    own = Annotation.objects.get(image=photos[0], annotator=people["alice"])
    vote(photos[0], people["alice"], 8, supersedes=own)
    scores = vote_table(campaign, for_evaluation=True).of_images(photos[0].pk).scores  # type: ignore[arg-type]
    assert sorted(scores.tolist()) == [5, 5, 8]
    independent = vote_table(campaign, independent=True).of_images(photos[0].pk).scores  # type: ignore[arg-type]
    assert sorted(independent.tolist()) == [5, 5, 8, 9]


def test_an_answer_to_a_requested_photo_is_a_vote_like_any_other(
    campaign: Campaign, people: dict[str, Any], photos: list[Image]
) -> None:
    ask(campaign, people, photos[:1])
    leases_claim(campaign=campaign, annotator=people["ada"], count=1)
    annotation_record(
        campaign=campaign, annotator=people["ada"], image_id=photos[0].pk, client_id=uuid4(), watch="no", score=6
    )
    assert needed(campaign)[0] == (5, 1, 2)
    photos[0].refresh_from_db()
    assert photos[0].vote_count == 4


def test_surplus_votes_do_not_count_as_the_ones_that_are_asked_for(
    campaign: Campaign, people: dict[str, Any], photos: list[Image]
) -> None:
    vote(photos[0], people["ada"], 5)
    counters_rebuild(campaign=campaign)
    assert needed(campaign)[0] == (3, -1, 0)
    sent = ask(campaign, people, photos[:1])
    assert needed(campaign)[0] == (6, 2, 3)
    vote(photos[0], people["mallory"], 5)
    counters_rebuild(campaign=campaign)
    votes_request_undo(campaign=campaign, batch=sent.batch, by=people["rita"])
    assert needed(campaign)[0] == (4, -1, 1)
    assert counters_rebuild(campaign=campaign) == 0

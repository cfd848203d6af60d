"""Progress of campaigns and annotators, the vote table, and the queue status."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.cache import cache
from django.utils import timezone

from annotation.measures.figures_text import figures_text
from annotation.models import Annotation, Assignment, Campaign, Image, StoredCount
from annotation.selectors import progress
from annotation.selectors.progress import (
    Progress,
    campaign_participation,
    campaign_progress,
    campaigns_progress,
    own_progress,
    queue_status,
)
from annotation.selectors.votes import own_standing, vote_table
from annotation.services.annotations import annotation_record, prediction_shown
from annotation.services.queue import leases_claim


@pytest.fixture
def answer(campaign: Any, people: Any) -> Callable[..., Any]:
    def record(name: str, image: Image, **fields: Any) -> Any:
        return annotation_record(
            campaign=campaign, annotator=people[name], image_id=image.pk, client_id=uuid4(), **fields
        ).annotation

    return record


def test_the_vote_table_contains_only_standing_answers(
    campaign: Any, people: Any, make_image: Any, answer: Any, django_assert_num_queries: Any
) -> None:
    first, second = make_image(1), make_image(2, split="holdout")
    answer("alice", first, watch="yes", score=9)
    corrected = answer("alice", first, watch="unsure", score=4)
    answer("alice", second, skip_reason="cannot rate")
    other = answer("bob", second, watch="no", score=10)
    with django_assert_num_queries(2):
        table = vote_table(campaign)
    assert table.annotation_ids.tolist() == [corrected.pk, other.pk]
    assert table.image_ids.tolist() == [first.pk, second.pk]
    assert table.annotator_ids.tolist() == [people["alice"].pk, people["bob"].pk]
    assert (table.scores.tolist(), table.scores.dtype) == ([4, 10], np.int16)
    assert (table.watch.tolist(), table.watch.dtype) == ([-1, 0], np.int8)
    assert vote_table(campaign, split="train").scores.tolist() == [4]
    assert vote_table(campaign, split="holdout").scores.tolist() == [10]
    assert Annotation.objects.filter(campaign=campaign).votes().count() == 2


def test_evaluation_ignores_answers_given_after_the_prediction(
    campaign: Any, people: Any, make_image: Any, answer: Any
) -> None:
    image = make_image(1)
    leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    prediction_shown(campaign=campaign, annotator=people["alice"], image_id=image.pk)
    answer("alice", image, watch="yes", score=9)
    answer("bob", image, watch="yes", score=5)
    assert vote_table(campaign).scores.tolist() == [9, 5]
    assert vote_table(campaign, for_evaluation=True).scores.tolist() == [5]


def test_an_empty_vote_table_has_the_right_types(campaign: Any) -> None:
    table = vote_table(campaign)
    assert len(table) == 0
    assert (table.image_ids.dtype, table.scores.dtype, table.watch.dtype) == (np.int64, np.int16, np.int8)


def test_progress_counts(
    campaign: Any, people: Any, make_image: Any, answer: Any, django_assert_num_queries: Any
) -> None:
    done = make_image(1, votes_needed=1, open_slots=1)
    skipped = make_image(2, split="holdout")
    make_image(3)
    make_image(4, problem="It does not open.")
    answer("alice", done, watch="yes", score=9)
    answer("alice", skipped, skip_reason="cannot rate")
    leases_claim(campaign=campaign, annotator=people["bob"], count=2)
    with django_assert_num_queries(3):
        progress, participation = campaign_progress(campaign), campaign_participation(campaign)
    assert (progress.images, progress.holdout_images, progress.complete_images) == (3, 1, 1)
    assert (progress.problem_images, progress.special_images, progress.all_images) == (1, 0, 4)
    assert (progress.votes_given, progress.votes_wanted, progress.surplus_votes) == (1, 7, 0)
    assert (participation.annotators, participation.leased, participation.skipped) == (1, 2, 1)
    own = own_progress(campaign, people["alice"])
    assert (own.answers, own.skips, own.answers_last_hour) == (1, 1, 1)


def test_only_the_latest_correction_of_an_answer_counts(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image], answer: Callable[..., Any]
) -> None:
    image = make_image(1)
    answer("alice", image, watch="yes", score=9)
    answer("alice", image, skip_reason="cannot rate")
    own = own_progress(campaign, people["alice"])
    assert (own.answers, own.skips) == (0, 1)
    assert campaign_participation(campaign).annotators == 0
    answer("alice", image, watch="no", score=2)
    own = own_progress(campaign, people["alice"])
    assert (own.answers, own.skips) == (1, 0)
    assert campaign_participation(campaign).annotators == 1


def test_progress_of_a_large_campaign_is_cached(
    campaign: Campaign, make_image: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(progress, "LARGE", 1)
    make_image(1)
    assert campaign_progress(campaign).images == 1  # small, so not cached
    make_image(2)
    assert campaign_progress(campaign).images == 2
    make_image(3)
    with django_assert_num_queries(0):
        assert campaign_progress(campaign).images == 2


def test_progress_counts_special_and_problem_photos_separately(campaign: Campaign, make_image: Any) -> None:
    make_image(1, votes_needed=3, vote_count=5)  # two more than needed
    make_image(2, votes_needed=3, vote_count=1)
    make_image(3, votes_needed=3, vote_count=3, problem="It does not open.")
    for seed, role in enumerate(Image.Role, start=4):
        make_image(seed, role=role, votes_needed=3, vote_count=4)
    make_image(8, role="gold", problem="It does not open.", split="holdout")
    assert campaign_progress(campaign) == Progress(
        images=3,
        holdout_images=0,
        complete_images=2,
        votes_given=7,
        votes_wanted=9,
        surplus_votes=3,
        problem_images=1,
        special_images=4,
    )
    assert campaign_progress(campaign).all_images == campaign.images.count()


def test_the_progress_of_many_campaigns_takes_two_queries(
    campaign: Campaign, make_image: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    other, empty = (Campaign.objects.create(slug=slug, name=slug) for slug in ("other", "empty"))
    make_image(1, vote_count=2)
    make_image(2, campaign=other, vote_count=3)
    make_image(3, campaign=other, vote_count=9)
    ids = [campaign.pk, other.pk, empty.pk]
    with django_assert_num_queries(2):  # those that a worker has counted, and the others
        many = campaigns_progress(ids)
    assert many == {one.pk: campaign_progress(one) for one in (campaign, other, empty)}
    monkeypatch.setattr(progress, "LARGE", 1)
    campaigns_progress(ids)  # caches the progress of the campaign with two photos
    with django_assert_num_queries(0):
        assert campaign_progress(other) == many[other.pk]
    with django_assert_num_queries(2):  # those that a worker has counted, and the others
        assert campaigns_progress(ids) == many


def test_own_standing_selects_the_same_rows_as_standing(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image], answer: Callable[..., Any]
) -> None:
    first, second, third = (make_image(seed) for seed in (1, 2, 3))
    answer("alice", first, watch="yes", score=9)
    answer("alice", first, watch="no", score=2)
    answer("alice", second, skip_reason="cannot rate")
    answer("alice", third, watch="yes", score=5)
    answer("bob", third, watch="yes", score=6)
    mine = Annotation.objects.filter(campaign=campaign, annotator=people["alice"]).standing()
    assert set(own_standing(campaign, people["alice"])) == set(mine)
    assert len(mine) == 3


def test_progress_of_an_empty_campaign_is_zero(campaign: Any) -> None:
    progress = campaign_progress(campaign)
    assert (progress.images, progress.votes_given, progress.votes_wanted) == (0, 0, 0)


class TestQueueStatus:
    def test_is_empty_while_there_is_work(self, campaign: Any, people: Any, make_image: Any) -> None:
        make_image(1, votes_needed=1, open_slots=1)
        assert queue_status(campaign, people["alice"]) == ""
        leases_claim(campaign=campaign, annotator=people["alice"], count=1)
        assert queue_status(campaign, people["alice"]) == ""

    @pytest.mark.parametrize(("state", "words"), [("paused", "is paused"), ("closed", "is closed")])
    def test_says_that_the_campaign_is_paused_or_closed(
        self, campaign: Any, people: Any, state: str, words: str
    ) -> None:
        campaign.state = state
        assert words in queue_status(campaign, people["alice"])

    def test_says_that_there_are_no_photos(self, campaign: Any, people: Any) -> None:
        assert "no photos yet" in queue_status(campaign, people["alice"])

    def test_says_that_all_is_done(self, campaign: Any, people: Any, make_image: Any, answer: Any) -> None:
        answer("alice", make_image(1, votes_needed=1, open_slots=1), watch="yes", score=5)
        assert "All done" in queue_status(campaign, people["alice"])
        assert "All done" in queue_status(campaign, people["bob"])

    @pytest.mark.parametrize(("numbers", "words"), [([2], "1 photo lacks"), ([2, 3], "2 photos lack")])
    def test_does_not_say_that_all_is_done_while_photos_out_of_the_queue_lack_votes(
        self, campaign: Any, people: Any, make_image: Any, answer: Any, numbers: list[int], words: str
    ) -> None:
        answer("alice", make_image(1, votes_needed=1, open_slots=1), watch="yes", score=5)
        for number in numbers:
            make_image(number, problem="The file is missing.")
        status = queue_status(campaign, people["alice"])
        assert "All done" not in status
        assert f"No photo is left to rate. {words} votes but cannot be shown" in status

    def test_withdrawn_photos_lack_nothing(self, campaign: Any, people: Any, make_image: Any, answer: Any) -> None:
        answer("alice", make_image(1, votes_needed=1, open_slots=1), watch="yes", score=5)
        make_image(2, problem="This photo was withdrawn.", withdrawn_at=timezone.now())
        assert "All done" in queue_status(campaign, people["alice"])

    def test_says_that_the_annotator_has_answered_every_photo(
        self, campaign: Any, people: Any, make_image: Any, answer: Any
    ) -> None:
        answer("alice", make_image(1), watch="yes", score=5)
        assert "You have answered every photo" in queue_status(campaign, people["alice"])
        assert queue_status(campaign, people["bob"]) == ""

    def test_says_until_when_others_have_leased_the_rest(self, campaign: Any, people: Any, make_image: Any) -> None:
        make_image(1, votes_needed=1, open_slots=1)
        leases_claim(campaign=campaign, annotator=people["bob"], count=1)
        until = Assignment.objects.get().expires_at
        assert f"until {until:%H:%M} (UTC)" in queue_status(campaign, people["alice"])

    def test_ignores_photos_of_other_campaigns(self, campaign: Any, people: Any, make_image: Any) -> None:
        make_image(1, campaign=Campaign.objects.create(slug="other", name="Other"))
        assert "no photos yet" in queue_status(campaign, people["alice"])


def test_the_progress_that_a_worker_has_counted_lately_is_used(
    campaign: Campaign, make_image: Any, django_assert_num_queries: Any
) -> None:
    make_image(1)
    row = StoredCount.objects.create(
        campaign=campaign,
        name=progress.STORED_NAME,
        parameters_key="0" * 64,
        value=figures_text(Progress(images=60_000)),
        made_at=timezone.now() - timedelta(minutes=1),
    )
    with django_assert_num_queries(1):
        assert campaign_progress(campaign).images == 60_000
    cache.clear()
    StoredCount.objects.filter(pk=row.pk).update(made_at=timezone.now() - timedelta(minutes=11))
    assert campaign_progress(campaign).images == 1, "no worker seems to run"

"""Queues of photos: cancel, resume, retry, counts and time left. The queue of distortions is the example."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Campaign
from inference.models import Distortion
from inference.selectors import WorkQueue, distortions_queue, work_counts
from inference.services.backlog import (
    work_cancel,
    work_claim,
    work_enqueue,
    work_finish,
    work_resume,
    work_retry,
)
from tests.opinions_and_predictions import images_make


@pytest.fixture
def queue() -> WorkQueue[Distortion]:
    return distortions_queue()


def states() -> list[str]:
    return list(Distortion.objects.order_by("image_id").values_list("state", flat=True))


def test_cancel_keeps_running_and_done_photos(campaign: Campaign, queue: WorkQueue[Distortion]) -> None:
    images_make(campaign, 4)
    work_enqueue(queue=queue)
    done, _running = work_claim(queue=queue, limit=2)
    done.state = "done"
    work_finish(queue=queue, rows=[done])
    images_make(campaign, 1, prefix="new")
    assert work_cancel(queue=queue, campaign=campaign) == 3
    assert states() == ["done", "running", "cancelled", "cancelled", "cancelled"]
    assert work_claim(queue=queue) == []


def test_only_a_resume_queues_cancelled_photos_again(campaign: Campaign, queue: WorkQueue[Distortion]) -> None:
    images_make(campaign, 3)
    assert work_cancel(queue=queue, campaign=campaign) == 3
    images_make(campaign, 1, prefix="later")
    assert work_enqueue(queue=queue) == 1
    assert states() == ["cancelled"] * 3 + ["queued"]
    assert work_resume(queue=queue, campaign=campaign) == 3
    assert work_resume(queue=queue, campaign=campaign) == 0
    assert states() == ["queued"] * 4


def test_only_the_campaigns_own_photos_are_cancelled(campaign: Campaign, queue: WorkQueue[Distortion]) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    images_make(campaign, 1)
    images_make(other, 1)
    work_enqueue(queue=queue)
    work_cancel(queue=queue, campaign=campaign)
    assert states() == ["cancelled", "queued"]
    assert work_counts(other, queue).queued == 1


def test_a_retry_resets_failed_photos(campaign: Campaign, queue: WorkQueue[Distortion]) -> None:
    images_make(campaign, 2)
    work_enqueue(queue=queue)
    Distortion.objects.filter(image=campaign.images.first()).update(state="failed", reason="gone", attempts=4)
    assert work_retry(queue=queue, campaign=campaign) == 1
    assert list(Distortion.objects.values_list("state", "reason", "attempts")) == [("queued", "", 0)] * 2


def test_a_newer_version_of_the_detectors_queues_every_photo_again(
    campaign: Campaign, queue: WorkQueue[Distortion]
) -> None:
    images_make(campaign, 2)
    work_enqueue(queue=queue)
    newer = WorkQueue(Distortion, "version", int(queue.key) + 1)
    assert work_enqueue(queue=newer) == 2
    assert work_counts(campaign, newer).queued == work_counts(campaign, queue).queued == 2


def test_a_late_worker_does_not_overwrite_the_result_of_another(
    campaign: Campaign, queue: WorkQueue[Distortion]
) -> None:
    images_make(campaign, 1)
    work_enqueue(queue=queue)
    (late,) = work_claim(queue=queue)
    Distortion.objects.update(state="done", blur=0.5)
    late.state, late.reason = "failed", "The disk is gone."
    work_finish(queue=queue, rows=[late])
    assert states() == ["done"]


def test_counts_of_every_state_take_one_query(campaign: Campaign, queue: WorkQueue[Distortion]) -> None:
    images = images_make(campaign, 9)
    Distortion.objects.bulk_create(
        Distortion(image=image, version=queue.key, state=state)
        for image, state in zip(images, ["queued", "running", "done", "done", "failed", "cancelled"], strict=False)
    )
    Distortion.objects.create(image=images[0], version=int(queue.key) + 1, state="done")
    with CaptureQueriesContext(connection) as queries:
        counts = work_counts(campaign, queue)
    assert len(queries) == 1
    assert (counts.queued, counts.running, counts.done, counts.failed, counts.cancelled) == (4, 1, 2, 1, 1)
    assert counts.waiting == 5
    assert counts.seconds_left is None


def test_the_time_left_follows_the_speed_of_the_last_minutes(campaign: Campaign, queue: WorkQueue[Distortion]) -> None:
    images = images_make(campaign, 140)
    now = timezone.now()
    Distortion.objects.bulk_create(
        Distortion(image=image, version=queue.key, state="done", claimed_at=now - timedelta(seconds=seconds))
        for image, seconds in zip(images, [3600] * 20 + list(range(1, 61)), strict=False)
    )
    counts = work_counts(campaign, queue)  # 60 done in the last minute, 60 left
    assert counts.queued == 60
    assert counts.seconds_left == pytest.approx(60, abs=3)
    assert counts.time_left in {"about 1 min", "less than a minute"}
    Distortion.objects.update(claimed_at=now - timedelta(hours=1))
    assert work_counts(campaign, queue).time_left == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (12.0, "less than a minute"), (200.0, "about 3 min"), (5000.0, "about 83 min"), (9000.0, "about 2 h")],
)
def test_the_time_left_is_shown_in_words(seconds: float | None, words: str) -> None:
    from inference.selectors import WorkCounts

    assert WorkCounts(seconds_left=seconds).time_left == words


@pytest.mark.django_db(transaction=True)
def test_a_photo_is_either_claimed_or_cancelled(campaign: Campaign, queue: WorkQueue[Distortion]) -> None:
    images_make(campaign, 60)
    work_enqueue(queue=queue)
    claimed: list[int] = []
    cancelled: list[int] = []
    start = threading.Barrier(3)

    def in_thread(action: Callable[[], Any]) -> threading.Thread:
        def run() -> None:
            start.wait()
            action()
            connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def claim() -> None:
        while rows := work_claim(queue=queue, limit=2):
            claimed.extend(row.pk for row in rows)

    threads = [
        in_thread(claim),
        in_thread(claim),
        in_thread(lambda: cancelled.append(work_cancel(queue=queue, campaign=campaign))),
    ]
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 60 - cancelled[0]
    assert sorted(claimed) == list(
        Distortion.objects.filter(state="running").order_by("pk").values_list("pk", flat=True)
    )

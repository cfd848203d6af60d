"""Campaigns and imports take turns: a huge import keeps no other one waiting."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from annotation.models import Campaign, Image, ImportBatch
from inference.models import Distortion, Feature
from inference.scoring.pipeline import PhotoResult
from inference.selectors import WorkQueue, distortions_queue
from inference.services import backlog, photo_turns
from inference.services.backlog import (
    queue_process,
    work_cancel,
    work_claim,
    work_claim_stale,
    work_enqueue,
    work_finish,
    work_resume,
)
from inference.services.photo_turns import PhotoTurns

Rows = Sequence[Distortion]


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the turns that other tests have given."""
    monkeypatch.setattr(photo_turns, "_turns", {})


@pytest.fixture
def queue(db: None) -> WorkQueue[Distortion]:
    return distortions_queue()


@pytest.fixture
def other(db: None) -> Campaign:
    return Campaign.objects.create(slug="other", name="Other")


def photos(campaign: Campaign, count: int, *, batch: ImportBatch | None = None) -> None:
    """Add rows of photos. Nothing in these tests opens their files."""
    start = Image.objects.count()
    Image.objects.bulk_create(
        Image(
            campaign=campaign,
            batch=batch,
            name=f"{number}.jpg",
            sha256=f"{number:064x}",
            suffix=".jpg",
            byte_size=1,
            width=96,
            height=64,
            phash=number,
            queue_position=0.5,
        )
        for number in range(start, start + count)
    )


def batch_of(campaign: Campaign) -> ImportBatch:
    return ImportBatch.objects.create(campaign=campaign, source="photos")


def process(queue: WorkQueue[Distortion], **options: Any) -> list[Distortion]:
    """Process the queue with a processor that opens no file; return the rows in the order in which they were stored."""
    done: list[Distortion] = []

    def processor(batches: Iterable[Rows]) -> Iterator[list[tuple[Distortion, PhotoResult]]]:
        for batch in batches:
            yield [(row, PhotoResult(None, None)) for row in batch]

    def store(processed: list[tuple[Distortion, PhotoResult]]) -> None:
        for row, _result in processed:
            row.state = Distortion.State.DONE
            done.append(row)
        work_finish(queue=queue, rows=[row for row, _ in processed])

    queue_process(queue=queue, processor=processor, store=store, seconds=60, **{"stop": lambda: False, **options})
    return done


def place_of_last(done: list[Distortion], chosen: Callable[[Image], bool]) -> int:
    return max(place for place, row in enumerate(done) if chosen(row.image))


def test_a_small_campaign_finishes_before_a_huge_one_that_began_earlier(
    campaign: Campaign, other: Campaign, queue: WorkQueue[Distortion]
) -> None:
    photos(campaign, 1000)
    work_enqueue(queue=queue)
    photos(other, 20)
    work_enqueue(queue=queue)
    done = process(queue)
    assert len(done) == 1020
    # Two turns of at most 32 photos are enough for the 20 photos, and each comes after one turn of the other campaign.
    assert place_of_last(done, lambda image: image.campaign_id == other.pk) < 4 * 32


def test_a_small_import_finishes_before_a_huge_one_of_the_same_campaign(
    campaign: Campaign, queue: WorkQueue[Distortion]
) -> None:
    huge, small = batch_of(campaign), batch_of(campaign)
    photos(campaign, 500, batch=huge)
    photos(campaign, 20, batch=small)
    work_enqueue(queue=queue)
    done = process(queue)
    assert len(done) == 520
    assert place_of_last(done, lambda image: image.batch_id == small.pk) < 4 * 32


def test_many_imports_of_one_campaign_get_the_turns_of_one_campaign(
    campaign: Campaign, other: Campaign, queue: WorkQueue[Distortion]
) -> None:
    for _ in range(20):
        photos(campaign, 10, batch=batch_of(campaign))
    photos(other, 40)
    work_enqueue(queue=queue)
    of = [work_claim(queue=queue, limit=4)[0].image.campaign_id for _ in range(20)]
    assert of == [campaign.pk, other.pk] * 10


def test_every_campaign_gets_its_turn_while_photos_keep_coming(queue: WorkQueue[Distortion]) -> None:
    campaigns = [Campaign.objects.create(slug=f"c{number}", name=f"C{number}") for number in range(5)]
    for one in campaigns:
        photos(one, 4)
    work_enqueue(queue=queue)
    claimed = []
    for _ in range(15):
        (row,) = work_claim(queue=queue, limit=1)
        claimed.append(row.image.campaign_id)
        photos(campaigns[0], 4)  # the first campaign never runs out of photos
        work_enqueue(queue=queue)
    assert claimed == [one.pk for one in campaigns] * 3


def test_workers_give_turns_independently_and_claim_each_photo_once(
    campaign: Campaign, other: Campaign, queue: WorkQueue[Distortion], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos(campaign, 30)
    photos(other, 6)
    work_enqueue(queue=queue)
    processes: list[dict[Any, PhotoTurns]] = [{}, {}]
    claimed: list[list[Distortion]] = []
    for number in range(20):
        monkeypatch.setattr(photo_turns, "_turns", processes[number % 2])
        claimed.append(work_claim(queue=queue, limit=2))
    ids = [row.pk for rows in claimed for row in rows]
    assert len(ids) == len(set(ids)) == 36
    assert {row.image.campaign_id for rows in claimed[:4] for row in rows} == {campaign.pk, other.pk}
    assert work_claim(queue=queue) == []


def test_photos_of_one_import_are_claimed_in_their_order(campaign: Campaign, queue: WorkQueue[Distortion]) -> None:
    photos(campaign, 12, batch=batch_of(campaign))
    work_enqueue(queue=queue)
    ids = [row.image_id for _ in range(3) for row in work_claim(queue=queue, limit=4)]
    assert ids == sorted(ids)
    assert len(ids) == 12


def test_photos_that_are_queued_again_keep_their_turn(
    campaign: Campaign, other: Campaign, queue: WorkQueue[Distortion]
) -> None:
    batch = batch_of(campaign)
    photos(campaign, 4, batch=batch)
    photos(other, 4)
    work_enqueue(queue=queue)
    work_cancel(queue=queue, campaign=campaign)
    Distortion.objects.update(turn_campaign=0, turn_import=0)  # as in a row that an earlier version has finished
    work_resume(queue=queue, campaign=campaign)
    turns = set(Distortion.objects.values_list("state", "turn_campaign", "turn_import"))
    assert turns == {("queued", campaign.pk, batch.pk), ("queued", 0, 0)}


def test_a_deleted_import_does_not_stop_its_photos(campaign: Campaign, queue: WorkQueue[Distortion]) -> None:
    batch = batch_of(campaign)
    photos(campaign, 4, batch=batch)
    work_enqueue(queue=queue)
    batch.delete()
    assert len(process(queue)) == 4


def test_stale_claims_do_not_wait_for_a_long_queue(
    campaign: Campaign, other: Campaign, queue: WorkQueue[Distortion], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos(other, 4)
    work_enqueue(queue=queue)
    assert len(work_claim(queue=queue)) == 4
    Distortion.objects.update(claimed_at=timezone.now() - timedelta(days=1))  # its worker is dead
    photos(campaign, 500)
    work_enqueue(queue=queue)
    monkeypatch.setattr(backlog, "_STALE_EVERY", 0.01)
    done = process(queue)
    assert len(done) == 504
    assert place_of_last(done, lambda image: image.campaign_id == other.pk) < 400


def test_the_oldest_stale_claim_comes_first(campaign: Campaign, queue: WorkQueue[Distortion]) -> None:
    photos(campaign, 3)
    work_enqueue(queue=queue)
    rows = work_claim(queue=queue)
    for days, row in enumerate(rows, start=1):
        Distortion.objects.filter(pk=row.pk).update(claimed_at=timezone.now() - timedelta(days=days))
    stale = work_claim_stale(queue=queue)
    assert stale is not None
    assert stale.pk == rows[-1].pk


def test_a_claim_takes_four_queries(
    campaign: Campaign, other: Campaign, queue: WorkQueue[Distortion], django_assert_num_queries: Any
) -> None:
    photos(campaign, 4)
    photos(other, 4)
    work_enqueue(queue=queue)
    for _ in range(2):
        with django_assert_num_queries(4):  # campaign, import, claim, and the rows with their photos
            assert len(work_claim(queue=queue)) == 4


def test_features_take_turns_too(campaign: Campaign, other: Campaign) -> None:
    features = WorkQueue(Feature, "backbone", "tiny@0")
    photos(campaign, 8)
    photos(other, 8)
    work_enqueue(queue=features)
    assert [work_claim(queue=features, limit=4)[0].image.campaign_id for _ in range(4)] == [campaign.pk, other.pk] * 2


def test_a_claim_takes_no_more_photos_than_it_asks_for_whatever_the_plan(
    campaign: Campaign, queue: WorkQueue[Distortion]
) -> None:
    photos(campaign, 300)
    work_enqueue(queue=queue)
    with connection.cursor() as cursor:  # plans that PostgreSQL may choose for tables without statistics
        for name in ("hashjoin", "mergejoin", "hashagg", "material", "sort", "bitmapscan", "memoize"):
            cursor.execute(f"SET LOCAL enable_{name} = off")
    assert len(work_claim(queue=queue, limit=4)) == 4
    yesterday = timezone.now() - timedelta(days=1)
    Distortion.objects.update(state="running", claimed_at=yesterday)
    assert work_claim_stale(queue=queue) is not None
    assert Distortion.objects.exclude(claimed_at=yesterday).count() == 1

"""Workers write the priorities of a campaign's lanes, and write them again only after a change."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotation.models import Campaign, Image, QueueLane, QueuePriority
from annotation.services.annotations import annotation_record
from annotation.services.queue import leases_claim
from inference.acquisition.registry import STRATEGIES
from inference.postgres.copy import integers_read
from inference.services.queue_priorities import campaigns_due, priorities_refresh


@pytest.fixture
def campaign(campaign: Campaign) -> Campaign:
    campaign.lane_shares, campaign.gold_share = {"random": 0.25, "fewest_votes": 0.75}, 0.0
    campaign.save()
    return campaign


@pytest.fixture
def photos(campaign: Campaign, make_image: Callable[..., Image]) -> list[Image]:
    return [make_image(seed) for seed in range(6)]


def queue_order() -> list[int]:
    return list(QueuePriority.objects.order_by("-priority").values_list("image_id", flat=True))


def vote(campaign: Campaign, annotator: Any, photo: Image) -> None:
    annotation_record(campaign=campaign, annotator=annotator, image_id=photo.pk, client_id=uuid4(), watch="no", score=3)


def test_open_photos_get_a_priority_that_the_seed_of_the_lane_reproduces(
    campaign: Campaign, people: Any, photos: list[Image], make_image: Callable[..., Image]
) -> None:
    Image.objects.filter(pk=photos[0].pk).update(problem="It does not open.")
    Image.objects.filter(pk=photos[1].pk).update(open_slots=0)
    Image.objects.filter(pk=photos[2].pk).update(role="gold", expected_score=5)
    vote(campaign, people["alice"], photos[3])
    assert priorities_refresh(campaign=campaign) == 3
    assert queue_order()[2] == photos[3].pk
    assert set(queue_order()) == {photo.pk for photo in photos[3:]}
    lane = QueueLane.objects.get()
    assert (lane.name, lane.photos) == ("fewest_votes", 3)
    ties = np.random.default_rng(lane.seed).random(3)
    drawn = QueuePriority.objects.order_by("image_id").values_list("priority", flat=True)
    np.testing.assert_array_equal(drawn, [-2, -1, 0] if ties[1] > ties[2] else [-2, 0, -1])


def test_claims_follow_the_priorities(campaign: Campaign, people: Any, photos: list[Image]) -> None:
    campaign.lane_shares = {"fewest_votes": 1.0}
    for photo in photos[:4]:
        vote(campaign, people["alice"], photo)
    priorities_refresh(campaign=campaign)
    leases = leases_claim(campaign=campaign, annotator=people["bob"], count=3)
    assert {lease.image_id for lease in leases[:2]} == {photo.pk for photo in photos[4:]}
    assert [lease.reason for lease in leases] == ["fewest votes: 0 of 3"] * 2 + ["fewest votes: 1 of 3"]


def test_nothing_is_written_when_nothing_has_changed(campaign: Campaign, people: Any, photos: list[Image]) -> None:
    assert priorities_refresh(campaign=campaign) == 6
    before = QueueLane.objects.get()
    assert priorities_refresh(campaign=campaign) == 0
    after = QueueLane.objects.get()
    assert after.seed == before.seed
    assert after.refreshed_at > before.refreshed_at  # type: ignore[operator]  # both were refreshed
    vote(campaign, people["alice"], photos[0])
    assert priorities_refresh(campaign=campaign) == 6
    assert queue_order()[-1] == photos[0].pk


def test_leased_photos_return_with_the_next_refresh(campaign: Campaign, people: Any, photos: list[Image]) -> None:
    priorities_refresh(campaign=campaign)
    campaign.lane_shares = {"fewest_votes": 1.0}
    (lease,) = leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    assert lease.image_id not in queue_order()
    assert priorities_refresh(campaign=campaign) == 6
    assert queue_order()[-1] == lease.image_id


def test_lanes_without_a_share_are_deleted(campaign: Campaign, photos: list[Image]) -> None:
    priorities_refresh(campaign=campaign)
    campaign.lane_shares = {"random": 1.0}
    assert priorities_refresh(campaign=campaign) == 0
    assert not QueueLane.objects.exists()
    assert not QueuePriority.objects.exists()


def test_a_campaign_without_open_photos_has_empty_lanes(campaign: Campaign) -> None:
    assert priorities_refresh(campaign=campaign) == 0
    assert QueueLane.objects.get().photos == 0


def test_a_strategy_must_give_one_finite_number_for_each_photo(
    campaign: Campaign, photos: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    priorities_refresh(campaign=campaign)
    before = queue_order()
    Image.objects.filter(pk=photos[0].pk).update(open_slots=1)
    monkeypatch.setattr(STRATEGIES["fewest_votes"], "priorities", lambda pool, rng: np.full(len(pool), np.nan))
    with pytest.raises(ValueError, match="one finite number"):
        priorities_refresh(campaign=campaign)
    assert queue_order() == before


class TestCampaignsDue:
    def test_campaigns_with_missing_stale_or_unused_lanes_are_due(
        self, campaign: Campaign, photos: list[Image]
    ) -> None:
        Campaign.objects.create(slug="random-only", name="Random only", lane_shares={"random": 1.0})
        assert list(campaigns_due()) == [campaign.pk]
        priorities_refresh(campaign=campaign)
        assert list(campaigns_due()) == []
        QueueLane.objects.update(refreshed_at=timezone.now() - timedelta(minutes=1))
        assert list(campaigns_due()) == [campaign.pk]
        QueueLane.objects.update(seconds=60)  # a refresh that takes a minute runs every twenty minutes
        assert list(campaigns_due()) == []
        Campaign.objects.filter(pk=campaign.pk).update(lane_shares={"random": 1.0})
        assert list(campaigns_due()) == [campaign.pk]

    def test_only_active_campaigns_are_due(self, campaign: Campaign) -> None:
        Campaign.objects.update(state="paused")
        assert list(campaigns_due()) == []


@pytest.mark.django_db(transaction=True)
def test_claims_during_a_refresh_do_not_wait_and_use_the_old_priorities(
    campaign: Campaign, people: Any, photos: list[Image]
) -> None:
    campaign.lane_shares = {"fewest_votes": 1.0}
    campaign.save()
    priorities_refresh(campaign=campaign)
    first = queue_order()[0]
    claimed: list[Any] = []

    def claim() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '60s'")
            claimed.extend(leases_claim(campaign=campaign, annotator=people["alice"], count=1))
        except BaseException as error:  # a thread's failure must fail the test
            claimed.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        QueueLane.objects.update(fingerprint="")
        assert priorities_refresh(campaign=campaign) == 6
        thread = threading.Thread(target=claim)
        thread.start()
        thread.join()
    (lease,) = claimed
    assert (lease.image_id, lease.lane) == (first, "fewest_votes")


@pytest.mark.django_db(transaction=True)
def test_only_one_worker_at_a_time_writes_a_lane(campaign: Campaign, photos: list[Image]) -> None:
    priorities_refresh(campaign=campaign)
    written: list[Any] = []

    def refresh() -> None:
        try:
            written.append(priorities_refresh(campaign=campaign))
        except BaseException as error:  # a thread's failure must fail the test
            written.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        QueueLane.objects.update(fingerprint="")
        thread = threading.Thread(target=refresh)
        thread.start()
        thread.join()
    assert written == [0]


@pytest.mark.django_db
def test_integers_are_read_column_by_column() -> None:
    query = "SELECT n, -n * 4000000000 FROM generate_series(1::bigint, %s) AS n"
    np.testing.assert_array_equal(
        integers_read(query, [3], count=2), [[1, 2, 3], [-4000000000, -8000000000, -12000000000]]
    )
    assert integers_read(query, [0], count=2).shape == (2, 0)

"""Each lease stores the correct lane, reason and probability of its draw."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from scipy.stats import chisquare

from annotation.models import Annotation, Assignment, Campaign, Image, QueueLane, QueuePriority
from annotation.services import lane_registry
from annotation.services.annotations import annotation_record
from annotation.services.lane_registry import Lane, lane_register
from annotation.services.queue import counters_rebuild, leases_claim, leases_return
from annotation.services.queue_lanes import REPEAT_AFTER

CLAIMS = 200


@pytest.fixture(autouse=True)
def _lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_registry, "_lanes", dict(lane_registry._lanes))
    for name in ("sharp", "new"):
        lane_register(Lane(name, name, "", name + ": {votes} of {votes_needed}, {priority:.0f}"))


@pytest.fixture
def campaign(campaign: Campaign) -> Campaign:
    campaign.gold_share = 0.0
    campaign.save()
    return campaign


@pytest.fixture
def photos(campaign: Campaign, make_image: Callable[..., Image]) -> list[Image]:
    """Return five photos with uneven gaps between their queue positions."""
    return [make_image(seed, queue_position=position) for seed, position in enumerate((0.1, 0.15, 0.4, 0.8, 0.85))]


@contextmanager
def rolled_back() -> Iterator[None]:
    """Roll back all database changes of the block."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def prioritize(campaign: Campaign, lane: str, photos: list[Image]) -> None:
    """Give the photos priorities in this order, highest first."""
    row = QueueLane.objects.create(campaign=campaign, name=lane, photos=len(photos))
    for position, photo in enumerate(photos):
        QueuePriority.objects.create(lane=row, image=photo, priority=100.0 - position)


def draw(campaign: Campaign, annotator: Any, rng: random.Random, count: int = 1) -> list[Assignment]:
    with rolled_back():
        return leases_claim(campaign=campaign, annotator=annotator, count=count, rng=rng)


def first_draws(campaign: Campaign, annotator: Any) -> tuple[Counter[int], dict[int, float]]:
    """Claim many times from the same state. Return {photo: number of claims} and {photo: stored probability}."""
    rng, counts, stored = random.Random(7), Counter[int](), {}
    for _ in range(CLAIMS):
        (lease,) = draw(campaign, annotator, rng)
        assert lease.acquisition_probability is not None
        counts[lease.image_id] += 1
        assert stored.setdefault(lease.image_id, lease.acquisition_probability) == lease.acquisition_probability
    return counts, stored


def assert_frequencies_fit(counts: Counter[int], probabilities: dict[int, float]) -> None:
    expected = [CLAIMS * probabilities[photo] for photo in probabilities]
    assert chisquare([counts[photo] for photo in probabilities], expected).pvalue > 0.001


class TestRandomLane:
    def test_the_probability_is_the_gap_before_the_photo(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        counts, stored = first_draws(campaign, people["alice"])
        gaps = dict(zip([photo.pk for photo in photos], (0.25, 0.05, 0.25, 0.4, 0.05), strict=True))
        assert stored == pytest.approx(gaps)
        assert sum(stored.values()) == pytest.approx(1)
        assert_frequencies_fit(counts, stored)

    def test_only_photos_that_the_annotator_can_get_count(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        for photo in photos[1:3]:
            annotation_record(
                campaign=campaign, annotator=people["alice"], image_id=photo.pk, client_id=uuid4(), watch="no", score=3
            )
        Image.objects.filter(pk=photos[4].pk).update(problem="It does not open.")
        _counts, stored = first_draws(campaign, people["alice"])
        assert stored == pytest.approx({photos[0].pk: 0.3, photos[3].pk: 0.7})
        assert len(first_draws(campaign, people["bob"])[1]) == 4

    def test_the_only_photo_has_probability_one(self, campaign: Campaign, people: Any, photos: list[Image]) -> None:
        Image.objects.exclude(pk=photos[2].pk).update(open_slots=0)
        assert first_draws(campaign, people["alice"])[1] == {photos[2].pk: 1.0}

    def test_each_draw_of_a_claim_excludes_the_earlier_draws(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        positions = {photo.pk: photo.queue_position for photo in photos}
        rng = random.Random(3)
        for _ in range(30):
            left = dict(positions)
            for lease in draw(campaign, people["alice"], rng, 5):
                gaps = [(left[lease.image_id] - other) % 1 for pk, other in left.items() if pk != lease.image_id]
                assert lease.acquisition_probability == pytest.approx(min(gaps, default=1))
                del left[lease.image_id]
            assert not left

    def test_lane_and_reason_are_stored(self, campaign: Campaign, people: Any, photos: list[Image]) -> None:
        leases_claim(campaign=campaign, annotator=people["alice"], count=1)
        lease = Assignment.objects.get()
        assert (lease.lane, lease.reason) == ("random", "uniform random")


class TestPriorityLanes:
    def test_photos_come_in_the_order_of_their_priority(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        campaign.lane_shares = {"sharp": 1.0}
        prioritize(campaign, "sharp", [photos[3], photos[0], photos[2]])
        leases = leases_claim(campaign=campaign, annotator=people["alice"], count=5, rng=random.Random(1))
        assert [lease.image_id for lease in leases[:3]] == [photos[3].pk, photos[0].pk, photos[2].pk]
        assert [lease.acquisition_probability for lease in leases[:3]] == [1, 1, 1]
        assert [lease.lane for lease in leases] == ["sharp"] * 3 + ["random"] * 2, (
            "photos without a priority come after them"
        )
        assert leases[0].reason == "sharp: 0 of 3, 100"
        gap = 0.7 if leases[3].image_id == photos[4].pk else 0.3
        assert [lease.acquisition_probability for lease in leases[3:]] == pytest.approx([gap, 1])
        assert counters_rebuild(campaign=campaign) == 0

    def test_a_photo_leaves_the_lane_when_it_is_leased(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        campaign.lane_shares = {"sharp": 1.0}
        prioritize(campaign, "sharp", photos)
        first, second = (
            leases_claim(campaign=campaign, annotator=people[name], count=1)[0] for name in ("alice", "bob")
        )
        assert (first.image_id, second.image_id) == (photos[0].pk, photos[1].pk)
        assert QueuePriority.objects.count() == 3

    def test_the_probability_is_the_sum_over_all_lanes(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        campaign.lane_shares = {"random": 0.5, "sharp": 0.3, "new": 0.2}
        prioritize(campaign, "sharp", [photos[2], photos[0]])
        prioritize(campaign, "new", [photos[2], photos[1]])
        counts, stored = first_draws(campaign, people["alice"])
        half_gaps = (0.125, 0.025, 0.125 + 0.3 + 0.2, 0.2, 0.025)
        assert stored == pytest.approx(dict(zip([photo.pk for photo in photos], half_gaps, strict=True)))
        assert sum(stored.values()) == pytest.approx(1)
        assert_frequencies_fit(counts, stored)

    def test_the_share_of_an_empty_lane_goes_to_the_random_lane(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        campaign.lane_shares = {"random": 0.5, "sharp": 0.3, "new": 0.2}
        Image.objects.filter(pk=photos[0].pk).update(open_slots=0)
        prioritize(campaign, "sharp", [photos[0]])
        prioritize(campaign, "new", [photos[0], photos[4]])
        counts, stored = first_draws(campaign, people["alice"])
        gaps = (0.3, 0.25, 0.4, 0.05)
        expected = [0.8 * gap + 0.2 * (position == 3) for position, gap in enumerate(gaps)]
        assert stored == pytest.approx(dict(zip([photo.pk for photo in photos[1:]], expected, strict=True)))
        assert_frequencies_fit(counts, stored)

    def test_the_probabilities_of_several_lanes_sum_to_one(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        campaign.lane_shares = {"random": 0.2, "sharp": 0.4, "new": 0.2, "fewest_votes": 0.2}  # the last one is empty
        prioritize(campaign, "sharp", photos[::-1])
        prioritize(campaign, "new", [photos[1], photos[3]])
        counts, stored = first_draws(campaign, people["alice"])
        assert sum(stored.values()) == pytest.approx(1)
        assert min(stored.values()) > 0
        assert_frequencies_fit(counts, stored)

    def test_the_reason_that_workers_stored_with_the_lane_comes_first(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        campaign.lane_shares = {"sharp": 1.0}
        prioritize(campaign, "sharp", photos)
        QueueLane.objects.update(reason="typical, {votes} votes (start)")
        (lease,) = leases_claim(campaign=campaign, annotator=people["alice"], count=1)
        assert lease.reason == "typical, 0 votes (start)"

    def test_a_lease_that_comes_back_keeps_lane_reason_and_probability(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        campaign.lane_shares = {"random": 0.4, "sharp": 0.6}
        prioritize(campaign, "sharp", photos[:1])
        (lease,) = leases_claim(campaign=campaign, annotator=people["alice"], count=1, rng=random.Random(4))
        leases_return(campaign=campaign, annotator=people["alice"], image_ids=[lease.image_id])
        campaign.lane_shares = {"random": 1.0}
        again = leases_claim(campaign=campaign, annotator=people["alice"], count=1)[0]
        for name in ("pk", "lane", "reason", "acquisition_probability"):
            assert getattr(again, name) == getattr(lease, name)
        stored = Assignment.objects.get()
        assert (stored.lane, stored.acquisition_probability) == (lease.lane, lease.acquisition_probability)

    def test_priority_lanes_add_two_queries_to_a_claim(
        self, campaign: Campaign, people: Any, photos: list[Image]
    ) -> None:
        counts = []
        for shares in ({"random": 1.0}, {"sharp": 0.5, "new": 0.5}):
            campaign.lane_shares = shares
            for lane in QueueLane.objects.all():
                lane.delete()
            prioritize(campaign, "sharp", photos)
            prioritize(campaign, "new", photos[::-1])
            with CaptureQueriesContext(connection) as captured:
                assert len(draw(campaign, people["bob"], random.Random(1), 4)) == 4
            counts.append(len(captured))
        assert counts[1] == counts[0] + 2

    def test_deleting_a_campaign_or_photo_deletes_its_priorities(self, campaign: Campaign, photos: list[Image]) -> None:
        prioritize(campaign, "sharp", photos)
        photos[0].delete()
        assert QueuePriority.objects.count() == 4
        campaign.delete()
        assert not QueuePriority.objects.exists()


class TestSpecialPhotos:
    def test_gold_photos_are_equally_likely(
        self, campaign: Campaign, people: Any, photos: list[Image], make_image: Callable[..., Image]
    ) -> None:
        gold = [make_image(100 + seed, role="gold", expected_score=5) for seed in range(4)]
        campaign.gold_share = 1.0
        counts, stored = first_draws(campaign, people["alice"])
        assert stored == {photo.pk: 0.25 for photo in gold}
        assert_frequencies_fit(counts, stored)
        leases = draw(campaign, people["alice"], random.Random(1), 4)
        assert {(lease.lane, lease.reason) for lease in leases} == {("gold", "gold photo")}
        assert [lease.acquisition_probability for lease in leases] == pytest.approx([1 / 4, 1 / 3, 1 / 2, 1])

    def test_the_probability_of_a_repeat_is_the_gap_before_its_answer(
        self, campaign: Campaign, people: Any, make_image: Callable[..., Image]
    ) -> None:
        photos = [make_image(seed) for seed in range(REPEAT_AFTER + 9)]
        for position, photo in enumerate(photos[:-1]):
            annotation_record(
                campaign=campaign,
                annotator=people["alice"],
                image_id=photo.pk,
                client_id=uuid4(),
                **({"skip_reason": "cannot rate"} if position in (1, 2, 5) else {"watch": "no", "score": 3}),
            )
        campaign.repeat_share = 1.0
        counts, stored = first_draws(campaign, people["alice"])
        assert len(counts) == 5
        ids = list(Annotation.objects.order_by("pk").values_list("pk", flat=True))
        length = ids[8] - ids[0]  # the last ten answers are too new
        expected = [(1 + ids[8] - 1 - ids[7]) / length, 3 / length, 1 / length, 2 / length, 1 / length]
        repeated = [photos[position].pk for position in (0, 3, 4, 6, 7)]
        assert stored == pytest.approx(dict(zip(repeated, expected, strict=True)))
        assert_frequencies_fit(counts, stored)

"""The photos that come next: the order of the lanes, reasons, chances, and what a reader may not see yet."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign, Image, PhotoConsensus, QueueLane, QueuePriority
from annotation.services.queue import leases_claim
from inference.gallery.next_photos import NextPhotos, next_ids, next_photos
from inference.models import ModelVersion
from inference.services.queue_priorities import priorities_refresh
from tests.opinions_and_predictions import consensus_make, images_make, predictions_make, version_make

NONE_HIDDEN = PhotoConsensus.objects.none().values("image_id")


@pytest.fixture
def images(campaign: Campaign) -> list[Image]:
    campaign.lane_shares = {"random": 0.25, "fewest_votes": 0.75}
    campaign.gold_share = campaign.repeat_share = 0.0
    campaign.save()
    images = images_make(campaign, 40)
    Image.objects.filter(pk__in=[image.pk for image in images[10:]]).update(vote_count=1, open_slots=2)
    return images


def following(campaign: Campaign, version: ModelVersion | None = None, *, count: int = 20) -> NextPhotos:
    return next_photos(campaign, version, NONE_HIDDEN, 0.4, count=count)


def test_the_lanes_take_turns_by_their_shares(campaign: Campaign, images: list[Image]) -> None:
    priorities_refresh(campaign=campaign)
    found = following(campaign)
    lanes = [one.lane for one in found.photos]
    assert (lanes.count("random"), lanes.count("fewest_votes")) == (5, 15)
    assert lanes[0] == "fewest_votes"
    assert len({one.image.pk for one in found.photos}) == 20
    assert found.lanes == [("random", "Uniform random", 0.25, 5), ("fewest_votes", "Fewest votes first", 0.75, 15)]
    assert not found.is_random_only
    assert found.waiting == []


def test_a_lane_shows_its_photos_in_the_order_of_a_claim(campaign: Campaign, images: list[Image], people: Any) -> None:
    campaign.lane_shares = {"fewest_votes": 1.0}
    campaign.save()
    priorities_refresh(campaign=campaign)
    shown = [one.image.pk for one in following(campaign, count=5).photos]
    leases = leases_claim(campaign=campaign, annotator=people["alice"], count=5)
    assert [lease.image_id for lease in leases] == shown


def test_reasons_and_votes(campaign: Campaign, images: list[Image]) -> None:
    priorities_refresh(campaign=campaign)
    found = following(campaign)
    by_lane = {one.lane: one for one in found.photos}
    assert by_lane["random"].reason == (
        "it was drawn at random, as a spot check: only such photos show how good a model is"
    )
    assert found.photos[0].reason == "nobody has rated it yet"
    assert found.photos[0].facts.votes == 0
    assert by_lane["fewest_votes"].reason.endswith("the fewest votes: 1 of 3")  # the last one of the lane


def test_the_chance_falls_along_a_lane(campaign: Campaign, images: list[Image]) -> None:
    priorities_refresh(campaign=campaign)
    found = following(campaign)
    of_lane = [one.chance for one in found.photos if one.lane == "fewest_votes"]
    assert of_lane == sorted(of_lane, reverse=True)
    at_random = next(one.chance for one in found.photos if one.lane == "random")
    assert at_random == pytest.approx(1 - (1 - 0.25 / 40) ** 20)
    assert found.photos[0].chance_text == "over 99 %"


def test_a_lane_that_workers_have_not_written_waits_and_random_photos_come(
    campaign: Campaign, images: list[Image]
) -> None:
    found = following(campaign)
    assert {one.lane for one in found.photos} == {"random"}
    assert found.waiting == ["Fewest votes first"]
    assert found.photos[0].chance == pytest.approx(1 - (1 - 1 / 40) ** 20)


def test_random_only(campaign: Campaign, images: list[Image]) -> None:
    campaign.lane_shares = {"random": 1.0}
    found = following(campaign)
    assert found.is_random_only
    assert len(found.photos) == 20
    assert [one.image.pk for one in following(campaign).photos] == [one.image.pk for one in found.photos]


def test_closed_reported_and_withdrawn_photos_do_not_come(campaign: Campaign, images: list[Image]) -> None:
    priorities_refresh(campaign=campaign)
    open_photo = images[0]
    others = Image.objects.exclude(pk=open_photo.pk)
    others.filter(pk__lte=images[20].pk).update(open_slots=0)
    others.filter(pk__gt=images[20].pk).update(problem="reported")
    assert [one.image.pk for one in following(campaign).photos] == [open_photo.pk]
    Image.objects.update(open_slots=0)
    assert following(campaign).photos == []
    assert next_ids(campaign) == []


def test_a_photo_at_the_head_of_two_lanes_comes_once(campaign: Campaign, images: list[Image]) -> None:
    priorities_refresh(campaign=campaign)
    lane = QueueLane.objects.get(name="fewest_votes")
    QueuePriority.objects.filter(lane=lane).delete()
    QueuePriority.objects.bulk_create(QueuePriority(lane=lane, image=image, priority=1.0) for image in images[:8])
    ids = [one.image.pk for one in following(campaign).photos]
    assert len(ids) == len(set(ids)) == 20


def test_numbers_of_a_hidden_photo_are_not_there(campaign: Campaign, images: list[Image]) -> None:
    version = version_make(campaign)
    predictions_make(version, images, [6.0] * 40)
    priorities_refresh(campaign=campaign)
    shown = following(campaign, version).photos[0]
    assert shown.facts.quality_mean == 6.0
    consensus_make(shown.image, 5.0)
    hidden = PhotoConsensus.objects.filter(image=shown.image).values("image_id")
    again = next_photos(campaign, version, hidden, 0.4)
    assert again.photos[0].image == shown.image
    assert again.photos[0].facts.is_hidden
    assert (again.photos[0].facts.quality_mean, again.photos[0].facts.watch_probability) == (None, None)
    assert not again.photos[1].facts.is_hidden


def test_the_number_of_queries_does_not_grow(campaign: Campaign, images: list[Image]) -> None:
    version = version_make(campaign)
    predictions_make(version, images, [6.0] * 40)
    priorities_refresh(campaign=campaign)
    for count in (3, 20):
        with CaptureQueriesContext(connection) as captured:
            following(campaign, version, count=count)
        assert len(captured) == 5  # six with hidden photos: `none()` needs no query
    with CaptureQueriesContext(connection) as captured:
        next_ids(campaign)
    assert len(captured) == 2


def test_a_lane_that_starts_in_another_way_says_so(campaign: Campaign, images: list[Image]) -> None:
    priorities_refresh(campaign=campaign)
    QueueLane.objects.update(reason="fewest votes: {votes} of {votes_needed} (start: too few scores to learn from)")
    assert following(campaign).photos[0].reason == (
        "nobody has rated it yet. This lane chooses in this way at the start: too few scores to learn from."
    )

"""What queue strategies get to know about the open photos of a campaign."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.models import Campaign, Image, QueueLane
from annotation.services.queue import leases_claim
from inference.acquisition.registry import STRATEGIES
from inference.acquisition.strategy import Pool
from inference.models import Feature
from inference.networks.config import backbone_config
from inference.postgres.copy import pooled_read
from inference.services import queue_features, queue_pool
from inference.services.queue_pool import QueuePool
from inference.services.queue_priorities import priorities_refresh
from inference.serving import runtime
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote

SIZE, START = 16, 4


@pytest.fixture(autouse=True)
def _small_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the site's features 4 numbers, followed by a pooled layer of 16 numbers."""
    config = replace(backbone_config("efficientnet_lite0"), pooled_start=START, pooled_size=SIZE)
    monkeypatch.setattr(runtime, "backbone_chosen", lambda name: config)
    for module in (queue_features, queue_pool):
        monkeypatch.setattr(module, "backbone_key", lambda name: "small@0")
    queue_features._remembered.clear()


def looks(labels: Any, seed: int = 0) -> Any:
    """Return pooled features [N, 16] that show the label in two of their numbers."""
    rows = np.random.default_rng(seed).normal(size=(len(labels), SIZE))
    rows[:, :2] += 3 * np.asarray(labels)[:, None]
    return rows


@pytest.fixture
def photos(campaign: Campaign) -> Callable[..., list[Image]]:
    """Return a function that stores photos with features that show these labels."""

    def make(labels: Any, *, with_features: bool = True, split: str = "train") -> list[Image]:
        images = images_make(campaign, len(labels), prefix=f"photo{Image.objects.count()}")
        Image.objects.filter(pk__in=[image.pk for image in images]).update(split=split)
        for image, row in zip(images, looks(labels), strict=True):
            if with_features:
                vector = np.concatenate([np.full(START, 9.0), row]).astype("<f2").tobytes()
                Feature.objects.create(image=image, backbone="small@0", state=Feature.State.DONE, vector=vector)
        return images

    return make


def pool_of(campaign: Campaign, strategy: str) -> Pool:
    return QueuePool(campaign, np.random.default_rng(1)).pool(STRATEGIES[strategy])


def watch_probability(campaign: Campaign) -> NDArray[np.float64]:
    found = pool_of(campaign, "watch_margin").watch_probability
    assert found is not None
    return found


def use(campaign: Campaign, *strategies: str) -> None:
    campaign.lane_shares = {name: 1 / len(strategies) for name in strategies}
    campaign.gold_share = 0.0
    campaign.save()


LABELS = np.arange(60) % 2


@pytest.fixture
def answered(campaign: Campaign, people: dict[str, Any], photos: Any) -> list[Image]:
    """60 photos, 40 of them with one answer that fits what they show."""
    images: list[Image] = photos(LABELS)
    for image, label in zip(images[:40], LABELS[:40].tolist(), strict=True):
        vote(image, people["alice"], 8 if label else 3, "yes" if label else "no")
    return images


def test_a_strategy_gets_only_the_columns_that_it_names(campaign: Campaign, answered: list[Image]) -> None:
    pool = pool_of(campaign, "fewest_votes")
    assert pool.groups is not None
    assert pool.features is None
    assert pool.watch_probability is None
    pool = pool_of(campaign, "typical_first")
    assert pool.features is not None
    assert pool.features.shape == (60, SIZE)
    assert pool.watch_yes is None


def test_only_the_lanes_of_votes_see_holdout_photos(campaign: Campaign, photos: Any) -> None:
    (train,) = photos([0])
    (holdout,) = photos([1], split="holdout")
    (neither,) = photos([1], split="neither")
    seen = {name: set(pool_of(campaign, name).image_ids.tolist()) for name in STRATEGIES}
    everything = {train.pk, holdout.pk, neither.pk}
    assert seen.pop("random") == seen.pop("fewest_votes") == seen.pop("anchors") == everything
    assert seen.pop("holdout") == {holdout.pk}
    assert all(ids == {train.pk} for ids in seen.values())


def test_answers_on_holdout_photos_have_no_influence(
    campaign: Campaign, people: dict[str, Any], answered: list[Image], photos: Any
) -> None:
    before = watch_probability(campaign)
    for image in photos(np.ones(20), split="holdout"):
        vote(image, people["alice"], 1, "no")
    queue_features._remembered.clear()
    np.testing.assert_allclose(watch_probability(campaign), before, atol=1e-6)


class TestWatch:
    def test_a_quick_model_learns_from_the_answers(self, campaign: Campaign, answered: list[Image]) -> None:
        pool = pool_of(campaign, "watch_margin")
        assert pool.watch_threshold == 0.5
        assert pool.watch_probability is not None
        assert pool.watch_yes is not None
        assert ((pool.watch_probability[40:] > 0.5) == (LABELS[40:] == 1)).mean() > 0.9
        np.testing.assert_array_equal(pool.watch_yes, np.where(np.arange(60) < 40, LABELS, 0))

    def test_members_of_the_ensemble_disagree_most_where_the_answers_say_little(
        self, campaign: Campaign, answered: list[Image]
    ) -> None:
        pool = pool_of(campaign, "watch_bald")
        said = pool_of(campaign, "watch_margin").watch_probability
        assert pool.watch_spread is not None
        assert said is not None
        unsure = np.argsort(np.abs(said - 0.5))
        assert pool.watch_spread[unsure[:10]].mean() > pool.watch_spread[unsure[-10:]].mean()

    def test_the_champion_is_one_of_its_inputs(self, campaign: Campaign, people: dict[str, Any], photos: Any) -> None:
        # The features show nothing; the champion knows the label, but its threshold is .9.
        images = photos(np.zeros(60))
        version = version_make(campaign)
        predictions_make(version, images, [5.0] * 60, watch=np.where(LABELS == 1, 0.97, 0.6))
        for image, label in zip(images[:40], LABELS[:40].tolist(), strict=True):
            vote(image, people["alice"], 5, "yes" if label else "no")
        campaign.watch_threshold = 0.9
        campaign.save()
        pool = pool_of(campaign, "watch_margin")
        assert pool.watch_probability is not None
        assert ((pool.watch_probability[40:] > 0.5) == (LABELS[40:] == 1)).all()

    def test_the_champion_alone_while_all_answers_are_the_same(
        self, campaign: Campaign, people: dict[str, Any], photos: Any
    ) -> None:
        images = photos(np.zeros(30))
        version = version_make(campaign)
        predictions_make(version, images, [5.0] * 30, watch=np.linspace(0, 1, 30))
        assert pool_of(campaign, "watch_margin").watch_probability is None  # nobody has answered
        for image in images[:20]:
            vote(image, people["alice"], 5, "no")
        np.testing.assert_allclose(watch_probability(campaign), np.linspace(0, 1, 30))
        assert pool_of(campaign, "watch_margin").watch_threshold == campaign.watch_threshold


class TestQuality:
    def test_votes_lower_the_variance_of_a_photo(self, campaign: Campaign, answered: list[Image]) -> None:
        pool = pool_of(campaign, "information_gain")
        assert pool.quality_variance is not None
        assert pool.vote_variance is not None
        assert pool.quality_variance[:40].mean() < 0.8 * pool.quality_variance[40:].mean()
        assert (pool.vote_variance > 0).all()

    def test_the_mean_lies_between_what_features_and_votes_say(self, campaign: Campaign, answered: list[Image]) -> None:
        found = QueuePool(campaign, np.random.default_rng(1))._knowledge
        assert found is not None
        assert found.mean[LABELS == 1].min() > found.mean[LABELS == 0].max() - 2
        assert found.mean[40:][LABELS[40:] == 1].mean() == pytest.approx(8, abs=1)

    def test_the_gap_is_0_where_people_and_champion_agree_and_for_photos_without_votes(
        self, campaign: Campaign, answered: list[Image]
    ) -> None:
        version = version_make(campaign)
        means = np.where(LABELS == 1, 8.0, 3.0)
        means[0] = 10.0  # alice said 3
        predictions_make(version, answered, means.tolist(), watch=0.5)
        gap = pool_of(campaign, "disagreement").quality_disagreement
        assert gap is not None
        assert gap[0] > 0
        assert (gap[1:] == 0).all()


class TestManyPhotos:
    def test_candidates_are_some_photos_and_those_next_to_the_threshold(
        self, campaign: Campaign, answered: list[Image], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queue_pool, "CANDIDATES", 10)
        monkeypatch.setattr(queue_pool, "NEAR_THRESHOLD", 4)
        version = version_make(campaign)
        campaign.watch_threshold = 0.5
        campaign.save()
        predictions_make(version, answered, [5.0] * 60, watch=np.linspace(0, 1, 60))
        Image.objects.filter(pk__in=[image.pk for image in answered[:10]]).update(queue_position=0.0)
        pool = pool_of(campaign, "watch_margin")
        assert set(pool.image_ids.tolist()) == {image.pk for image in [*answered[:10], *answered[28:32]]}
        assert pool.features is not None
        assert np.isfinite(pool.features).all()
        assert len(pool_of(campaign, "fewest_votes")) == 60

    def test_vectors_are_read_once(
        self, campaign: Campaign, answered: list[Image], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read: list[int] = []

        def reader(ids: Any, *args: Any, **options: Any) -> Any:
            read.append(len(ids))
            return pooled_read(ids, *args, **options)

        monkeypatch.setattr(queue_features, "pooled_read", reader)  # the database must not be asked twice
        first = pool_of(campaign, "typical_first").features
        read.clear()
        np.testing.assert_array_equal(pool_of(campaign, "typical_first").features, first)
        assert read == []


class TestRefresh:
    def test_a_lane_starts_with_typical_photos_and_says_so(
        self, campaign: Campaign, people: dict[str, Any], photos: Any
    ) -> None:
        use(campaign, "watch_margin")
        photos(LABELS)
        assert priorities_refresh(campaign=campaign) == 60
        (lease,) = leases_claim(campaign=campaign, annotator=people["alice"], count=1)
        assert lease.lane == "watch_margin"
        assert lease.reason == (
            "typical of photos that have no answers yet (start: too few watch labels to learn from)"
        )

    def test_then_it_gives_its_own_reason(
        self, campaign: Campaign, people: dict[str, Any], answered: list[Image]
    ) -> None:
        use(campaign, "watch_margin")
        priorities_refresh(campaign=campaign)
        (lease,) = leases_claim(campaign=campaign, annotator=people["bob"], count=1)
        assert lease.reason == "the queue's own model is unsure whether it shows a watch"

    def test_photos_without_features_start_by_votes(
        self, campaign: Campaign, people: dict[str, Any], photos: Any
    ) -> None:
        use(campaign, "typical_first")
        photos([0, 1], with_features=False)
        priorities_refresh(campaign=campaign)
        (lease,) = leases_claim(campaign=campaign, annotator=people["alice"], count=1)
        assert lease.reason == "fewest votes: 0 of 3 (start: the photos have no features yet)"

    def test_new_answers_and_a_new_champion_change_the_order(
        self, campaign: Campaign, people: dict[str, Any], answered: list[Image]
    ) -> None:
        use(campaign, "watch_margin")
        assert priorities_refresh(campaign=campaign) == 60
        assert priorities_refresh(campaign=campaign) == 0
        vote(answered[50], people["bob"], 5, "no")
        Image.objects.filter(pk=answered[50].pk).update(vote_count=0)  # only the answer tells
        assert priorities_refresh(campaign=campaign) == 60
        version = version_make(campaign)
        assert priorities_refresh(campaign=campaign) == 60
        predictions_make(version, answered, [5.0] * 60, watch=0.5)
        assert priorities_refresh(campaign=campaign) == 60
        assert priorities_refresh(campaign=campaign) == 0

    def test_a_lane_keeps_only_its_first_photos(
        self, campaign: Campaign, answered: list[Image], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("inference.services.queue_priorities.MOST_PHOTOS", 10)
        use(campaign, "fewest_votes")
        Image.objects.filter(pk__in=[image.pk for image in answered[:40]]).update(vote_count=1, open_slots=2)
        assert priorities_refresh(campaign=campaign) == 10
        lane = QueueLane.objects.get()
        first = set(lane.priorities.values_list("image_id", flat=True))
        assert first <= {image.pk for image in answered[40:]}

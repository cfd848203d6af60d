"""The champion as one more annotator of watch labels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from annotation.models import Campaign, Image, PhotoConsensus
from annotation.services.consensus import consensus_refresh
from inference.models import ModelVersion, WatchVoter, WatchWithModel
from inference.services.watch_voter import campaigns_due, watch_voter_refresh
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote

HOLDOUT = 40


@pytest.fixture
def version(campaign: Campaign) -> ModelVersion:
    return version_make(campaign)


@pytest.fixture
def photos(campaign: Campaign, people: dict[str, Any], version: ModelVersion) -> list[Image]:
    """80 photos, half of them holdout. Two people agree on each; the model is right on the holdout, and wrong nine
    times of ten on the photos that it has learned from."""
    images = images_make(campaign, 2 * HOLDOUT)
    Image.objects.filter(pk__in=[image.pk for image in images[:HOLDOUT]]).update(split="holdout")
    truth = np.arange(len(images)) % 2
    for image, watch in zip(images, truth, strict=True):
        for name in ("alice", "bob"):
            vote(image, people[name], 5, "yes" if watch else "no")
    said = truth.copy()
    said[HOLDOUT + 4 :] = 1 - said[HOLDOUT + 4 :]
    predictions_make(version, images, [5.0] * len(images), watch=np.where(said, 0.9, 0.001))
    consensus_refresh(campaign=campaign)
    return images


def test_the_model_is_as_good_a_voter_as_on_photos_that_it_has_not_learned_from(
    campaign: Campaign, photos: list[Image], version: ModelVersion
) -> None:
    assert watch_voter_refresh(campaign=campaign) == len(photos)
    voter = WatchVoter.objects.get()
    assert (voter.model_version, voter.photos) == (version, HOLDOUT)
    assert voter.sensitivity is not None
    assert voter.sensitivity > 0.9
    assert voter.specificity is not None
    assert voter.specificity > 0.9


def test_a_photo_without_votes_gets_a_label_and_one_with_votes_moves_towards_the_model(
    campaign: Campaign, people: dict[str, Any], photos: list[Image], version: ModelVersion
) -> None:
    (alone,) = images_make(campaign, 1)
    predictions_make(version, [alone], [5.0], watch=0.9)
    watch_voter_refresh(campaign=campaign)
    with_model = dict(WatchWithModel.objects.values_list("image", "probability"))
    assert with_model[alone.pk] > 0.8
    disputed = photos[-1]  # people say watch, the model does not
    people_only = PhotoConsensus.objects.get(image=disputed).watch_posterior
    assert people_only is not None
    assert with_model[disputed.pk] < people_only


def test_the_consensus_of_people_does_not_change(campaign: Campaign, photos: list[Image]) -> None:
    before = dict(PhotoConsensus.objects.values_list("image", "watch_posterior"))
    watch_voter_refresh(campaign=campaign)
    consensus_refresh(campaign=campaign, is_full=True)
    after = dict(PhotoConsensus.objects.values_list("image", "watch_posterior"))
    assert after == pytest.approx(before)


def test_with_few_holdout_photos_the_model_is_no_voter(campaign: Campaign, photos: list[Image]) -> None:
    Image.objects.filter(pk__in=[image.pk for image in photos[19:]]).update(split="train")
    assert watch_voter_refresh(campaign=campaign) == 0
    assert not WatchWithModel.objects.exists()
    voter = WatchVoter.objects.get()
    assert (voter.photos, voter.sensitivity) == (19, None)
    assert campaigns_due() == []  # until something changes


def test_it_is_due_after_a_new_fit_another_champion_and_another_threshold(
    campaign: Campaign, people: dict[str, Any], photos: list[Image], version: ModelVersion
) -> None:
    assert campaigns_due() == [campaign.pk]
    watch_voter_refresh(campaign=campaign)
    assert campaigns_due() == []
    consensus_refresh(campaign=campaign, is_full=True)
    assert campaigns_due() == [campaign.pk]
    watch_voter_refresh(campaign=campaign)
    Campaign.objects.filter(pk=campaign.pk).update(watch_threshold=0.4)
    assert campaigns_due() == [campaign.pk]
    campaign.refresh_from_db()
    watch_voter_refresh(campaign=campaign)
    assert campaigns_due() == []
    ModelVersion.objects.filter(pk=version.pk).update(is_champion=False)
    version_make(campaign, 2)
    assert campaigns_due() == [campaign.pk]
    assert watch_voter_refresh(campaign=campaign) == 0  # the new one has no predictions yet
    assert not WatchWithModel.objects.exists()
    assert campaigns_due() == []
    predictions_make(ModelVersion.objects.get(number=2), photos, [5.0] * len(photos), watch=0.9)
    assert campaigns_due() == [campaign.pk]
    assert watch_voter_refresh(campaign=campaign) == len(photos)
    assert campaigns_due() == []


def test_a_campaign_without_votes_is_not_due(campaign: Campaign, version: ModelVersion) -> None:
    assert campaigns_due() == []
    assert watch_voter_refresh(campaign=campaign) == 0


def test_the_page_of_a_photo_shows_it_apart_from_the_consensus(
    campaign: Campaign, photos: list[Image], client_of: Callable[[str], Any]
) -> None:
    address = f"/campaigns/watches/photos/{photos[0].pk}/"
    assert "people and the model" not in client_of("rita").get(address).content.decode()
    watch_voter_refresh(campaign=campaign)
    page = client_of("rita").get(address).content.decode()
    assert "watch probability from people and the model" in page
    assert "n = 40 photos of the holdout" in page

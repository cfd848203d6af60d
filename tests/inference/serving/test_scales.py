"""Predictions on scales of 2 to 100 scores, and the percentile of a photo in its campaign."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign
from annotation.services.campaigns import campaign_create
from inference.models import Feature, Prediction
from inference.networks.heads import rebin_matrix
from inference.selectors import percentile_of, prediction_table
from inference.services.predictions import predictions_refresh
from tests.opinions_and_predictions import images_make, predictions_make, version_make

SCALES = [(0, 1), (1, 3), (1, 5), (1, 10), (1, 100), (50, 99)]


@pytest.mark.parametrize(("lowest", "highest"), SCALES)
def test_predictions_are_stored_on_every_scale(
    people: dict[str, Any],
    make_image: Callable[..., Any],
    version_of: Callable[..., Any],
    features: np.ndarray,
    lowest: int,
    highest: int,
) -> None:
    third = (highest - lowest) / 3
    campaign = campaign_create(
        by=people["ada"],
        slug="scale",
        name="Scale",
        scale_min=lowest,
        scale_max=highest,
        reject_at=lowest + third,
        pending_at=lowest + 2 * third,
    )
    images = [make_image(seed, campaign=campaign) for seed in range(10)]
    Feature.objects.bulk_create(
        Feature(image=image, backbone="tiny@0", state="done", vector=vector.astype("<f2").tobytes())
        for image, vector in zip(images, features, strict=True)
    )
    version = version_of(campaign)
    assert predictions_refresh(version=version) == 10
    table = prediction_table(version)
    scores = np.arange(lowest, highest + 1)
    assert table.distribution.shape == (10, len(scores))
    np.testing.assert_allclose(table.distribution.sum(1), 1, atol=1e-5)
    mean = table.distribution @ scores
    np.testing.assert_allclose(table.quality_mean, mean, atol=1e-6)
    variance = (table.distribution * (scores - mean[:, None]) ** 2).sum(1)
    np.testing.assert_allclose(table.quality_std, np.sqrt(variance), atol=1e-6)
    for prediction in Prediction.objects.with_quality_class():
        class_index = (prediction.quality_mean > campaign.reject_at) + (prediction.quality_mean > campaign.pending_at)
        assert prediction.quality_class == ["rejected", "pending", "accepted"][class_index]


@pytest.mark.parametrize("bins", [2, 3, 5, 10, 100])
def test_rebinning_keeps_the_mean(bins: int) -> None:
    distributions = np.random.default_rng(0).dirichlet(np.ones(10), size=20)
    rebinned = distributions @ rebin_matrix(10, bins).numpy()
    np.testing.assert_allclose(rebinned.sum(1), 1, atol=1e-6)
    # Means on 0 … 1, with each score at the centre of its bin. Fewer bins may change the mean by up to half a bin.
    before = distributions @ ((np.arange(10) + 0.5) / 10)
    after = rebinned @ ((np.arange(bins) + 0.5) / bins)
    assert np.abs(before - after).max() < (1e-6 if bins >= 10 else 0.5 / bins)


def test_a_score_is_split_between_the_bins_that_it_overlaps() -> None:
    two, three = rebin_matrix(10, 2).numpy(), rebin_matrix(10, 3).numpy()
    np.testing.assert_allclose(two[:, 0], [1] * 5 + [0] * 5)
    np.testing.assert_allclose(three[3], [1 / 3, 2 / 3, 0], atol=1e-6)
    np.testing.assert_allclose(three[6], [0, 2 / 3, 1 / 3], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("bins", [2, 100])
def test_the_shipped_prior_is_installed_on_any_scale(
    people: dict[str, Any], make_image: Callable[..., Any], bins: int
) -> None:
    from inference.selectors import backbone_key
    from inference.services.versions import prior_install
    from inference.serving.runtime import backbone

    campaign = campaign_create(
        by=people["ada"], slug="scale", name="Scale", scale_min=1, scale_max=bins, reject_at=1, pending_at=bins
    )
    version = prior_install(campaign=campaign)
    network = backbone()
    vector = network.features([np.full((network.side, network.side, 3), 90, dtype=np.uint8)])[0]
    image = make_image(0, campaign=campaign)
    Feature.objects.create(image=image, backbone=backbone_key(""), state="done", vector=vector.astype("<f2").tobytes())
    assert predictions_refresh(version=version) == 1
    prediction = Prediction.objects.get()
    assert len(prediction.distribution) == bins
    assert 1 <= prediction.quality_mean <= bins


@pytest.mark.parametrize(("lowest", "highest"), [(1, 1), (5, 4), (0, 101)])
def test_scales_with_too_few_or_too_many_scores_are_refused(people: dict[str, Any], lowest: int, highest: int) -> None:
    with pytest.raises(ValidationError):
        campaign_create(by=people["ada"], slug="scale", name="Scale", scale_min=lowest, scale_max=highest)


def test_the_percentile_counts_lower_photos_and_half_of_the_ties(campaign: Campaign) -> None:
    version, other = version_make(campaign), version_make(campaign, 2, champion=False)
    images = images_make(campaign, 5)
    predictions_make(version, images, [2.0, 4.0, 4.0, 6.0, 9.0])
    predictions_make(other, images, [9.0] * 5)
    predictions = list(Prediction.objects.filter(model_version=version).order_by("image_id"))
    assert [percentile_of(prediction) for prediction in predictions] == pytest.approx([10, 40, 40, 70, 90])
    assert percentile_of(Prediction.objects.filter(model_version=other)[0]) == 50
    with CaptureQueriesContext(connection) as queries:
        percentile_of(predictions[0])
    assert len(queries) == 1

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inference.models import Feature, Prediction
from inference.selectors import backlog, feature_matrix, prediction_table
from inference.services.predictions import predictions_refresh


@pytest.fixture
def photos(make_image: Callable[..., Any], features: np.ndarray) -> list[Any]:
    images = [make_image(seed) for seed in range(10)]
    Feature.objects.bulk_create(
        Feature(image=image, backbone="tiny@0", state="done", vector=vector.astype("<f2").tobytes())
        for image, vector in zip(images, features, strict=True)
    )
    return images


def test_every_photo_with_features_is_predicted_once(
    campaign: Any, photos: list[Any], version_of: Callable[..., Any]
) -> None:
    version = version_of(campaign)
    assert predictions_refresh(version=version) == 10
    assert predictions_refresh(version=version) == 0
    table = prediction_table(version)
    assert table.image_ids.tolist() == [photo.pk for photo in photos]
    np.testing.assert_allclose(table.distribution.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(table.quality_mean, table.distribution @ np.arange(1, 11), atol=1e-5)
    prediction = Prediction.objects.get(image=photos[0], model_version=version)
    assert len(prediction.synset_probabilities) == 2
    assert prediction.watch_probability == pytest.approx(sum(prediction.synset_probabilities), abs=1e-5)


def test_the_number_of_queries_does_not_grow_with_the_photos(
    campaign: Any, photos: list[Any], version_of: Callable[..., Any]
) -> None:
    version = version_of(campaign)
    counts = []
    for ids in ([photos[0].pk], [photo.pk for photo in photos[1:]]):
        with CaptureQueriesContext(connection) as queries:
            predictions_refresh(version=version, image_ids=ids)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_predictions_follow_the_scale_of_the_campaign(
    campaign: Any, photos: list[Any], version_of: Callable[..., Any]
) -> None:
    campaign.scale_min, campaign.scale_max = 0, 4
    campaign.save()
    version = version_of(campaign)
    predictions_refresh(version=version)
    means = Prediction.objects.values_list("quality_mean", flat=True)
    assert all(0 <= mean <= 4 for mean in means)
    assert prediction_table(version).distribution.shape == (10, 5)


def test_existing_features_are_returned_in_the_order_of_their_ids(
    photos: list[Any], make_image: Callable[..., Any], features: np.ndarray
) -> None:
    without_features = make_image(99)
    ids, matrix = feature_matrix([photos[4].pk, without_features.pk, photos[1].pk], "tiny@0")
    assert ids.tolist() == [photos[1].pk, photos[4].pk]
    np.testing.assert_allclose(matrix, features[[1, 4]].astype(np.float16))
    assert feature_matrix([without_features.pk], "tiny@0")[1].shape == (0, 0)


def test_an_empty_campaign_has_an_empty_table_and_backlog(campaign: Any, version_of: Callable[..., Any]) -> None:
    version = version_of(campaign)
    assert len(prediction_table(version)) == 0
    assert prediction_table(version).distribution.shape == (0, 10)
    assert backlog(campaign).waiting == 0

"""Arrays to and from PostgreSQL by binary COPY, compared with the ORM and SQL."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection

from inference.models import Feature, Prediction
from inference.postgres.copy import rows_write, vectors_read
from inference.services.predictions import predictions_refresh, predictions_write


def features_store(image: Any, vector: np.ndarray) -> Feature:
    return Feature.objects.create(image=image, backbone="tiny@0", state="done", vector=vector.astype("<f2").tobytes())


def test_vectors_are_read_back_exactly(make_image: Callable[..., Any], features: np.ndarray) -> None:
    rows = [features_store(make_image(seed), vector) for seed, vector in enumerate(features)]
    ids, vectors = vectors_read(np.array([row.pk for row in rows] + [10**9]))
    order = np.argsort(ids)
    assert ids[order].tolist() == [row.image_id for row in rows]
    np.testing.assert_array_equal(vectors[order], features.astype(np.float16))


def test_missing_rows_give_empty_arrays(db: None) -> None:
    ids, vectors = vectors_read(np.array([1, 2]))
    assert len(ids) == len(vectors) == 0


@pytest.mark.parametrize("size", [11, 8, 24])
def test_vectors_of_different_lengths_are_refused(
    make_image: Callable[..., Any], features: np.ndarray, size: int
) -> None:
    rows = [features_store(make_image(0), features[0]), features_store(make_image(1), np.resize(features[1], size))]
    with pytest.raises(ValueError, match="different lengths"):
        vectors_read(np.array([row.pk for row in rows]))


def test_sql_reads_written_numbers_and_arrays(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE written_rows (a bigint, b double precision, c double precision[]) ON COMMIT DROP"
        )
        rows_write(
            "written_rows",
            {
                "a": np.array([7, -(2**40)]),
                "b": np.array([0.1, -np.inf]),
                "c": np.array([[0.25, 1e-300, 3], [np.nan, 5, 6]], dtype=np.float64),
            },
        )
        cursor.execute("SELECT a, b, c, array_dims(c) FROM written_rows ORDER BY a DESC")
        first, second = cursor.fetchall()
    assert first == (7, 0.1, [0.25, 1e-300, 3.0], "[1:3]")
    assert second[:2] == (-(2**40), -np.inf)
    assert np.isnan(second[2][0])


def test_an_existing_prediction_is_not_overwritten(
    campaign: Any, make_image: Callable[..., Any], version_of: Callable[..., Any], features: np.ndarray
) -> None:
    version = version_of(campaign)
    images = [make_image(seed) for seed in range(3)]
    features_store(images[0], features[0])
    assert predictions_refresh(version=version) == 1
    before = Prediction.objects.get()
    ids = np.array([image.pk for image in images])
    assert predictions_write(version=version, image_ids=ids, features=features[5:8]) == 2
    assert Prediction.objects.get(image=images[0]).quality_mean == before.quality_mean
    assert Prediction.objects.count() == 3


def test_photos_of_several_chunks_are_predicted_once_each(
    campaign: Any,
    make_image: Callable[..., Any],
    version_of: Callable[..., Any],
    features: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inference.services import predictions

    monkeypatch.setattr(predictions, "_CHUNK", 3)
    written: list[int] = []
    write = predictions._write
    monkeypatch.setattr(predictions, "_write", lambda *arguments: written.append(write(*arguments)) or written[-1])
    rows = [features_store(make_image(seed), vector) for seed, vector in enumerate(features)]
    version = version_of(campaign)
    assert predictions_refresh(version=version) == 10
    assert written == [3, 3, 3, 1]
    means = dict(Prediction.objects.values_list("image_id", "quality_mean"))
    assert means.keys() == {row.image_id for row in rows}
    Prediction.objects.all().delete()
    for row, vector in zip(rows, features, strict=True):
        one = vector[np.newaxis].astype(np.float16)
        predictions_write(version=version, image_ids=np.array([row.image_id]), features=one)
    expected = dict(Prediction.objects.values_list("image_id", "quality_mean"))
    assert means == pytest.approx(expected, abs=1e-6)

"""Predictions from stored features: no image is opened."""

from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from numpy.typing import NDArray

from inference.models import Feature, ModelVersion, Prediction
from inference.postgres.copy import rows_write, vectors_read
from inference.scoring.decode import mean_and_std
from inference.serving import runtime

_CHUNK = 2048
_Columns = dict[str, NDArray[Any]]

# Rows are copied here first, because COPY has no ON CONFLICT.
_INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_prediction (
  image_id bigint, watch_probability double precision, synset_probabilities double precision[],
  quality_mean double precision, quality_std double precision, distribution double precision[]
) ON COMMIT DELETE ROWS;
DELETE FROM incoming_prediction;
"""
_KEEP = """
INSERT INTO inference_prediction (
  model_version_id, image_id, watch_probability, synset_probabilities,
  quality_mean, quality_std, distribution, created_at
)
SELECT %(version)s, image_id, watch_probability, synset_probabilities,
  quality_mean, quality_std, distribution, now()
FROM incoming_prediction ON CONFLICT (image_id, model_version_id) DO NOTHING
"""


def predictions_refresh(*, version: ModelVersion, image_ids: Collection[int] | None = None) -> int:
    """Compute the missing predictions of `version` from stored features, for the campaign or for the given photos.

    Returns how many photos were predicted. May run twice, also at the same time. Raises ModelFileError if a
    prediction is missing and the version's file is missing or damaged.
    """
    todo = Feature.objects.filter(
        image__campaign=version.campaign_id, backbone=version.backbone, state=Feature.State.DONE, vector__isnull=False
    ).exclude(Exists(Prediction.objects.filter(model_version=version, image=OuterRef("image"))))
    if image_ids is not None:
        todo = todo.filter(image__in=image_ids)
    ids = np.array(todo.order_by("pk").values_list("pk", flat=True), dtype=np.int64)
    if not ids.size:
        return 0
    predict = _predictor(version)
    done = 0
    # A thread predicts one chunk while the database writes the previous one and reads the next.
    with ThreadPoolExecutor(1, thread_name_prefix="predict") as pool:
        running: Future[_Columns] | None = None
        for start in range(0, len(ids) + _CHUNK, _CHUNK):
            chunk = vectors_read(ids[start : start + _CHUNK]) if start < len(ids) else None
            finished, running = running, pool.submit(predict, *chunk) if chunk else None
            if finished:
                done += _write(version, finished.result())
    return done


def predictions_write(*, version: ModelVersion, image_ids: NDArray[np.int64], features: NDArray[np.floating]) -> int:
    """Predict photos [N] from features [N, D]; return how many predictions are new. Existing predictions stay.

    Raises ModelFileError when the version's file is missing or damaged.
    """
    return _write(version, _predictor(version)(image_ids, features))


def _predictor(version: ModelVersion) -> Callable[[NDArray[np.int64], NDArray[np.floating]], _Columns]:
    """Return a function from image ids [N] and features [N, D] to columns of predictions; it runs no query."""
    heads, campaign = runtime.heads(version), version.campaign

    def predict(image_ids: NDArray[np.int64], features: NDArray[np.floating]) -> _Columns:
        scores = heads.predict(features.astype(np.float32, copy=False))
        means, stds = mean_and_std(scores.distribution, campaign.scale_min)
        return {
            "image_id": image_ids,
            "watch_probability": scores.watch_probability,
            "synset_probabilities": scores.synset_probabilities,
            "quality_mean": means,
            "quality_std": stds,
            "distribution": scores.distribution,
        }

    return predict


@transaction.atomic
def _write(version: ModelVersion, columns: _Columns) -> int:
    """Store predictions and return how many were new."""
    with connection.cursor() as cursor:
        # Do not wait for the disk. After a power cut, the sweep computes lost predictions again.
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(_INCOMING)
        rows_write("incoming_prediction", columns)
        cursor.execute(_KEEP, {"version": version.pk})
        return int(cursor.rowcount)

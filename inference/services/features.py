"""Features: one vector per photo and backbone, computed once. Rows of `Feature` are the backlog."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from numpy.typing import NDArray

from annotation.models import Image
from annotation.photo_decoding import PhotoRejected, photo_open
from inference import runtime
from inference.model_files import ModelFileError
from inference.models import Feature, ModelVersion, Prediction
from inference.networks.config import backbone_config
from inference.networks.transforms import pixels
from inference.selectors import backbone_key
from inference.services.predictions import predictions_make

logger = logging.getLogger(__name__)

BATCH = 16  # larger ones gain nothing on a CPU and make a killed worker lose more
MAX_ATTEMPTS = 3

_ENQUEUE = """
INSERT INTO inference_feature (image_id, backbone, state, reason, attempts)
SELECT image.id, %(backbone)s, 'queued', '', 0 FROM annotation_image image
WHERE NOT EXISTS (
  SELECT FROM inference_feature feature
  WHERE feature.image_id = image.id AND feature.backbone = %(backbone)s
)
ON CONFLICT DO NOTHING
"""

# One statement: of many workers, each gets rows of its own and none waits for another.
_CLAIM = """
UPDATE inference_feature SET state = 'running', claimed_at = %(now)s, attempts = attempts + 1
WHERE id IN (
  SELECT id FROM inference_feature
  WHERE backbone = %(backbone)s AND state = 'queued'
  ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) RETURNING id
"""
# One at a time: its worker may have died on this very photo, and shall take no other down with it.
_CLAIM_SILENT = """
UPDATE inference_feature SET claimed_at = %(now)s, attempts = attempts + 1
WHERE id IN (
  SELECT id FROM inference_feature
  WHERE backbone = %(backbone)s AND state = 'running' AND claimed_at < %(stale)s
  ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id
"""


@dataclass(frozen=True)
class _Decoded:
    """A claimed photo: its pixels, or the reason why there are none."""

    feature: Feature
    pixels: NDArray[np.uint8] | None
    reason: str


def features_enqueue() -> int:
    """Queue every photo that the site's backbone has not seen; return how many. One statement, however many photos."""
    with connection.cursor() as cursor:
        cursor.execute(_ENQUEUE, {"backbone": backbone_key()})
        return int(cursor.rowcount)


def features_claim(*, limit: int = BATCH) -> list[Feature]:
    """Claim up to `limit` queued photos or, when there are none, one photo whose worker has gone silent."""
    now = timezone.now()
    values: dict[str, Any] = {
        "backbone": backbone_key(),
        "now": now,
        "stale": now - timedelta(seconds=settings.IQS_CLAIM_SECONDS),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        for statement in (_CLAIM, _CLAIM_SILENT):
            cursor.execute(statement, values)
            if ids := [row[0] for row in cursor.fetchall()]:
                break
    return list(Feature.objects.filter(pk__in=ids).select_related("image").order_by("pk"))


def features_compute(*, seconds: float, stop: Callable[[], bool] = lambda: False) -> int:
    """Work on the backlog until it is empty or the time is over; return how many photos were finished.

    Decoding runs in threads beside the network: while one batch is in the network the next is
    decoded. A photo that cannot be decoded fails alone, with its reason.
    Raises WeightsMissing, DeviceMissing.
    """
    network = runtime.backbone()
    side = backbone_config(settings.IQS_BACKBONE).input_size
    until = time.monotonic() + seconds
    finished = 0
    with ThreadPoolExecutor(settings.IQS_THREADS, thread_name_prefix="decode") as pool:
        following = [pool.submit(_decode, feature, side) for feature in features_claim()]
        while following:
            batch = [future.result() for future in following]
            more = time.monotonic() < until and not stop()
            following = [pool.submit(_decode, feature, side) for feature in features_claim()] if more else []
            good = [item for item in batch if item.pixels is not None]
            vectors = network.features([item.pixels for item in good if item.pixels is not None]) if good else None
            _store(good, vectors, [item for item in batch if item.pixels is None])
            finished += len(batch)
    return finished


def _decode(feature: Feature, side: int) -> _Decoded:
    """Return the pixels of a claimed photo, or why there are none. Never raises: others are in the batch."""
    if feature.attempts > MAX_ATTEMPTS:
        # Whatever kills a worker three times will do it again.
        return _Decoded(feature, None, f"Given up after {MAX_ATTEMPTS} attempts: each time the worker died on it.")
    try:
        return _Decoded(feature, pixels(photo_open(feature.image.path, max_pixels=settings.IQS_MAX_PIXELS), side), "")
    except PhotoRejected as rejection:
        return _Decoded(feature, None, str(rejection))
    except Exception as error:  # whatever it is, it is about this one file
        return _Decoded(feature, None, f"{type(error).__name__}: {error}")


def _store(good: Sequence[_Decoded], vectors: NDArray[np.float32] | None, bad: Sequence[_Decoded]) -> None:
    """Write a batch's features and the champions' predictions in one transaction."""
    champions = {
        version.campaign_id: version
        for version in ModelVersion.objects.filter(
            is_champion=True, backbone=backbone_key(), campaign__in={item.feature.image.campaign_id for item in good}
        ).select_related("campaign")
    }
    predictions = []
    if vectors is not None:
        stored = vectors.astype("<f2")
        # Predict from what is kept, so that predicting again later gives the same numbers.
        vectors = stored.astype(np.float32)
        for row, item in enumerate(good):
            item.feature.state, item.feature.vector = Feature.State.DONE, stored[row].tobytes()
        for campaign_id, version in champions.items():
            rows = [row for row, item in enumerate(good) if item.feature.image.campaign_id == campaign_id]
            ids = [good[row].feature.image_id for row in rows]
            try:
                predictions += predictions_make(version, ids, vectors[rows])
            except ModelFileError:
                # The features are good; the sweep predicts once the file is whole again.
                logger.exception("no predictions for campaign %s", campaign_id)
    for item in bad:
        item.feature.state, item.feature.reason = Feature.State.FAILED, item.reason
    with transaction.atomic():
        Feature.objects.bulk_update([item.feature for item in (*good, *bad)], ["state", "vector", "reason"])
        Prediction.objects.bulk_create(predictions, ignore_conflicts=True)


def features_retry(*, image: Image) -> None:
    """Put a failed photo back into the backlog, for instance after its file was restored."""
    Feature.objects.filter(image=image, state=Feature.State.FAILED).update(
        state=Feature.State.QUEUED, reason="", attempts=0
    )

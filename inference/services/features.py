"""Features: one vector per photo and backbone, computed once."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction

from annotation.models import Image
from annotation.photos.site_sandbox import site_sandbox
from annotation.photos.storage import photo_file_source
from inference.models import ComparedPhoto, Feature, ModelVersion, Prediction, Signature
from inference.networks.config import WeightsMissing
from inference.networks.model_files import ModelFileError
from inference.scoring.pipeline import BATCH, PhotoResult, photos_extract
from inference.selectors import WorkQueue, backbone_key, backbones_needed, features_queue
from inference.services.backlog import queue_process, work_finish
from inference.services.predictions import predictions_write
from inference.services.similarity import signature_key
from inference.serving import runtime

logger = logging.getLogger(__name__)
# While photos wait for several backbones, each gets this time before the next.
_TURN_SECONDS = 10.0


def features_compute(*, seconds: float, stop: Callable[[], bool] = lambda: False) -> int:
    """Compute features of queued photos until none is left or the time is over; return how many were finished.

    The champion's prediction is stored in the same transaction. A photo that cannot be opened fails with a reason; the
    others go on. Backbones with queued photos take turns. Raises DeviceMissing, and WeightsMissing if weights are
    missing and no photo of another backbone was finished.
    """
    until, finished, count = time.monotonic() + seconds, 0, 1
    missing: dict[str, WeightsMissing] = {}
    while count and not stop() and time.monotonic() < until:
        count, waiting = 0, []
        for name in backbones_needed():
            try:
                waiting += [name] if features_queue(name).has_unfinished() and name not in missing else []
            except WeightsMissing as error:
                missing[name] = error
        for name in waiting:
            left = max(until - time.monotonic(), 0.0)
            try:
                count += _compute(name, min(left, _TURN_SECONDS) if len(waiting) > 1 else left, stop)
            except WeightsMissing as error:
                missing[name] = error
        finished += count
    if missing and not finished:
        raise next(iter(missing.values()))
    return finished


def features_make(*, image_ids: Sequence[int], backbone: str, report: Callable[[int, int], None]) -> None:
    """Compute the missing features of some photos now, in this process. Other photos stay as they are.

    For a backbone that no campaign uses yet. `report` is called with (photos done, all); its exceptions are passed on.
    Raises WeightsMissing and DeviceMissing.
    """
    key, network = backbone_key(backbone), runtime.backbone(backbone)
    finished = Feature.objects.filter(backbone=key, state__in=(Feature.State.DONE, Feature.State.FAILED))
    left = list(Image.objects.filter(pk__in=image_ids).exclude(pk__in=finished.values("image")).order_by("pk"))
    done = len(image_ids) - len(left)
    for batch in photos_extract(
        (left[start : start + BATCH] for start in range(0, len(left), BATCH)),
        source=lambda image: photo_file_source(image.photo_name),
        network=network,
        max_pixels=settings.IQS_MAX_PIXELS,
        threads=settings.IQS_THREADS,
        budget=site_sandbox().budget,
    ):
        rows = [Feature(image=image, backbone=key, **_columns(result)) for image, result in batch]
        Feature.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["image", "backbone"],
            update_fields=["state", "reason", "vector"],
        )
        done += len(batch)
        report(done, len(image_ids))


def _columns(result: PhotoResult) -> dict[str, Any]:
    """Return the columns of a photo's row that the result decides."""
    if result.features is None:
        return {"state": Feature.State.FAILED, "reason": result.reason}
    return {"state": Feature.State.DONE, "reason": "", "vector": result.features.astype("<f2").tobytes()}


def _compute(backbone: str, seconds: float, stop: Callable[[], bool]) -> int:
    """Compute features of one backbone; return how many photos were finished."""
    network = runtime.backbone(backbone)
    queue = features_queue(backbone)

    def process(batches: Iterable[Sequence[Feature]]) -> Iterator[list[tuple[Feature, PhotoResult]]]:
        return photos_extract(
            batches,
            source=lambda row: photo_file_source(row.image.photo_name),
            network=network,
            max_pixels=settings.IQS_MAX_PIXELS,
            threads=settings.IQS_THREADS,
            budget=site_sandbox().budget,
        )

    def store(processed: Sequence[tuple[Feature, PhotoResult]]) -> None:
        _store(processed, queue, backbone)

    return queue_process(queue=queue, processor=process, store=store, seconds=seconds, stop=stop)


def _store(processed: Sequence[tuple[Feature, PhotoResult]], queue: WorkQueue[Feature], backbone: str) -> None:
    """Write features and the champions' predictions in one transaction.

    Predictions, signatures and comparisons that were computed from earlier features of a photo are deleted.
    """
    again = [row.image_id for row, result in processed if result.features is not None and row.vector is not None]
    good = [(row, result.features) for row, result in processed if result.features is not None]
    for row, vector in good:
        row.state, row.reason, row.vector = Feature.State.DONE, "", vector.astype("<f2").tobytes()
    for row, result in processed:
        if result.features is None:
            row.state, row.reason = Feature.State.FAILED, result.reason
    champions = ModelVersion.objects.filter(
        is_champion=True, backbone=queue.key, campaign__in={row.image.campaign_id for row, _ in good}
    ).select_related("campaign")
    with transaction.atomic():
        work_finish(queue=queue, rows=[row for row, _ in processed], columns=["vector"])
        if again:
            Signature.objects.filter(image__in=again, key=signature_key(backbone)).delete()
            ComparedPhoto.objects.filter(image__in=again).delete()
            Prediction.objects.filter(image__in=again, model_version__backbone=queue.key).delete()
        for version in champions:
            own = [(row.image_id, vector) for row, vector in good if row.image.campaign_id == version.campaign_id]
            try:
                predictions_write(
                    version=version,
                    image_ids=np.array([image_id for image_id, _ in own], dtype=np.int64),
                    features=np.stack([vector for _, vector in own]),
                )
            except ModelFileError as error:
                # The features are still stored. The sweep predicts when the version's file is restored.
                logger.warning("No predictions for campaign %s: %s", version.campaign.slug, error)

"""Features: one vector per photo and backbone, computed once."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from django.conf import settings
from django.db import transaction

from annotation.photos.storage import photo_file_source
from inference.models import Feature, ModelVersion
from inference.networks.model_files import ModelFileError
from inference.scoring.pipeline import Sight, photos_see
from inference.selectors import features_queue
from inference.services.backlog import work_do, work_finish
from inference.services.predictions import predictions_write
from inference.serving import runtime

logger = logging.getLogger(__name__)


def features_compute(*, seconds: float, stop: Callable[[], bool] = lambda: False) -> int:
    """Work on the photos without features until there are none or the time is over; return how many were finished.

    The campaign's champion predicts each in the same breath. A photo that cannot be opened fails
    alone, with its reason. Raises WeightsMissing, DeviceMissing.
    """
    network = runtime.backbone()

    def look(batches: Iterable[Sequence[Feature]]) -> Iterator[list[tuple[Feature, Sight]]]:
        return photos_see(
            batches,
            source=lambda row: photo_file_source(row.image.photo_name),
            network=network,
            max_pixels=settings.IQS_MAX_PIXELS,
            threads=settings.IQS_THREADS,
        )

    return work_do(queue=features_queue(), look=look, store=_store, seconds=seconds, stop=stop)


def _store(seen: Sequence[tuple[Feature, Sight]]) -> None:
    """Write features and the champions' predictions in one transaction."""
    good = [(row, sight.features) for row, sight in seen if sight.features is not None]
    for row, vector in good:
        row.state, row.reason, row.vector = Feature.State.DONE, "", vector.astype("<f2").tobytes()
    for row, sight in seen:
        if sight.features is None:
            row.state, row.reason = Feature.State.FAILED, sight.reason
    champions = ModelVersion.objects.filter(
        is_champion=True, backbone=features_queue().key, campaign__in={row.image.campaign_id for row, _ in good}
    ).select_related("campaign")
    with transaction.atomic():
        work_finish(queue=features_queue(), rows=[row for row, _ in seen], columns=["vector"])
        for version in champions:
            own = [(row.image_id, vector) for row, vector in good if row.image.campaign_id == version.campaign_id]
            try:
                predictions_write(
                    version=version,
                    image_ids=np.array([image_id for image_id, _ in own], dtype=np.int64),
                    features=np.stack([vector for _, vector in own]),
                )
            except ModelFileError:
                # The features are good; the sweep predicts once the file is whole again.
                logger.exception("no predictions for campaign %s", version.campaign_id)

"""Predictions from stored features: no image is opened."""

from collections.abc import Callable, Collection, Sequence

import numpy as np
from django.db.models import Exists, OuterRef
from numpy.typing import NDArray

from inference import runtime
from inference.models import Feature, ModelVersion, Prediction
from inference.scoring.decode import mean_and_std, quality_class
from inference.selectors import features_unpack

_CHUNK = 2000


def predictions_refresh(
    *,
    version: ModelVersion,
    image_ids: Collection[int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Predict every photo of the campaign (or those given) that has features and no prediction of `version` yet.

    Returns how many were predicted. May run twice, also at the same time. `progress` is called with
    (done, total). Raises ModelFileError when the version's file is missing or damaged.
    """
    todo = (
        Feature.objects.filter(image__campaign=version.campaign_id, backbone=version.backbone, state=Feature.State.DONE)
        .exclude(Exists(Prediction.objects.filter(model_version=version, image=OuterRef("image"))))
        .order_by("image_id")
    )
    if image_ids is not None:
        todo = todo.filter(image__in=image_ids)
    total = todo.count() if progress else 0
    done, last = 0, 0
    while rows := list(todo.filter(image__gt=last).values_list("image_id", "vector")[:_CHUNK]):
        ids = [image_id for image_id, _ in rows]
        Prediction.objects.bulk_create(
            predictions_make(version, ids, features_unpack([vector for _, vector in rows])), ignore_conflicts=True
        )
        done, last = done + len(rows), ids[-1]
        if progress:
            progress(done, total)
    return done


def predictions_make(
    version: ModelVersion, image_ids: Sequence[int], features: NDArray[np.float32]
) -> list[Prediction]:
    """Return unsaved predictions of a version for photos with features float32 [N, D]."""
    campaign = version.campaign
    scores = runtime.heads(version).predict(features)
    means, stds = mean_and_std(scores.distribution, campaign.scale_min)
    classes = quality_class(means, reject_at=campaign.reject_at, pending_at=campaign.pending_at)
    return [
        Prediction(
            image_id=image_id,
            model_version=version,
            watch_probability=watch,
            synset_probabilities=synsets,
            quality_mean=mean,
            quality_std=std,
            distribution=distribution,
            quality_class=name,
        )
        for image_id, watch, synsets, distribution, mean, std, name in zip(
            image_ids,
            scores.watch_probability.tolist(),
            scores.synset_probabilities.tolist(),
            scores.distribution.tolist(),
            means.tolist(),
            stds.tolist(),
            classes,
            strict=True,
        )
    ]

"""Questions to the tables of the inference app; nothing here writes, and nothing here loads a network."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from django.db.models import Count, Q
from numpy.typing import NDArray

from annotation.models import Campaign, Image
from inference.models import Distortion, Feature, ModelVersion, Prediction
from inference.networks.config import backbone_config


@dataclass(frozen=True)
class Backlog:
    """How many photos of a campaign wait for features, have them, or failed; and how many the champion predicted."""

    queued: int
    running: int
    done: int
    failed: int
    predicted: int

    @property
    def waiting(self) -> int:
        """Return how many photos still want features."""
        return self.queued + self.running


@dataclass(frozen=True)
class PredictionTable:
    """Predictions of one version as columns of one length, ordered by image id."""

    image_ids: NDArray[np.int64]
    quality_mean: NDArray[np.float64]
    quality_std: NDArray[np.float64]
    watch_probability: NDArray[np.float64]
    distribution: NDArray[np.float64]
    """[N, K], lowest score first."""

    def __len__(self) -> int:
        return len(self.image_ids)


def backbone_key() -> str:
    """Return the key under which the site's backbone keeps its features.

    Raises WeightsMissing when its weight file is not installed.
    """
    return backbone_config(settings.IQS_BACKBONE).key()


def champion(campaign: Campaign) -> ModelVersion | None:
    """Return the version whose predictions the campaign shows, or None before the prior is installed."""
    return ModelVersion.objects.filter(campaign=campaign, is_champion=True).first()


def backlog(campaign: Campaign) -> Backlog:
    """Count the campaign's photos by what became of them (two queries). Photos that no sweep has seen are queued."""
    states = Image.objects.filter(campaign=campaign).aggregate(
        total=Count("pk"),
        **{
            state: Count(
                "pk", filter=Q(pk__in=Feature.objects.filter(backbone=backbone_key(), state=state).values("image"))
            )
            for state in ("running", "done", "failed")
        },
    )
    predicted = Prediction.objects.filter(model_version__campaign=campaign, model_version__is_champion=True).count()
    queued = states["total"] - states["running"] - states["done"] - states["failed"]
    return Backlog(queued, states["running"], states["done"], states["failed"], predicted)


def feature_matrix(
    image_ids: Collection[int] | NDArray[np.int64], backbone: str
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the ids [M] (ascending) of those photos that have features, and the features [M, D] (one query)."""
    rows = list(
        Feature.objects.filter(
            image__in=[int(image_id) for image_id in image_ids], backbone=backbone, state=Feature.State.DONE
        )
        .order_by("image_id")
        .values_list("image_id", "vector")
    )
    ids = np.array([image_id for image_id, _ in rows], dtype=np.int64)
    return ids, features_unpack([vector for _, vector in rows])


def features_unpack(vectors: Collection[bytes | memoryview | None]) -> NDArray[np.float32]:
    """Return stored vectors as float32 [N, D]; an empty collection gives [0, 0]."""
    if not vectors:
        return np.zeros((0, 0), dtype=np.float32)
    return np.stack([np.frombuffer(vector, dtype="<f2") for vector in vectors if vector is not None]).astype(np.float32)


def prediction_of(image: Image, version: ModelVersion) -> Prediction | None:
    """Return what a version says about a photo, or None while it has not looked at it."""
    return Prediction.objects.filter(image=image, model_version=version).first()


def percentile_of(prediction: Prediction) -> float:
    """Return the photo's place within its campaign, 0 … 100: the share that the same version gives a lower mean.

    Ties count half, the photo itself among them, so the median photo has 50. One query on an index.
    """
    counts = Prediction.objects.filter(model_version=prediction.model_version_id).aggregate(
        lower=Count("pk", filter=Q(quality_mean__lt=prediction.quality_mean)),
        tied=Count("pk", filter=Q(quality_mean=prediction.quality_mean)),
        total=Count("pk"),
    )
    return 100.0 * (counts["lower"] + counts["tied"] / 2) / max(counts["total"], 1)


def distortion_version() -> int:
    """Return the version of the distortion detectors that this installation has."""
    from inference.distortion.combine import ALGORITHM_VERSION  # what the detectors load, few processes need

    return ALGORITHM_VERSION


def distortion_of(image: Image) -> Distortion | None:
    """Return what today's detectors measured in a photo, or None while they have not, or could not."""
    return Distortion.objects.filter(image=image, version=distortion_version(), state=Distortion.State.DONE).first()


def prediction_table(
    version: ModelVersion, image_ids: Collection[int] | NDArray[np.int64] | None = None
) -> PredictionTable:
    """Return a version's predictions, of some photos or of all (one query)."""
    rows = Prediction.objects.filter(model_version=version)
    if image_ids is not None:
        rows = rows.filter(image__in=[int(image_id) for image_id in image_ids])
    columns = list(
        rows.order_by("image_id").values_list(
            "image_id", "quality_mean", "quality_std", "watch_probability", "distribution"
        )
    )
    numbers = np.array([row[1:4] for row in columns], dtype=np.float64).reshape(-1, 3)
    return PredictionTable(
        image_ids=np.array([row[0] for row in columns], dtype=np.int64),
        quality_mean=numbers[:, 0],
        quality_std=numbers[:, 1],
        watch_probability=numbers[:, 2],
        distribution=np.array([row[4] for row in columns], dtype=np.float64).reshape(len(columns), -1)
        if columns
        else np.zeros((0, version.campaign.bins)),
    )

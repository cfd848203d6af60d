"""Test data: rows of photos, votes, model versions, predictions and distortions."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from annotation.models import Annotation, Campaign, Image, PhotoConsensus, User
from inference.models import Distortion, ModelVersion, Prediction, QualityClass
from inference.selectors import distortion_version

REJECTED, PENDING, ACCEPTED = QualityClass.values


def images_make(campaign: Campaign, count: int, *, holdout: bool = False, prefix: str = "photo") -> list[Image]:
    """Store photo rows without files."""
    return Image.objects.bulk_create(
        Image(
            campaign=campaign,
            name=f"{prefix}-{number}.jpg",
            sha256=uuid.uuid4().hex * 2,
            suffix=".jpg",
            byte_size=1000,
            width=96,
            height=64,
            phash=number,
            queue_position=number / max(count, 1),
            split=Image.Split.HOLDOUT if holdout else Image.Split.TRAIN,
        )
        for number in range(count)
    )


def vote(
    image: Image, annotator: User, score: int, watch: str = "no", *, seconds_later: float = 60, **fields: Any
) -> Annotation:
    """Store one answer. A correction comes `seconds_later` than the answer before it: earlier answers become older."""
    before = fields.get("supersedes")
    while before:
        before.created_at -= timedelta(seconds=seconds_later)
        Annotation.objects.filter(pk=before.pk).update(created_at=before.created_at)
        before = before.supersedes
    return Annotation.objects.create(
        client_id=uuid.uuid4(),
        campaign=image.campaign,
        image=image,
        annotator=annotator,
        score=score,
        watch=watch,
        **fields,
    )


def consensus_make(image: Image, corrected_mos: float) -> PhotoConsensus:
    """Store the consensus on one photo, as if one annotator had given this score."""
    return PhotoConsensus.objects.create(
        image=image,
        campaign=image.campaign,
        votes=1,
        mos=corrected_mos,
        low=corrected_mos,
        high=corrected_mos,
        corrected_mos=corrected_mos,
        corrected_error=1.0,
        updated_at=timezone.now(),
    )


def votes(images: Sequence[Image], annotators: Sequence[User], scores: Any, watch: Any) -> None:
    """Store one answer of each annotator to each photo. `scores` and `watch` are [N, annotators] or [N]."""
    Annotation.objects.bulk_create(
        (
            Annotation(
                client_id=uuid.uuid4(),
                campaign=image.campaign,
                image=image,
                annotator=annotator,
                score=int(np.broadcast_to(np.asarray(scores).T, (len(annotators), len(images)))[column, row]),
                watch=str(np.broadcast_to(np.asarray(watch).T, (len(annotators), len(images)))[column, row]),
            )
            for row, image in enumerate(images)
            for column, annotator in enumerate(annotators)
        ),
        batch_size=2000,  # PostgreSQL allows 65,535 values in one statement
    )


def version_make(campaign: Campaign, number: int = 1, *, champion: bool = True) -> ModelVersion:
    """Store a model version row without files."""
    return ModelVersion.objects.create(
        campaign=campaign,
        number=number,
        backbone="tiny",
        folder=f"v{number}",
        checksum="0" * 64,
        recipe={"synsets": list(campaign.synsets)},
        is_champion=champion,
    )


def predictions_make(
    version: ModelVersion, images: Sequence[Image], means: Iterable[float], watch: Iterable[float] | float = 0.01
) -> None:
    """Store predictions with a bell-shaped distribution around each mean."""
    campaign = version.campaign
    scores = np.array(campaign.scores, dtype=float)
    rows = []
    for image, mean, probability in zip(images, means, np.broadcast_to(np.asarray(watch), len(images)), strict=True):
        weights = np.exp(-((scores - mean) ** 2) / 2)
        rows.append(
            Prediction(
                image=image,
                model_version=version,
                watch_probability=float(probability),
                synset_probabilities=[float(probability) / 5] * 5,
                quality_mean=mean,
                quality_std=1.0,
                distribution=(weights / weights.sum()).tolist(),
            )
        )
    Prediction.objects.bulk_create(rows)


def distortions_make(
    images: Sequence[Image], *, quality: Any, state: str = "done", reason: str = "", **severity: Any
) -> None:
    """Store distortion rows; each value is one number for all photos or one per photo."""
    values = {"blur": 0.0, "noise": 0.0, "exposure": 0.0, "compression": 0.0, **severity, "quality": quality}
    columns = {name: np.broadcast_to(np.asarray(value, object), len(images)) for name, value in values.items()}
    Distortion.objects.bulk_create(
        Distortion(
            image=image,
            version=distortion_version(),
            state=state,
            reason=reason,
            laplacian_variance=None if columns["quality"][row] is None else 100.0,
            quality_class=_distortion_class(columns["quality"][row]),
            **{name: column[row] for name, column in columns.items()},
        )
        for row, image in enumerate(images)
    )


def _distortion_class(quality: float | None) -> str:
    if quality is None:
        return ""
    return REJECTED if quality <= 10 else PENDING if quality <= 60 else ACCEPTED

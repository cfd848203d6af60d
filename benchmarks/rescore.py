"""Predictions with new heads from stored features. Calls the workers' service on a real database."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._campaign import images_make, temporary_campaign
from benchmarks._claims import Claim, Setting
from benchmarks._machine import machine
from benchmarks._photos import photo_files

if TYPE_CHECKING:
    from inference.models import ModelVersion

MANY = 100_000
BUDGET_SECONDS = 10.0


def measure(setting: Setting) -> Iterator[Claim]:
    """Predict all photos of a campaign again; compare with one ORM object per row and with opening the photos."""
    count, sample = (200, 100) if setting.tiny else (MANY, 4000)
    with temporary_campaign("rescore") as (folder, campaign):
        from inference.services.predictions import predictions_refresh
        from inference.services.versions import prior_install

        files = photo_files(setting, folder, 8 if setting.tiny else 256)
        images_make(campaign, count)
        seconds_per_photo = _features_make(files, count)
        former = prior_install(campaign=campaign)
        predictions_refresh(version=former)
        start = time.perf_counter()
        predictions_refresh(version=_version_after(former))
        seconds = time.perf_counter() - start
        start = time.perf_counter()
        _with_objects(_version_after(former), sample)
        theirs = sample / (time.perf_counter() - start)
    ours = count / seconds
    done = f"Predicting {count:,} photos with new heads: {seconds:.1f} s, {ours:.0f} photos per second"
    yield machine().seconds_claim(
        f"Predicting {MANY:,} photos with new heads, at the speed of {count:,}",
        MANY / ours,
        BUDGET_SECONDS,
        "s",
        key="rescore",
    )
    yield Claim(
        claim=done,
        value=ours / theirs,
        unit="times as many photos per second",
        baseline=f"one ORM object per row: {theirs:.0f} photos per second",
        target=4.0,
    )
    yield Claim(
        claim=done,
        value=ours * seconds_per_photo,
        unit="times as many photos per second",
        baseline=f"opening every photo again: {1 / seconds_per_photo:.0f} photos per second",
        target=50.0,
    )


def _features_make(files: list[Path], count: int) -> float:
    """Store the files' features in turn, one row per image; return the seconds to open and process one file."""
    from django.conf import settings
    from django.db import connection

    from inference.scoring.pipeline import BATCH, photos_extract
    from inference.selectors import backbone_key
    from inference.serving import runtime

    network = runtime.backbone()

    def extract() -> np.ndarray:
        batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
        processed = photos_extract(
            batches,
            source=lambda path: path,
            network=network,
            max_pixels=settings.IQS_MAX_PIXELS,
            threads=settings.IQS_THREADS,
        )
        return np.stack([result.features for batch in processed for _, result in batch if result.features is not None])

    extract()  # loads the network
    start = time.perf_counter()
    vectors = extract()
    seconds = time.perf_counter() - start
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inference_feature "
            "(image_id, turn_campaign, turn_import, backbone, vector, state, reason, attempts) "
            "SELECT id, campaign_id, 0, %s, (%s::bytea[])[1 + id %% %s], 'done', '', 1 "
            "FROM annotation_image ORDER BY id",
            [backbone_key(settings.IQS_BACKBONE), [vector.astype("<f2").tobytes() for vector in vectors], len(vectors)],
        )
        assert cursor.rowcount == count
        cursor.execute("ANALYZE")
    return seconds / len(vectors)


def _version_after(version: "ModelVersion") -> "ModelVersion":
    """Return a new version with the same files. To the service it is a retrained one."""
    from inference.services.versions import version_create

    return version_create(
        campaign=version.campaign, source=version.path, backbone=version.backbone, recipe={"name": "benchmark"}
    )


def _with_objects(version: "ModelVersion", count: int) -> None:
    """Predict `count` photos with one ORM object per row: the baseline."""
    from inference.models import Feature, Prediction
    from inference.scoring.decode import mean_and_std
    from inference.serving import runtime

    campaign = version.campaign
    rows = Feature.objects.filter(image__campaign=campaign).order_by("image_id")
    for begin in range(0, count, 2000):
        part = list(rows[begin : min(begin + 2000, count)])
        features = np.stack([np.frombuffer(row.vector or b"", dtype="<f2") for row in part]).astype(np.float32)
        scores = runtime.heads(version).predict(features)
        means, stds = mean_and_std(scores.distribution, campaign.scale_min)
        Prediction.objects.bulk_create(
            [
                Prediction(
                    image_id=row.image_id,
                    model_version=version,
                    watch_probability=float(scores.watch_probability[place]),
                    synset_probabilities=scores.synset_probabilities[place].tolist(),
                    quality_mean=float(means[place]),
                    quality_std=float(stds[place]),
                    distribution=scores.distribution[place].tolist(),
                )
                for place, row in enumerate(part)
            ],
            ignore_conflicts=True,
        )

"""What is known about compared photos besides votes and predictions, for the calibration page."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from django.db import connection
from django.utils import timezone
from numpy.typing import NDArray

from annotation.models import Image, synset_names
from inference.models import ModelVersion
from inference.networks.config import WeightsMissing
from inference.selectors import backbone_key, backbone_of, distortion_version, feature_matrix
from inference.serving.runtime import backbone_chosen
from training.evaluation.calibration.content_groups import FITTED, group_count, grouped
from training.evaluation.calibration.facts import DISTORTIONS, NO_GROUP, PhotoFacts
from training.evaluation.comparison import Comparison

OTHER_PHOTOS = "other photos"
_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WebP", ".avif": "AVIF", ".bmp": "BMP"}
# Features of so many photos are in memory at once: 26 MB with 1,280 features.
_CHUNK = 5_000

# One array of ids instead of 100,000 parameters.
_PHOTOS = """
SELECT image.id, batch.source, image.suffix, image.width, image.height, image.created_at, image.split
FROM annotation_image image LEFT JOIN annotation_importbatch batch ON batch.id = image.batch_id
WHERE image.id = ANY(%s)
"""
_SEVERITIES = """
SELECT image_id, blur, noise, exposure, compression FROM inference_distortion
WHERE image_id = ANY(%s) AND version = %s AND state = 'done'
"""
_WITH_FEATURES = """
SELECT image_id FROM inference_feature WHERE image_id = ANY(%s) AND backbone = %s AND state = 'done'
AND vector IS NOT NULL ORDER BY image_id
"""


def photo_facts(comparison: Comparison, version: ModelVersion | None = None, *, seed: int = 1) -> PhotoFacts:
    """Return the facts of the compared photos, in their order.

    Two queries, and with a version one for each 5,000 photos more: for the content groups, which come from the features
    of the campaign's backbone, or of the version's when the site cannot name the campaign's.
    """
    ids = comparison.image_ids
    rows = {row[0]: row for row in _rows(_PHOTOS, ids.tolist())}
    missing = (0, "", "", 0, 0, None, "")  # deleted since the votes were read
    found = [rows.get(pk, missing) for pk in ids.tolist()]
    content = _content(ids, version, seed=seed)
    return PhotoFacts(
        sources=np.array([PurePath(row[1]).name if row[1] else OTHER_PHOTOS for row in found], dtype=np.str_),
        formats=np.array([_FORMATS.get(row[2].lower(), row[2].lstrip(".").upper()) for row in found], dtype=np.str_),
        megapixels=np.array([row[3] * row[4] / 1e6 for row in found], dtype=np.float64),
        months=np.array([f"{timezone.localtime(row[5]):%Y-%m}" if row[5] else "" for row in found], dtype=np.str_),
        distortions=_severities(ids),
        **content,
        is_holdout=np.array([row[6] == Image.Split.HOLDOUT for row in found], dtype=bool),
    )


def _severities(ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the severities of the photos [N, 4], NaN for those that are not measured (one query)."""
    severities = np.full((len(ids), len(DISTORTIONS)), np.nan)
    rows = _rows(_SEVERITIES, ids.tolist(), distortion_version())
    if rows:
        table = np.array(rows, dtype=np.float64)
        severities[np.searchsorted(ids, table[:, 0].astype(np.int64))] = table[:, 1:]
    return severities


def _content(ids: NDArray[np.int64], version: ModelVersion | None, *, seed: int) -> dict[str, Any]:
    """Return the facts about content groups by their name in PhotoFacts; nothing for too few photos.

    A page never computes them: they are part of the figures of `stored_calibrations`.
    """
    groups = group_count(len(ids))
    if version is None or not groups:
        return {}
    try:
        key = backbone_key(version.campaign.backbone)
    except WeightsMissing:
        key = version.backbone
    with_features = np.array([pk for (pk,) in _rows(_WITH_FEATURES, ids.tolist(), key)], dtype=np.int64)
    groups = group_count(len(with_features))
    if not groups:
        return {}
    sample = with_features
    if len(sample) > FITTED:
        sample = np.sort(np.random.default_rng(seed).choice(sample, FITTED, replace=False))

    def chunks() -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        for start in range(0, len(with_features), _CHUNK):
            yield feature_matrix(with_features[start : start + _CHUNK], key)

    features = feature_matrix(sample, key)[1]
    found = grouped(features, chunks(), groups=groups, seed=seed, classes=_class_names(key, features.shape[1]))
    content = np.full(len(ids), NO_GROUP, dtype=np.int64)
    content[np.searchsorted(ids, found.photos)] = found.labels
    return {"content": content, "examples": found.examples, "typical": found.typical}


def _class_names(key: str, features: int) -> tuple[str, ...]:
    """Return the names of the classes whose log-probabilities end the features of this key; () if they have none."""
    try:
        config = backbone_chosen(backbone_of(key))
    except WeightsMissing:
        return ()
    names = synset_names()
    return names if config.classes == len(names) and config.feature_size == features else ()


def _rows(statement: str, *parameters: Any) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

"""The four detectors together: one quality, one class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from inference.distortion.blur import blur_score, laplacian, laplacian_variance
from inference.distortion.compression import compression_score
from inference.distortion.exposure import exposure_score
from inference.distortion.grey import grey_of
from inference.distortion.noise import noise_score

#: Raised whenever any number below could come out differently: stored rows of other versions are measured again.
ALGORITHM_VERSION = 1


@dataclass(frozen=True)
class DistortionScores:
    """What the detectors measured in one photo."""

    blur: float
    """0 … 1, larger is worse; so are the next three."""
    noise: float
    exposure: float
    compression: float
    laplacian_variance: float
    """Variance of the Laplacian, on grey values 0 … 255; larger is sharper. Not part of `quality`."""
    quality: float
    """0 … 100, of the four together; larger is better."""
    quality_class: str
    """rejected, pending or accepted."""


def distortions_measure(picture: Image.Image) -> DistortionScores:
    """Measure a photo: any mode, any size from 1 × 1, upright. Deterministic; depends on nothing but the pixels."""
    grey = grey_of(picture)
    second = laplacian(grey)
    scores = (
        blur_score(grey, second),
        noise_score(grey),
        exposure_score(np.bincount(grey.ravel(), minlength=256)),
        compression_score(grey),
    )
    quality = quality_of(scores)
    return DistortionScores(*scores, laplacian_variance(second), quality, quality_class_of(quality))


def quality_of(scores: Sequence[float]) -> float:
    """Return 0 … 100 of scores 0 … 1: all weigh the same, but a score above .9 weighs 20 times as much."""
    weights = [20.0 if score > 0.9 else 1.0 for score in scores]
    worse = sum(weight * score for weight, score in zip(weights, scores, strict=True)) / sum(weights)
    return 100 * (1 - worse)


def quality_class_of(quality: float) -> str:
    """Return the class of a quality: rejected up to 10, pending up to 60, else accepted."""
    if quality <= 10:
        return "rejected"
    return "pending" if quality <= 60 else "accepted"

"""Combines the four detectors into one quality and one class."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from inference.distortion.blur import blur_score, laplacian, laplacian_variance
from inference.distortion.compression import compression_score
from inference.distortion.exposure import exposure_score
from inference.distortion.noise import noise_score, noise_variance
from inference.distortion.preprocess import planes_of

#: Increase it whenever a number below may change. Photos with rows of other versions only are measured again.
ALGORITHM_VERSION = 1

_SEVERE = 0.9
_SEVERE_WEIGHT = 20


@dataclass(frozen=True)
class DistortionScores:
    """Measurements of the detectors for one photo."""

    blur: float
    """0 … 1, larger is worse. The same holds for the next three."""
    noise: float
    exposure: float
    compression: float
    laplacian_variance: float
    """Variance of the Laplacian, on grey values 0 … 255; larger is sharper. Not part of `quality`."""
    quality: float
    """Combined quality, 0 … 100; larger is better."""
    quality_class: str
    """rejected, pending or accepted."""


def distortions_measure(picture: Image.Image) -> DistortionScores:
    """Measure an upright photo of any mode and any size from 1 × 1. Deterministic; depends on the pixels only."""
    planes = planes_of(picture)
    second = laplacian(planes.grey)
    variance = noise_variance(planes.grey)
    scores = (
        blur_score(planes.grey, planes.grey_counts, second, variance),
        noise_score(variance),
        exposure_score(planes.brightest_counts),
        compression_score(planes.native),
    )
    quality = quality_of(scores)
    return DistortionScores(*scores, laplacian_variance(second), quality, quality_class_of(quality))


def quality_of(scores: Sequence[float]) -> float:
    """Return 0 … 100 of scores 0 … 1, larger is better: 100 (1 − Σ w s), equal weights, but ×20 for scores above .9.

    Among the scores above .9, the number that get the larger weight is chosen so that the quality is lowest. If all of
    them got it, a second score just above .9 would lower the mean of a first one at 1, and a worse photo would get a
    better quality.
    """
    ordered = sorted(scores, reverse=True)
    severe = sum(score > _SEVERE for score in ordered)
    worst = max(
        (_SEVERE_WEIGHT * sum(ordered[:count]) + sum(ordered[count:])) / (_SEVERE_WEIGHT * count + len(ordered) - count)
        for count in range(severe + 1)
    )
    return float(100 * (1 - worst))


def quality_class_of(quality: float) -> str:
    """Return the class of a quality: rejected up to 10, pending up to 60, else accepted."""
    if quality <= 10:
        return "rejected"
    return "pending" if quality <= 60 else "accepted"

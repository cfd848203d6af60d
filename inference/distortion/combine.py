"""The four detectors together: one quality, one class."""

from dataclasses import dataclass


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

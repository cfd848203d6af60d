"""Turns probabilities into mean, standard deviation and quality class. Pure numpy."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.classification import quality_classes
from annotation.measures.distribution import mean_score, score_deviation

QUALITY_CLASSES = REJECTED, PENDING, ACCEPTED = "rejected", "pending", "accepted"


def mean_and_std(distribution: NDArray[np.floating], lowest: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation [N] of distributions [N, K] over the scores lowest, lowest + 1, …

    mean = Σ k·p_k, as in NIMA (Talebi & Milanfar 2018, section III).
    """
    return mean_score(distribution, lowest=lowest), score_deviation(distribution)


def quality_class_index(mean: ArrayLike, *, reject_at: float, pending_at: float) -> NDArray[np.int64]:
    """Return the index in QUALITY_CLASSES of each mean: rejected ≤ reject_at < pending ≤ pending_at < accepted."""
    return quality_classes(mean, reject_at=reject_at, pending_at=pending_at).astype(np.int64)


def quality_class(mean: ArrayLike, *, reject_at: float, pending_at: float) -> list[str]:
    """Return the class of each mean score (`quality_class_index`)."""
    return [QUALITY_CLASSES[place] for place in quality_class_index(mean, reject_at=reject_at, pending_at=pending_at)]

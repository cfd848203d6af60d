"""From probabilities to the numbers and classes that people read. Pure numpy."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

QUALITY_CLASSES = REJECTED, PENDING, ACCEPTED = "rejected", "pending", "accepted"


def mean_and_std(distribution: NDArray[np.floating], lowest: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation [N] of distributions [N, K] over the scores lowest, lowest + 1, …

    mean = Σ k·p_k, as in NIMA (Talebi & Milanfar 2018, section III).
    """
    p = np.asarray(distribution, dtype=np.float64)
    scores = lowest + np.arange(p.shape[-1])
    mean = p @ scores
    # About the mean: the difference of two squares near 100² would leave little of a small spread.
    variance = np.einsum("...k,...k->...", p, (scores - mean[..., np.newaxis]) ** 2)
    return mean, np.sqrt(variance)


def quality_place(mean: ArrayLike, *, reject_at: float, pending_at: float) -> NDArray[np.int64]:
    """Return each mean's place in QUALITY_CLASSES: rejected ≤ reject_at < pending ≤ pending_at < accepted."""
    return np.searchsorted([reject_at, pending_at], np.asarray(mean), side="left")


def quality_class(mean: ArrayLike, *, reject_at: float, pending_at: float) -> list[str]:
    """Return the class of each mean score, as `quality_place` tells it."""
    return [QUALITY_CLASSES[place] for place in quality_place(mean, reject_at=reject_at, pending_at=pending_at)]

"""From probabilities to the numbers and classes that people read. Pure numpy."""

import numpy as np
from numpy.typing import NDArray

REJECTED, PENDING, ACCEPTED = "rejected", "pending", "accepted"


def mean_and_std(distribution: NDArray[np.floating], lowest: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation [N] of distributions [N, K] over the scores lowest, lowest + 1, …

    mean = Σ k·p_k, as in NIMA (Talebi & Milanfar 2018, section III).
    """
    p = np.asarray(distribution, dtype=np.float64)
    scores = lowest + np.arange(p.shape[-1])
    mean = p @ scores
    variance = p @ scores**2 - mean**2
    return mean, np.sqrt(np.clip(variance, 0.0, None))


def quality_class(mean: NDArray[np.floating], *, reject_at: float, pending_at: float) -> list[str]:
    """Return the class of each mean score: rejected ≤ reject_at < pending ≤ pending_at < accepted."""
    names = (REJECTED, PENDING, ACCEPTED)
    places = (np.asarray(mean) > reject_at).astype(int) + (np.asarray(mean) > pending_at)
    return [names[place] for place in places]

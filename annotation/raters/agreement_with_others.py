"""Compares one annotator's opinion scores with the other annotators' means of the same photos."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from annotation.measures.correlation import srcc
from annotation.measures.intervals import Interval, mean_interval, wilson_interval


@dataclass(frozen=True)
class AgreementWithOthers:
    """Figures of n photos."""

    shift: Interval
    """Mean of own score − others' mean, in points; above 0: higher scores than the others. The interval is by
    Student's t, unbounded for one photo."""
    within_one: Interval
    """Share of the photos with a score at most one point from the others' mean."""
    rank_correlation: float
    """Spearman's, in [−1, 1]; NaN with fewer than three photos, or where all scores or all means are the same."""

    @property
    def n(self) -> int:
        """Return how many photos are compared."""
        return self.shift.n


def agreement_with_others(own: ArrayLike, others: ArrayLike) -> AgreementWithOthers | None:
    """Compare own opinion scores [n] with the others' means [n] of the same photos; None without photos.

    Raises ValueError when the two differ in length.
    """
    scores, means = np.asarray(own, dtype=np.float64).ravel(), np.asarray(others, dtype=np.float64).ravel()
    if len(scores) != len(means):
        raise ValueError(f"{len(scores)} scores do not match {len(means)} means.")
    n = len(scores)
    if not n:
        return None
    difference = scores - means
    return AgreementWithOthers(
        shift=mean_interval(difference),
        within_one=wilson_interval(int((np.abs(difference) <= 1 + 1e-9).sum()), n),
        rank_correlation=float(srcc(scores, means)) if n > 2 else float("nan"),
    )

"""How one annotator's opinion scores lie beside the others' means of the same photos."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from annotation.measures.intervals import Interval, wilson_interval

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AgreementWithOthers:
    """Figures of n photos."""

    shift: Interval
    """Mean of own score less the others' mean, in points; above 0: kinder than the others. The interval is by
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
        raise ValueError(f"{len(scores)} scores and {len(means)} means do not belong together.")
    n = len(scores)
    if not n:
        return None
    difference = scores - means
    shift = float(difference.mean())
    half = float(stdtrit(n - 1, 0.975) * difference.std(ddof=1) / np.sqrt(n)) if n > 1 else float("inf")
    return AgreementWithOthers(
        shift=Interval(shift, shift - half, shift + half, n),
        within_one=wilson_interval(int((np.abs(difference) <= 1 + 1e-9).sum()), n),
        rank_correlation=_spearman(scores, means),
    )


def _spearman(one: Floats, other: Floats) -> float:
    """Pearson's correlation of the ranks, ties sharing their mean rank."""
    first, second = _ranks(one), _ranks(other)
    if len(one) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: Floats) -> Floats:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks

"""How one annotator's opinion scores lie beside the others' means of the same photos."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AgreementWithOthers:
    """Of N photos; a figure that they cannot give is NaN."""

    photos: int
    shift: float
    """Mean of own score less the others' mean, in points; above 0: kinder than the others."""
    shift_low: float
    shift_high: float
    """The 95 % interval of the shift by Student's t; NaN with fewer than two photos."""
    within_one: float
    """Share of the photos with a score at most one point from the others' mean, in [0, 1]."""
    rank_correlation: float
    """Spearman's, in [−1, 1]; NaN with fewer than three photos, or where all scores or all means are the same."""


def agreement_with_others(own: ArrayLike, others: ArrayLike) -> AgreementWithOthers:
    """Compare own opinion scores [N] with the others' means [N] of the same photos.

    Raises ValueError when the two differ in length.
    """
    scores, means = np.asarray(own, dtype=np.float64).ravel(), np.asarray(others, dtype=np.float64).ravel()
    if len(scores) != len(means):
        raise ValueError(f"{len(scores)} scores and {len(means)} means do not belong together.")
    n = len(scores)
    if not n:
        nan = float("nan")
        return AgreementWithOthers(0, nan, nan, nan, nan, nan)
    difference = scores - means
    shift = float(difference.mean())
    half = float(stdtrit(n - 1, 0.975) * difference.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return AgreementWithOthers(
        photos=n,
        shift=shift,
        shift_low=shift - half,
        shift_high=shift + half,
        within_one=float((np.abs(difference) <= 1 + 1e-9).mean()),
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

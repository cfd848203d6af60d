"""Self-agreement: how similar an annotator's two answers to the same photo are (hidden repeats).

Sources: Bland & Altman (1996), 'Measurement error', BMJ 312:1654, for the within-subject standard
deviation of pairs (ISO 5725 calls it the repeatability standard deviation); its interval is that of a
variance of n degrees of freedom (chi-square); Student's t for the drift; Wilson (1927) for shares.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from annotation.measures.intervals import Interval, mean_interval, root_mean_square_interval, wilson_interval


@dataclass(frozen=True)
class SelfAgreement:
    """Figures of n photos answered twice; scores in points of the scale."""

    exact: Interval
    """Share of photos with the same score both times."""
    within_one: Interval
    """Share of photos whose two scores differ by one point at most."""
    rmse: Interval
    """√(Σd²/n) of the differences d = second − first."""
    repeatability: Interval
    """√(Σd²/2n), the standard deviation of one answer around the annotator's own mean for a photo."""
    drift: Interval
    """Mean of d; the interval is unbounded for one photo."""
    watch: Interval
    """Share of photos with the same watch label both times."""

    @property
    def n(self) -> int:
        """Return how many photos were answered twice."""
        return self.exact.n


def self_agreement(
    first_scores: ArrayLike, second_scores: ArrayLike, first_watch: ArrayLike, second_watch: ArrayLike
) -> SelfAgreement | None:
    """Return the figures of pairs of answers, each argument [n] in the same order. None without pairs.

    The intervals of rmse and repeatability assume normal differences with mean zero. When all pairs are equal, the
    intervals have no width; with few pairs this does not mean certainty. Raises ValueError when the arguments differ in
    length.
    """
    first, second = (np.asarray(scores, dtype=np.float64).ravel() for scores in (first_scores, second_scores))
    watch, again = (np.asarray(labels).ravel() for labels in (first_watch, second_watch))
    n = len(first)
    if not n == len(second) == len(watch) == len(again):
        raise ValueError(f"{n}, {len(second)}, {len(watch)} and {len(again)} answers are not pairs.")
    if not n:
        return None
    difference = second - first
    return SelfAgreement(
        exact=wilson_interval(int((difference == 0).sum()), n),
        within_one=wilson_interval(int((np.abs(difference) <= 1).sum()), n),
        rmse=root_mean_square_interval(difference),
        repeatability=root_mean_square_interval(difference / np.sqrt(2)),
        drift=mean_interval(difference),
        watch=wilson_interval(int((watch == again).sum()), n),
    )

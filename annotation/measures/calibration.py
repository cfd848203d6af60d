"""Calibration of predicted probabilities and predicted scores: reliability bins and calibration error.

Sources: Murphy & Winkler (1977) for reliability diagrams; Naeini, Cooper & Hauskrecht (2015) for the
expected calibration error; Wilson (1927) for the interval of a share; Student (1908) for that of a mean.

The bins are those of scikit-learn's `calibration_curve(strategy="quantile")`, which the tests check. That function does
not return the number of photos per bin, which the intervals and the calibration error need, and it rejects opinion
scores.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import Interval, mean_interval, wilson_interval

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReliabilityBin:
    """Photos with similar predictions, and the observed value of people's answers."""

    predicted: float
    """Mean of the predictions."""
    observed: Interval
    """Share of watches, or mean of the opinion scores."""

    @property
    def n(self) -> int:
        """Return how many photos are in the bin."""
        return self.observed.n


def reliability_bins(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 10) -> list[ReliabilityBin]:
    """Return quantile bins of probabilities [N] against 0/1 labels [N], lowest first; intervals by Wilson.

    Each bin holds about N/bins photos; equal probabilities are always in the same bin.
    """
    p, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    return [
        ReliabilityBin(float(p[rows].mean()), wilson_interval(int(truth[rows].sum()), len(rows)))
        for rows in quantile_groups(p, bins)
    ]


def score_bins(predicted: ArrayLike, observed: ArrayLike, *, bins: int = 10) -> list[ReliabilityBin]:
    """Return quantile bins of predicted means [N] against mean opinion scores [N], lowest first.

    Intervals by Student's t, unbounded for a single photo.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    return [ReliabilityBin(float(x[rows].mean()), mean_interval(y[rows])) for rows in quantile_groups(x, bins)]


def expected_calibration_error(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 10) -> float:
    """Return Σ n_b/N·|predicted_b − observed_b| over quantile bins, in [0, 1]; NaN without photos.

    It depends on the number of bins, so compare only values with the same `bins`. The Brier score is more reliable.
    """
    found = reliability_bins(probabilities, labels, bins=bins)
    total = sum(one.n for one in found)
    return sum(one.n * abs(one.predicted - one.observed.value) for one in found) / total if total else float("nan")


def quantile_groups(values: Floats, bins: int) -> list[NDArray[np.intp]]:
    """Return the row numbers of each quantile bin. Bins that are empty because of ties are left out."""
    if not values.size:
        return []
    edges = np.percentile(values, 100 * np.linspace(0, 1, bins + 1))[1:-1]
    bin_of = np.searchsorted(edges, values, side="left")
    return [np.flatnonzero(bin_of == one) for one in np.unique(bin_of)]

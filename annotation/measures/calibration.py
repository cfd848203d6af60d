"""Whether a predicted probability means what it says, and a predicted score is neither too high nor too low.

Sources: Murphy & Winkler (1977) for reliability diagrams; Naeini, Cooper & Hauskrecht (2015) for the
expected calibration error; Wilson (1927) for the interval of a share; Student (1908) for that of a mean.

The bins are those of scikit-learn's `calibration_curve(strategy="quantile")`, which the tests hold them against. That
function gives no number of photos per bin, so neither interval nor calibration error can be had from it, and it refuses
opinion scores.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import Interval, mean_interval, wilson_interval

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReliabilityBin:
    """Photos of about the same predicted value, and what people said about them."""

    predicted: float
    """Mean of the predictions."""
    observed: Interval
    """Share of watches, or mean opinion score."""

    @property
    def n(self) -> int:
        """Return how many photos are in the bin."""
        return self.observed.n


def reliability_bins(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 10) -> list[ReliabilityBin]:
    """Return quantile bins of probabilities [N] against 0/1 labels [N], lowest first; intervals by Wilson.

    Each bin holds about N/bins photos; equal probabilities never fall into two bins.
    """
    p, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    return [
        ReliabilityBin(float(p[rows].mean()), wilson_interval(int(truth[rows].sum()), len(rows)))
        for rows in _quantile_groups(p, bins)
    ]


def score_bins(predicted: ArrayLike, observed: ArrayLike, *, bins: int = 10) -> list[ReliabilityBin]:
    """Return quantile bins of predicted means [N] against mean opinion scores [N], lowest first.

    Intervals by Student's t, unbounded for a single photo.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    return [ReliabilityBin(float(x[rows].mean()), mean_interval(y[rows])) for rows in _quantile_groups(x, bins)]


def expected_calibration_error(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 10) -> float:
    """Return Σ n_b/N·|predicted_b − observed_b| over quantile bins, in [0, 1]; NaN without photos.

    It depends on the number of bins: compare only values of the same `bins`, and look at Brier first.
    """
    found = reliability_bins(probabilities, labels, bins=bins)
    total = sum(one.n for one in found)
    return sum(one.n * abs(one.predicted - one.observed.value) for one in found) / total if total else float("nan")


def _quantile_groups(values: Floats, bins: int) -> list[NDArray[np.intp]]:
    """Return the row numbers of each quantile bin; bins that ties empty are left out."""
    if not values.size:
        return []
    edges = np.percentile(values, 100 * np.linspace(0, 1, bins + 1))[1:-1]
    bin_of = np.searchsorted(edges, values, side="left")
    return [np.flatnonzero(bin_of == one) for one in np.unique(bin_of)]

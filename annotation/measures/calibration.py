"""Whether a predicted probability means what it says, and a predicted score is neither too high nor too low.

Sources: Murphy & Winkler (1977) for reliability diagrams; Naeini, Cooper & Hauskrecht (2015) for the
expected calibration error; Wilson (1927) for the interval of a share.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import wilson_interval

Floats = NDArray[np.float64]
_Z = 1.959964  # two-sided 95 % of a normal distribution


@dataclass(frozen=True)
class ReliabilityBin:
    """Photos of about the same predicted value, and what people said about them."""

    predicted: float
    """Mean of the predictions."""
    observed: float
    """Share of watches, or mean opinion score."""
    low: float
    high: float
    """95 % interval of `observed`."""
    n: int


def reliability_bins(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 10) -> list[ReliabilityBin]:
    """Return quantile bins of probabilities [N] against 0/1 labels [N], lowest first; intervals by Wilson.

    Each bin holds about N/bins photos; equal probabilities never fall into two bins.
    """
    p, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    found = []
    for rows in _quantile_groups(p, bins):
        share = wilson_interval(int(truth[rows].sum()), len(rows))
        found.append(ReliabilityBin(float(p[rows].mean()), share.value, share.low, share.high, share.n))
    return found


def score_bins(predicted: ArrayLike, observed: ArrayLike, *, bins: int = 10) -> list[ReliabilityBin]:
    """Return quantile bins of predicted means [N] against mean opinion scores [N], lowest first.

    The interval is ±1.96 standard errors of the bin's mean; it is the whole line for a single photo.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    found = []
    for rows in _quantile_groups(x, bins):
        centre = float(y[rows].mean())
        half = float(_Z * y[rows].std(ddof=1) / np.sqrt(len(rows))) if len(rows) > 1 else float("inf")
        found.append(ReliabilityBin(float(x[rows].mean()), centre, centre - half, centre + half, len(rows)))
    return found


def expected_calibration_error(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 10) -> float:
    """Return Σ n_b/N·|predicted_b − observed_b| over quantile bins, in [0, 1]; NaN without photos.

    It depends on the number of bins: compare only values of the same `bins`, and look at Brier first.
    """
    found = reliability_bins(probabilities, labels, bins=bins)
    total = sum(one.n for one in found)
    return sum(one.n * abs(one.predicted - one.observed) for one in found) / total if total else float("nan")


def _quantile_groups(values: Floats, bins: int) -> list[NDArray[np.intp]]:
    """Return the row numbers of each quantile bin; bins that ties empty are left out."""
    if not values.size:
        return []
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    bin_of = np.searchsorted(edges, values, side="left")
    return [np.flatnonzero(bin_of == one) for one in np.unique(bin_of)]

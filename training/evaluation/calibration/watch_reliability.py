"""Whether watch probabilities mean what they say: reliability diagram with a band, and the parts of the Brier score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures import classification
from annotation.measures.calibration import (
    ReliabilityBin,
    expected_calibration_error,
    quantile_groups,
    reliability_bins,
)
from annotation.measures.intervals import CONFIDENCE

Floats = NDArray[np.float64]

#: With fewer labelled photos a reliability diagram shows only noise.
FEWEST_FOR_DIAGRAM = 20
_PHOTOS_PER_BIN, _FEWEST_BINS, _MOST_BINS = 20, 4, 10
_SIMULATIONS = 1000
# Limits the time: with so many photos the band is narrow anyway.
_SIMULATED_LABELS, _FEWEST_SIMULATIONS = 50_000_000, 200


@dataclass(frozen=True)
class WatchReliability:
    """A reliability diagram: bins of photos with similar probabilities, and what chance alone does to them."""

    bins: tuple[ReliabilityBin, ...]
    """Lowest probabilities first."""
    low: tuple[float, ...]
    """If every probability were right, the share of watches of a bin would lie between these in 95 % of the cases."""
    high: tuple[float, ...]
    error: float
    """Expected calibration error over these bins."""
    error_by_chance: float
    """If every probability were right, the error would be at most this in 95 % of the cases: it is never 0."""

    @property
    def outside(self) -> int:
        """Return how many bins lie outside of their band."""
        return sum(
            not low <= one.observed.value <= high for one, low, high in zip(self.bins, self.low, self.high, strict=True)
        )


@dataclass(frozen=True)
class BrierParts:
    """Brier = miscalibration − discrimination + uncertainty."""

    miscalibration: float
    """What would be gained if each probability said how often photos with it are watches; too high for few photos."""
    discrimination: float
    """What is gained over saying the share of watches for every photo."""
    uncertainty: float
    """Brier score of saying that share for every photo."""


def watch_reliability(
    probabilities: ArrayLike, labels: ArrayLike, groups: ArrayLike, *, seed: int
) -> WatchReliability | None:
    """Return the diagram of probabilities [N] against 0/1 labels [N]; None for few labels, or labels of one kind only.

    The bins are quantiles. The band is a consistency band (Bröcker & Smith, 2007, 'Increasing the reliability of
    reliability diagrams'): labels are drawn from the probabilities themselves, many times. Photos of one group of
    near-duplicates ([N] names of groups) get their labels from the same random number, because they show the same.
    """
    p, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if len(truth) < FEWEST_FOR_DIAGRAM or truth.min() == truth.max():
        return None
    count = int(np.clip(len(truth) // _PHOTOS_PER_BIN, _FEWEST_BINS, _MOST_BINS))
    bins = reliability_bins(p, truth, bins=count)
    rows = quantile_groups(p, count)
    bin_of = np.empty(len(p), dtype=np.int64)
    for place, members in enumerate(rows):
        bin_of[members] = place
    sizes = np.bincount(bin_of)
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    rng = np.random.default_rng(seed)
    simulations = int(np.clip(_SIMULATED_LABELS // len(p), _FEWEST_SIMULATIONS, _SIMULATIONS))
    shares = np.empty((simulations, len(rows)))
    for row in range(simulations):
        drawn = rng.random(int(group.max()) + 1)[group] < p
        shares[row] = np.bincount(bin_of, drawn, len(rows)) / sizes
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(shares, [tail, 1 - tail], axis=0)
    predicted = np.array([one.predicted for one in bins])
    by_chance = (np.abs(shares - predicted) * sizes).sum(axis=1) / len(p)
    return WatchReliability(
        bins=tuple(bins),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        error=expected_calibration_error(p, truth, bins=count),
        error_by_chance=float(np.quantile(by_chance, CONFIDENCE)),
    )


def brier_parts(probabilities: ArrayLike, labels: ArrayLike) -> BrierParts:
    """Return the parts of the Brier score of at least one probability [N] against 0/1 labels [N].

    The calibrated probabilities come from isotonic regression, so the parts do not depend on a choice of bins
    (Dimitriadis, Gneiting & Jordan, 2021, 'Stable reliability diagrams for probabilistic classifiers').
    """
    from sklearn.isotonic import IsotonicRegression

    p, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    calibrated = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit_transform(p, truth)
    share = truth.mean()
    uncertainty = float(share * (1 - share))
    best = float(classification.brier(calibrated, truth))
    return BrierParts(
        miscalibration=float(classification.brier(p, truth)) - best,
        discrimination=uncertainty - best,
        uncertainty=uncertainty,
    )

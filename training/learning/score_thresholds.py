"""From a score on a line to a distribution of votes: the cumulative probit model.

P(vote ≤ k) = Φ((τ_k − score)/s). The thresholds τ_k say how a panel uses its scale, s how far its votes spread.
Source: McCullagh (1980), 'Regression models for ordinal data'.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtr

Floats = NDArray[np.float64]

# The spread of votes before any are seen, in points on a scale from 1 to 10.
_SPREAD = 1.5
# How strongly unequal distances between thresholds are held back, in votes.
_EVENNESS = 5.0
_LEAST = 1e-9


@dataclass(frozen=True)
class Thresholds:
    """The model of one panel."""

    places: Floats
    """τ_k/s [K − 1], ascending."""
    spread: float
    """s, in points."""

    def distribution(self, scores: Floats) -> Floats:
        """Return the distributions of votes [N, K] for scores [N], in points above the lowest score."""
        below = ndtr(self.places - scores[:, None] / self.spread)
        edges = np.zeros((len(scores), 1))
        shares: Floats = np.diff(np.concatenate([edges, below, edges + 1], axis=1), axis=1)
        return shares


def thresholds_fit(scores: Floats, histograms: NDArray[np.floating]) -> Thresholds:
    """Fit the model to votes, counted in `histograms` [N, K], of photos with these scores [N].

    The scores must be predictions for photos that were left out of the learning: with fitted scores the distributions
    would be too narrow. Where votes are few, the thresholds keep even distances.
    """
    bins = histograms.shape[1]
    counts = np.asarray(histograms, dtype=np.float64)
    spread = _SPREAD * (bins - 1) / 9

    def places_of(numbers: Floats) -> Floats:
        steps = np.exp(numbers[1:-1])
        places: Floats = numbers[0] + np.concatenate([[0.0], np.cumsum(steps)])
        return places

    def loss(numbers: Floats) -> float:
        model = Thresholds(places_of(numbers), float(np.exp(numbers[-1])))
        likelihood = float((counts * np.log(model.distribution(scores) + _LEAST)).sum())
        uneven = float(np.square(numbers[1:-1] - numbers[1:-1].mean()).sum()) if bins > 2 else 0.0
        return _EVENNESS * uneven - likelihood

    start = np.concatenate([[0.5 / spread], np.full(bins - 2, -np.log(spread)), [np.log(spread)]])
    # A spread of many scales: the scores say nothing about the votes.
    bounds = [(None, None)] + [(-6.0, 4.0)] * (bins - 2) + [(np.log(spread) - 4, np.log(spread) + 4)]
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300}).x
    return Thresholds(places_of(found), float(np.exp(found[-1])))

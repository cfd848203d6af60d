"""Intervals of a probability by Venn-Abers prediction: wide where few labels are known.

Source: Vovk, Petej and Fedorova (2015), 'Large-scale probabilistic predictors with and without guarantees of
validity'. A new photo is added to the labelled ones, once with each label; the two isotonic regressions give two
probabilities for it, and one of them is calibrated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

_POINTS = 33
_LIMIT = 6.0  # of the log-odds in the table: probabilities from .002 to .998


@dataclass(frozen=True)
class Intervals:
    """Low and high values at some probabilities, which rise; values between them are interpolated."""

    probability: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def at(self, probability: float) -> tuple[float, float]:
        """Return the low and the high value at a probability, 0 … 1."""
        low, high = (np.interp(probability, self.probability, values) for values in (self.low, self.high))
        return float(low), float(high)


def probability_intervals(logits: ArrayLike, labels: ArrayLike) -> Intervals:
    """Return the intervals from logits [N] of photos that the model has not learned from.

    `labels`: the probability of the label for each photo [N], 0 … 1. Raises ValueError without photos.
    """
    from sklearn.isotonic import IsotonicRegression

    scores, label = np.asarray(logits, dtype=np.float64).ravel(), np.asarray(labels, dtype=np.float64).ravel()
    if not len(scores):
        raise ValueError("The intervals need at least one photo.")
    points = np.linspace(-_LIMIT, _LIMIT, _POINTS)
    ends = np.empty((2, _POINTS))
    for place, point in enumerate(points):
        for new in (0, 1):
            model = IsotonicRegression(y_min=0, y_max=1)
            model.fit(np.append(scores, point), np.append(label, new))
            ends[new, place] = model.predict([point])[0]
    low, high = np.sort(ends, axis=0)
    return Intervals(*(tuple(np.round(values, 4).tolist()) for values in (expit(points), low, high)))

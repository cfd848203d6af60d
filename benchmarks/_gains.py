"""Mean difference of two methods over the same draws, with its interval. Not a benchmark."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t


@dataclass(frozen=True)
class Gain:
    """Mean difference, and the ends of its 95 % interval (Student's t over the draws)."""

    mean: float
    low: float
    high: float

    def text(self, factor: float = 1, unit: str = "") -> str:
        """Return the difference in words, with a verdict: 'cannot tell' when the interval contains 0."""
        verdict = "better" if self.low > 0 else "worse" if self.high < 0 else "cannot tell"
        low, mean, high = (
            f"{factor * value:+.{1 if factor > 1 else 3}f}" for value in (self.low, self.mean, self.high)
        )
        return f"{mean}{unit} ({low} to {high}, {verdict})"


def gain(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Gain:
    """Return the gain of the first over the second; one entry per draw, at least two draws."""
    difference = np.asarray(ours) - np.asarray(theirs)
    mean = float(difference.mean())
    half = float(t.ppf(0.975, len(difference) - 1) * difference.std(ddof=1) / np.sqrt(len(difference)))
    return Gain(mean, mean - half, mean + half)

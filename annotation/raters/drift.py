"""How an annotator's scores move against the others' over their answers. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from annotation.measures.intervals import CONFIDENCE

#: Answers in one part at least, and parts at most.
FEWEST_ANSWERS, MOST_PARTS = 10, 12


@dataclass(frozen=True)
class DriftPart:
    """The mean difference from the others over some answers in a row, with its 95 % interval, in points."""

    first: int
    """Number of its first answer, from 1."""
    last: int
    mean: float
    low: float
    high: float


def drift_parts(difference: ArrayLike) -> list[DriftPart]:
    """Return up to `MOST_PARTS` parts of about equal length. [] without answers for two parts.

    difference [N]: own score minus the others' mean, oldest answer first, finite. The intervals are Student's, for
    each part by itself.
    """
    from scipy.special import stdtrit  # slow to import, and few pages need it

    values = np.asarray(difference, dtype=np.float64).ravel()
    count = min(MOST_PARTS, len(values) // FEWEST_ANSWERS)
    if count < 2:
        return []
    parts, first = [], 1
    for part in np.array_split(values, count):
        mean = float(part.mean())
        error = float(part.std(ddof=1)) / len(part) ** 0.5
        half = float(stdtrit(len(part) - 1, (1 + CONFIDENCE) / 2)) * error
        parts.append(DriftPart(first, first + len(part) - 1, mean, mean - half, mean + half))
        first += len(part)
    return parts

"""Whether somebody looks at the photos: gold photos, and scores that are always the same.

Source: the attention checks of ITU-T P.910 and of crowdsourced panels, as described by others: an
answer to a photo of known quality lies within one point, and a session whose scores vary by less than
.15 (variance, on five points) is suspicious. Both say 'look closer', not 'cheating'.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from annotation.measures.intervals import Interval, wilson_interval

GOLD_TOLERANCE = 1
"""Points between an answer and the known score."""
STRAIGHT_LINE_ANSWERS = 50
"""Scores looked at for straight-lining, the last ones."""
STRAIGHT_LINE_FEWEST = 20
_FLATTEST_VARIANCE = 0.15  # on five points
_FIVE_POINTS = 4  # from the lowest to the highest


def gold_hits(
    scores: ArrayLike,
    expected_scores: ArrayLike,
    watch: ArrayLike,
    expected_watch: ArrayLike,
    *,
    tolerance: float = GOLD_TOLERANCE,
) -> Interval | None:
    """Return the share of gold photos that were hit, None without any.

    A hit lies within `tolerance` points of the expected score and has the expected watch label. What is
    not expected, NaN for a score and '' for a label, is not held against anybody. Each argument is [n].
    Raises ValueError when the arguments differ in length.
    """
    given, expected = (np.asarray(column, dtype=np.float64).ravel() for column in (scores, expected_scores))
    label, expected_label = (np.asarray(column).ravel() for column in (watch, expected_watch))
    if not len(given) == len(expected) == len(label) == len(expected_label):
        raise ValueError("Gold answers need a score, an expected score, a label and an expected label each.")
    if not len(given):
        return None
    score_fits = np.isnan(expected) | (np.abs(given - expected) <= tolerance)
    label_fits = (expected_label == "") | (label == expected_label)
    return wilson_interval(int((score_fits & label_fits).sum()), len(given))


@dataclass(frozen=True)
class ScoreSpread:
    """How much an annotator's last scores vary."""

    variance: float
    """Over n − 1, in squared points."""
    limit: float
    """Below it, the scores are suspiciously alike; for the same scale."""
    n: int

    @property
    def is_straight(self) -> bool:
        """Return whether the scores are suspiciously alike."""
        return self.variance < self.limit


def score_spread(scores: ArrayLike, *, lowest: int, highest: int) -> ScoreSpread | None:
    """Return the spread of the last `STRAIGHT_LINE_ANSWERS` of `scores` (oldest first); None for too few.

    The limit for five points is stretched with the scale: a variance grows with the square of its
    length. Raises ValueError for a scale of less than two scores.
    """
    if highest <= lowest:
        raise ValueError(f"A scale needs at least two scores, not {lowest} … {highest}.")
    last = np.asarray(scores, dtype=np.float64).ravel()[-STRAIGHT_LINE_ANSWERS:]
    if len(last) < STRAIGHT_LINE_FEWEST:
        return None
    limit = _FLATTEST_VARIANCE * ((highest - lowest) / _FIVE_POINTS) ** 2
    return ScoreSpread(float(last.var(ddof=1)), limit, len(last))

"""Attention checks: gold photos, and scores that are always the same.

Source: the attention checks of ITU-T P.910 and of crowdsourced panels, as described by others: an answer to a photo of
known quality should be within one point, and a session whose scores have a variance below .15 (on five points) is
suspicious. Both are reasons to check, not proof of cheating.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from annotation.measures.intervals import Interval, wilson_interval

GOLD_TOLERANCE = 1
"""Allowed difference between an answer and the known score, in points."""
STRAIGHT_LINE_ANSWERS = 50
"""Number of latest scores that are checked for straight-lining (always the same score)."""
STRAIGHT_LINE_FEWEST = 20
_FLATTEST_VARIANCE = 0.15  # on a scale of five points
_FIVE_POINTS = 4  # length of that scale


def gold_hits(
    scores: ArrayLike,
    expected_scores: ArrayLike,
    watch: ArrayLike,
    expected_watch: ArrayLike,
    *,
    tolerance: float = GOLD_TOLERANCE,
) -> Interval | None:
    """Return the share of correct answers to gold photos, None without any.

    A correct answer is within `tolerance` points of the expected score and has the expected watch label. An expected
    score of NaN or an expected label of '' is not checked. Each argument is [n].
    Raises ValueError when the arguments differ in length.
    """
    given, expected = (np.asarray(column, dtype=np.float64).ravel() for column in (scores, expected_scores))
    label, expected_label = (np.asarray(column).ravel() for column in (watch, expected_watch))
    if not len(given) == len(expected) == len(label) == len(expected_label):
        raise ValueError("Each gold answer needs a score, an expected score, a label and an expected label.")
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
    """Variance below which the scores are suspiciously similar, on the same scale."""
    n: int

    @property
    def is_straight(self) -> bool:
        """Return whether the scores are suspiciously similar."""
        return self.variance < self.limit


def score_spread(scores: ArrayLike, *, lowest: int, highest: int) -> ScoreSpread | None:
    """Return the spread of the last `STRAIGHT_LINE_ANSWERS` of `scores` (oldest first).

    None for fewer than `STRAIGHT_LINE_FEWEST` scores. The limit for five points is scaled by the square of the length
    of the scale, as a variance is. Raises ValueError for a scale of less than two scores.
    """
    if highest <= lowest:
        raise ValueError(f"A scale needs at least two scores, not {lowest} … {highest}.")
    last = np.asarray(scores, dtype=np.float64).ravel()[-STRAIGHT_LINE_ANSWERS:]
    if len(last) < STRAIGHT_LINE_FEWEST:
        return None
    limit = _FLATTEST_VARIANCE * ((highest - lowest) / _FIVE_POINTS) ** 2
    return ScoreSpread(float(last.var(ddof=1)), limit, len(last))

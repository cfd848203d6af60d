"""How well the true score of each photo is known: a Bayesian ridge on features, and the photo's own votes.

The true score of a photo is what the line says plus a deviation of the photo's own, which no feature explains. The
variance before any vote is that of the line at this photo plus that of the deviation. Votes then lower it as they do
for a normal distribution. The photos that the line is learned from are asked about again, so their votes count twice
there; with hundreds of photos one of them moves the line little.

Source: MacKay, "Bayesian Interpolation", Neural Computation 4, 1992, as scikit-learn has it (`BayesianRidge`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Answered photos that it needs.
FEWEST_ANSWERED = 20
# The photo's own deviation has at least this part of the variance of mean scores.
_LEAST_OWN = 0.05
# Ends of the middle 90 % of a normal distribution, in standard deviations.
_MIDDLE_90 = 1.6449


@dataclass(frozen=True)
class ScoreVotes:
    """Scores of independent votes, summed by photo, [N]."""

    votes: Ints
    total: Floats
    """Sum of the scores; 0 without votes."""

    @property
    def mean(self) -> Floats:
        """Return the mean opinion scores [N]; NaN without votes."""
        return np.where(self.votes > 0, self.total / np.maximum(self.votes, 1), np.nan)


@dataclass(frozen=True)
class QualityKnowledge:
    """What is known about the true scores of N photos."""

    mean: Floats
    variance: Floats


def quality_knowledge(
    answered: NDArray[np.floating],
    given: ScoreVotes,
    asked: NDArray[np.floating],
    own: ScoreVotes,
    *,
    vote_variance: float,
) -> QualityKnowledge | None:
    """Learn from A photos with votes and return what is known about N photos; None with too few answers.

    `answered` [A, D], `asked` [N, D]: inputs. `given` [A], `own` [N]: their votes. `vote_variance`: of one vote around
    the true score, in squared points, above 0.
    """
    from sklearn.linear_model import BayesianRidge  # loads SciPy, which web processes must not

    if len(answered) < FEWEST_ANSWERED:
        return None
    mos = given.mean
    model = BayesianRidge().fit(answered, mos, sample_weight=given.votes.astype(np.float64))
    said, deviation = model.predict(asked, return_std=True)
    of_line = np.maximum(deviation**2 - 1 / model.alpha_, 0)
    residual = float(np.var(mos - model.predict(answered)))
    own_part = max(residual - vote_variance * float(np.mean(1 / given.votes)), _LEAST_OWN * float(np.var(mos)), 1e-6)
    before = of_line + own_part
    variance = 1 / (1 / before + own.votes / vote_variance)
    return QualityKnowledge(variance * (said / before + own.total / vote_variance), variance)


def interval_gap(predicted: Floats, own: ScoreVotes, *, vote_variance: float) -> Floats:
    """Return the gap between the 90 % intervals of people and of a version, [N], in points; 0 where they meet.

    0 also without votes or without a prediction (NaN). The version's error is estimated from the photos with votes:
    the mean squared difference from the mean opinion scores less what the votes themselves are off.
    """
    known = np.isfinite(predicted) & (own.votes > 0)
    if not known.any():
        return np.zeros(len(predicted))
    off = own.mean[known] - predicted[known]
    of_votes = vote_variance / own.votes[known]
    error = max(float(np.mean(off**2) - np.mean(of_votes)), 0.0)
    gap = np.zeros(len(predicted))
    gap[known] = np.maximum(np.abs(off) - _MIDDLE_90 * (np.sqrt(of_votes) + np.sqrt(error)), 0)
    return gap

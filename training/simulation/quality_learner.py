"""The learner of opinion scores: the project's ridge line, and the posterior of each photo's own score around it.

The line of `training.learning.score_line` chooses its decay λ by the errors of groups that are left out. A ridge
regression is the mean of a Gaussian posterior, so λ also says how uncertain the line is. The true score of a photo is
the line plus what features cannot explain, with the variance that the recipe `ridge` assumes. Its posterior, given the
line and the photo's own votes, is the estimate that mixes both (Rasmussen & Williams 2006, 'Gaussian processes for
machine learning', 2.1 and 2.7).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from annotation.measures.correlation import rmse, srcc
from inference.networks.heads import INPUT_LIMIT
from training.learning.corrected_scores import VOTE_VARIANCE
from training.learning.ridge import RidgeConfig
from training.learning.score_line import ScoreLine, score_line_fit
from training.simulation.learners import Answers, Columns, Directions
from training.simulation.ratings import Ratings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CONFIG = RidgeConfig()
# The assumed variance of a vote counts as that of this many further votes beyond the first on a photo.
_VARIANCE_VOTES = 50
# Variance of the offset of the line, in widths of the scale: any offset is possible.
_OFFSET_VARIANCE = 1.0
_NORMAL_90 = 1.645


class QualityLearner:
    """See the module. Without a prior: a campaign that starts from nothing."""

    figures: tuple[str, ...] = ("srcc", "mos_rmse", "mixed_rmse", "rated")

    def __init__(self, ratings: Ratings, photos: Ints, tested: Ints, *, seed: int) -> None:
        self.groups = ratings.groups[photos]
        self.truth, self.tested_truth = ratings.truth[photos], ratings.truth[tested]
        self.steps = ratings.steps
        features = ratings.features
        mean, spread = features[photos].mean(axis=0), features[photos].std(axis=0) + 1e-3
        weight = ratings.layout.block_weight(features.shape[1])

        def inputs(rows: Ints) -> Floats:
            found: Floats = np.clip((features[rows] - mean) / spread, -INPUT_LIMIT, INPUT_LIMIT) * weight
            return found

        self.inputs, self.tested = inputs(photos), inputs(tested)
        self.kernel = self.inputs @ self.inputs.T
        self.directions = Directions(ratings, photos, seed, most=64)
        self.coordinates = self.directions.of(photos)
        self.photo_variance = _CONFIG.photo_variance * self.steps**2

    def columns(self, answers: Answers, wanted: frozenset[str], rng: np.random.Generator) -> Columns:
        """See `Learner.columns`."""
        found: Columns = {}
        if "features" in wanted:
            found["features"] = self.coordinates
        if not wanted & {"quality_mean", "quality_variance", "vote_variance", "quality_disagreement"}:
            return found
        vote_variance = self.vote_variance(answers)
        found["vote_variance"] = np.full(len(answers.count), vote_variance)
        if (answers.count > 0).sum() < 2:
            return found
        line = self._line(answers)
        mean, variance = self.posterior(answers, line)
        found |= {"quality_mean": mean, "quality_variance": variance}
        found["quality_disagreement"] = self._disagreement(answers, line, vote_variance)
        return found

    def measure(self, answers: Answers) -> dict[str, float]:
        """Return the rank correlation on the tested photos, and the errors of the MOS of the campaign's own photos.

        `mos_rmse`: of the mean of the votes, and the mean of all votes for photos without one. `mixed_rmse`: of the
        posterior mean, which mixes model and votes. `rated`: photos with a vote.
        """
        known = answers.count > 0
        overall = answers.total.sum() / max(answers.count.sum(), 1)
        found = {
            "srcc": 0.0,
            "mos_rmse": float(rmse(np.where(known, answers.means, overall), self.truth)),
            "mixed_rmse": float("nan"),
            "rated": float(known.sum()),
        }
        if known.sum() >= 2:
            line = self._line(answers)
            predicted = self.tested @ line.weight
            if predicted.std() > 0:
                found["srcc"] = float(srcc(predicted, self.tested_truth))
            found["mixed_rmse"] = float(rmse(self.posterior(answers, line)[0], self.truth))
        return found

    def vote_variance(self, answers: Answers) -> float:
        """Return the variance of a vote around its photo's true score, by the votes of photos with several."""
        several = answers.count > 1
        rest = (answers.squares - answers.total**2 / np.maximum(answers.count, 1))[several].sum()
        spare = float((answers.count[several] - 1).sum())
        assumed = VOTE_VARIANCE * self.steps**2
        return float((rest + _VARIANCE_VOTES * assumed) / (spare + _VARIANCE_VOTES))

    def posterior(self, answers: Answers, line: ScoreLine) -> tuple[Floats, Floats]:
        """Return mean and variance of the true score of each of the photos [P]."""
        known = np.flatnonzero(answers.count > 0)
        votes = self.vote_variance(answers) / answers.count[known]
        weights = 1 / (votes + self.photo_variance)
        # In `score_line_fit` the weights have the mean 1, and so has the decay's unit.
        signal = 1 / (weights.mean() * line.decay)
        prior = signal * self.kernel + _OFFSET_VARIANCE * self.steps**2
        prior[np.diag_indices_from(prior)] += self.photo_variance
        centre = float(np.average(answers.means[known], weights=weights))
        towards = prior[known]
        factor = cho_factor(towards[:, known] + np.diag(votes), lower=True)
        mean = centre + towards.T @ cho_solve(factor, answers.means[known] - centre)
        variance = prior.diagonal() - np.einsum("kp,kp->p", towards, cho_solve(factor, towards))
        return mean, np.maximum(variance, 1e-9)

    def _line(self, answers: Answers) -> ScoreLine:
        known = np.flatnonzero(answers.count > 0)
        variance = self.vote_variance(answers) / answers.count[known] + self.photo_variance
        return score_line_fit(
            self.inputs[known],
            answers.means[known],
            1 / variance,
            np.zeros(len(known)),
            groups=self.groups[known],
            decays=_CONFIG.decays,
            most_prior=0.0,
        )

    def _disagreement(self, answers: Answers, line: ScoreLine, vote_variance: float) -> Floats:
        """Return the gap between the 90 % intervals of the votes and of the line without the photo's group [P]."""
        gap = np.zeros(len(answers.count))
        known = np.flatnonzero(answers.count > 0)
        error = vote_variance / answers.count[known]
        apart = np.abs(answers.means[known] - line.left_out)
        of_line = max(float((apart**2 - error).mean()), self.photo_variance)
        gap[known] = np.maximum(apart - _NORMAL_90 * (np.sqrt(error) + np.sqrt(of_line)), 0)
        return gap

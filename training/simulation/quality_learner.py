"""The learner of opinion scores: the project's ridge line, and the posterior of each photo's own score around it.

The line of `training.learning.score_line` chooses its decay λ by the errors of groups that are left out. A ridge
regression is the mean of a Gaussian posterior, so λ also says how uncertain the line is. It learns from the scores of
the panel model, which takes out the bias of the annotators, as the recipes do (`corrected_scores`). The true score of a
photo is the line plus what features cannot explain, with the variance that the recipe `ridge` assumes. Its posterior,
given the line and the photo's own votes, is the estimate that mixes both (Rasmussen & Williams 2006, 'Gaussian
processes for machine learning', 2.1 and 2.7).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from annotation.measures.correlation import rmse, srcc
from inference.networks.heads import INPUT_LIMIT
from training.learning.corrected_scores import VOTE_VARIANCE, Scores, corrected_scores
from training.learning.dataset import RatedImages, RatedVotes
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
        self.steps, self.lowest = ratings.steps, ratings.lowest
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
        learned = self._learned(answers)
        mean, variance = self.posterior(learned)
        found |= {"quality_mean": mean, "quality_variance": variance}
        found["quality_disagreement"] = self._disagreement(learned)
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
            learned = self._learned(answers)
            predicted = self.tested @ learned.line.weight
            if predicted.std() > 0:
                found["srcc"] = float(srcc(predicted, self.tested_truth))
            found["mixed_rmse"] = float(rmse(self.posterior(learned)[0], self.truth))
        return found

    def vote_variance(self, answers: Answers) -> float:
        """Return the variance of a vote around its photo's true score, by the votes of photos with several."""
        photo, _annotator, vote = answers.votes
        several = answers.count > 1
        rest = float(((vote - answers.means[photo])[several[photo]] ** 2).sum())
        spare = float((answers.count[several] - 1).sum())
        assumed = VOTE_VARIANCE * self.steps**2
        return (rest + _VARIANCE_VOTES * assumed) / (spare + _VARIANCE_VOTES)

    def posterior(self, learned: "_Learned") -> tuple[Floats, Floats]:
        """Return mean and variance of the true score of each of the photos [P]."""
        known, values, errors = learned.photos, learned.scores.values, learned.scores.variance
        weights = 1 / (errors + self.photo_variance)
        # In `score_line_fit` the weights have the mean 1, and so has the decay's unit.
        signal = 1 / (weights.mean() * learned.line.decay)
        prior = signal * self.kernel + _OFFSET_VARIANCE * self.steps**2
        prior[np.diag_indices_from(prior)] += self.photo_variance
        centre = float(np.average(values, weights=weights))
        towards = prior[known]
        factor = cho_factor(towards[:, known] + np.diag(errors), lower=True)
        mean = centre + towards.T @ cho_solve(factor, values - centre)
        variance = prior.diagonal() - np.einsum("kp,kp->p", towards, cho_solve(factor, towards))
        return self.lowest + mean, np.maximum(variance, 1e-9)

    def _learned(self, answers: Answers) -> "_Learned":
        """Return the line that is learned from all answers, which are about two photos or more."""
        known = np.flatnonzero(answers.count > 0)
        photo, annotator, vote = answers.votes
        place, steps = np.searchsorted(known, photo), vote - self.lowest
        histograms = np.zeros((len(known), self.steps + 1), dtype=np.float32)
        np.add.at(histograms, (place, steps.astype(np.int64)), 1)
        nobody = np.zeros(len(known), dtype=np.float32)
        rated = RatedImages(
            image_ids=known,
            groups=self.groups[known].astype(str),
            histograms=histograms,
            watch_yes=nobody,
            watch_no=nobody,
            votes=RatedVotes(place, annotator, steps.astype(np.int64), np.ones(len(vote))),
        )
        scores = corrected_scores(rated)
        line = score_line_fit(
            self.inputs[known],
            scores.values,
            1 / (scores.variance + self.photo_variance),
            np.zeros(len(known)),
            groups=rated.groups,
            decays=_CONFIG.decays,
            most_prior=0.0,
        )
        return _Learned(known, scores, line)

    def _disagreement(self, learned: "_Learned") -> Floats:
        """Return the gap between the 90 % intervals of the votes and of the line without the photo's group [P]."""
        gap = np.zeros(len(self.truth))
        error = learned.scores.variance
        apart = np.abs(learned.scores.values - learned.line.left_out)
        of_line = max(float((apart**2 - error).mean()), self.photo_variance)
        gap[learned.photos] = np.maximum(apart - _NORMAL_90 * (np.sqrt(error) + np.sqrt(of_line)), 0)
        return gap


@dataclass(frozen=True)
class _Learned:
    """What the answers so far say."""

    photos: Ints
    """The photos with answers [K], of all P."""
    scores: Scores
    """In points above the lowest score [K]."""
    line: ScoreLine

"""The learner of watch labels: a logistic regression on the pooled layer, without help of a zero-shot model.

Its settings were chosen with 12 seeds on 900 photos, of which 120 show a watch. There is no model before two labels of
each kind, as in the recipe (`training.learning.watch`): with one of each, and 10 % random clicks, a single wrong 'yes'
led the choice of photos astray in one campaign of twelve: after 80 labels its F1 was still 0.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from annotation.measures.classification import f1
from training.simulation.learners import Answers, Columns, Directions
from training.simulation.ratings import Ratings

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Where the recipe begins too. With few watches among the labels, probabilities are too low.
THRESHOLD = 0.35
_FEWEST_EACH = 2
# Photos get about this length: the penalty of the regression then allows weights as large as it needs.
_LENGTH = 1.2
_INVERSE_PENALTY = 10.0
_MEMBERS = 8
_LEAST_PROBABILITY = 1e-9


class WatchLearner:
    """See the module. Without a model it finds no watch."""

    figures: tuple[str, ...] = ("f1", "watches", "rated")

    def __init__(self, ratings: Ratings, photos: Ints, tested: Ints, *, seed: int) -> None:
        directions = Directions(ratings, photos, seed)
        unit = _LENGTH / np.sqrt(ratings.layout.pooled_stop - ratings.layout.pooled_start)
        self.inputs = directions.of(photos) * unit
        self.tested = directions.of(tested) * unit
        self.truth, self.tested_truth = ratings.truth[photos] > 0.5, ratings.truth[tested] > 0.5

    def columns(self, answers: Answers, wanted: frozenset[str], rng: np.random.Generator) -> Columns:
        """See `Learner.columns`; `watch_spread` is by an ensemble on resampled labels."""
        found: Columns = {"watch_threshold": THRESHOLD}
        if "features" in wanted:
            found["features"] = self.inputs
        yes = np.rint(answers.total).astype(np.int64)
        found |= {"watch_yes": yes, "watch_no": answers.count - yes}
        model = self._model(answers) if wanted & {"watch_probability", "watch_spread"} else None
        if model is not None:
            found["watch_probability"] = model.predict_proba(self.inputs)[:, 1]
            if "watch_spread" in wanted:
                found["watch_spread"] = self._spread(answers, rng)
        return found

    def measure(self, answers: Answers) -> dict[str, float]:
        """Return F1 of the tested photos at the threshold, and how many watches and photos people have labelled."""
        model = self._model(answers)
        known = answers.count > 0
        score = 0.0
        if model is not None:
            decided = model.predict_proba(self.tested)[:, 1] > THRESHOLD
            score = float(np.nan_to_num(f1(decided, self.tested_truth)))
        return {"f1": score, "watches": float((known & self.truth).sum()), "rated": float(known.sum())}

    def _model(self, answers: Answers, weights: Floats | None = None) -> "LogisticRegression | None":
        """Return the regression, or None with few labels of one kind. `weights` [P]: how often each photo counts."""
        from sklearn.linear_model import LogisticRegression

        has_watch = answers.means[answers.count > 0] > 0.5
        if min(has_watch.sum(), (~has_watch).sum()) < _FEWEST_EACH:
            return None
        counts = (answers.count > 0).astype(np.float64) if weights is None else weights
        # Each photo counts once, as a watch and as none, with the shares of its votes.
        share = answers.means
        rows = np.concatenate([np.flatnonzero(counts * share), np.flatnonzero(counts * (1 - share))])
        labels = np.repeat([1, 0], [np.count_nonzero(counts * share), np.count_nonzero(counts * (1 - share))])
        sample = counts[rows] * np.where(labels == 1, share[rows], 1 - share[rows])
        model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=500)
        return model.fit(self.inputs[rows], labels, sample_weight=sample)

    def _spread(self, answers: Answers, rng: np.random.Generator) -> Floats:
        """Return the mutual information of label and member (Houlsby et al. 2011, 'Bayesian active learning …') [P]."""
        known = np.flatnonzero(answers.count > 0)
        members = []
        for _ in range(_MEMBERS):
            # The Bayesian bootstrap keeps every label, so that no member lacks one kind.
            weights = np.zeros(len(answers.count))
            weights[known] = rng.exponential(size=len(known))
            model = self._model(answers, weights)
            if model is not None:
                members.append(model.predict_proba(self.inputs)[:, 1])
        found = np.array(members)
        information: Floats = _entropy(found.mean(axis=0)) - _entropy(found).mean(axis=0)
        return np.maximum(information, 0)


def _entropy(probability: Floats) -> Floats:
    p = np.clip(probability, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
    found: Floats = -(p * np.log(p) + (1 - p) * np.log(1 - p))
    return found

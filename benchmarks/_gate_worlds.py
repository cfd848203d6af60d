"""Simulated holdouts for the gate: photos in groups, votes, a champion and challengers. Not a benchmark.

Scale 1 to 10. True scores have a deviation of 1.3 points, annotators one of .7, and the rest of a vote one of 1.65
as in the simulated panels of the benchmark `consensus`. Groups of near-duplicates share 90 % of the variance. Scores of
champion and challengers are the truth with errors that they partly share; their distributions have the width that
fits their errors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from annotation.measures import distribution
from training.evaluation.registry import ScaleAndThresholds

Floats = NDArray[np.float64]
SCORES = np.arange(1, 11)
TRUTH, ANNOTATOR, REST = 1.3, 0.7, 1.65
SHARED_IN_GROUP = 0.9
SCALE = ScaleAndThresholds(
    lowest=1, reject_at=5, pending_at=6, watch_threshold=0.5, predicted_reject_at=5, predicted_pending_at=6
)


@dataclass(frozen=True)
class Model:
    """Predictions of one model, as `training.evaluation.registry.Predictions`."""

    quality_mean: Floats
    distribution: Floats
    watch_probability: Floats

    @classmethod
    def of(cls, mean: Floats, deviation: float, watch: Floats | None = None) -> "Model":
        """Return normal distributions on the scale around `mean` [N]."""
        edges = np.concatenate([[-np.inf], SCORES[:-1] + 0.5, [np.inf]])
        bins = np.diff(norm.cdf((edges - mean[:, None]) / deviation), axis=1)
        return cls(bins @ SCORES, bins, np.full(len(mean), 0.01) if watch is None else watch)


@dataclass(frozen=True)
class World:
    """A holdout with its votes and models."""

    groups: NDArray[np.int64]
    votes: NDArray[np.int64]
    """Scores [N, annotators]."""
    champion: Model
    challengers: list[Model]

    @property
    def histograms(self) -> Floats:
        """Return counts of scores [N, 10]."""
        counts: Floats = (self.votes[:, :, None] == SCORES).sum(axis=1).astype(np.float64)
        return counts

    @property
    def mos(self) -> Floats:
        """Return the MOS [N]."""
        return distribution.mean_score(self.histograms, lowest=1)


def world(
    seed: int,
    *,
    groups: int,
    size: int = 1,
    challengers: int = 1,
    gain: float = 0.0,
    champion: float = 0.6,
    similarity: float = 0.9,
    bias: float = 0.0,
    votes: int = 10,
) -> World:
    """Return a holdout of `groups` groups with `size` photos each.

    `champion` is the champion's correlation with the truth, `gain` how much better the challengers are, and
    `similarity` the correlation of any two of the models. `bias`: the champion's scores are so much too high.
    """
    rng = np.random.default_rng(seed)
    n = groups * size

    def normal(columns: int) -> Floats:
        own = rng.normal(size=(n, columns))
        if size == 1:
            return own
        common = np.repeat(rng.normal(size=(groups, columns)), size, axis=0)
        return np.sqrt(SHARED_IN_GROUP) * common + np.sqrt(1 - SHARED_IN_GROUP) * own

    truth, common, own = normal(1), normal(1), normal(challengers + 1)
    r = np.full(challengers + 1, champion)
    r[1:] += gain
    part = (similarity - champion**2) / (1 - champion**2)
    scores = r * truth + np.sqrt(1 - r**2) * (np.sqrt(part) * common + np.sqrt(1 - part) * own)
    given = 5.5 + TRUTH * truth + rng.normal(0, ANNOTATOR, votes) + rng.normal(0, REST, (n, votes))
    widths = np.sqrt(REST**2 + ANNOTATOR**2 + TRUTH**2 * (1 - r**2))
    means = 5.5 + TRUTH * r * scores
    means[:, 0] += bias
    models = [Model.of(means[:, place], float(widths[place])) for place in range(challengers + 1)]
    return World(
        np.repeat(np.arange(groups), size), np.clip(np.rint(given), 1, 10).astype(np.int64), models[0], models[1:]
    )

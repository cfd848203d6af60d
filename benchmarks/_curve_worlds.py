"""Campaigns for the benchmark of learning curves, and what further answers really bring them. Not a benchmark.

Real votes come from a folder of photos (`benchmarks/_learning_data.py`). Simulated ones are of photos whose quality is
partly in their features: `rising`, where it takes many photos to learn it; `flat`, where the features say nothing; and
`learned`, where a few photos are enough. In `steep`, still more features count alike, and more than in `rising` depends
on them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from annotation.measures.correlation import srcc
from annotation.measures.distribution import rps
from benchmarks._learning_data import RatedPhotos, honest_histograms, rated_images_of, simulated_votes
from inference.networks.checkpoint import prior_for
from inference.networks.config import EFFICIENTNET_LITE0, BackboneConfig
from inference.networks.heads import Heads
from training.evaluation.learning_curve import RECIPE, STEP
from training.learning.quality_data import QualityData, predicted
from training.learning.registry import RECIPES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

VOTES = 3  # a photo
_SYNSETS = (409, 530, 531, 826, 892)
_PEOPLE_DRAWS, _OTHERS = 20, 4
_TESTED = 600
# How many factors photos have, and how much of the quality depends on them.
_FACTORS, _CONTRAST = {"steep": 150}, {"steep": 1.2}
_FACTORS_ELSE, _CONTRAST_ELSE = 60, 0.8
SIMULATED = ("rising", "steep", "learned", "flat")


@dataclass(frozen=True)
class World:
    """Photos that a campaign can rate, and photos to test on."""

    pool: QualityData
    """Rated photos, each with three votes."""
    features: NDArray[np.float32]
    """Of the tested photos [M, D]."""
    histograms: Floats
    """Votes on them [M, K]."""
    few: Floats
    """Their MOS of three votes each, drawn several times [20, M]: as inexact as the MOS of the campaign's photos."""

    def campaign(self, answers: int, rng: np.random.Generator) -> Ints:
        """Return the places of random photos of the pool with this many answers."""
        return np.sort(rng.choice(len(self.pool), answers // VOTES, replace=False))

    def measured(self, photos: Ints) -> dict[str, float]:
        """Return the figures after learning from these photos of the pool; larger is better."""
        rows = np.isin(np.arange(len(self.pool)), photos)
        recipe = RECIPES[RECIPE]
        fitted = recipe.fit(
            self.pool.part(rows), config=recipe.config_class(), seed=0, report=lambda stage, share, history: None
        )
        distribution = predicted(fitted.heads, self.features)
        mean = distribution @ np.arange(distribution.shape[1])
        return {
            "srcc": float(srcc(np.broadcast_to(mean, self.few.shape), self.few).mean()),
            "rps": -float(rps(distribution, self.histograms).mean()),
        }

    def gains(self, photos: Ints, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
        """Return, for each figure, the gain of the last 200 answers and that of the next 200.

        Both are means over other photos that are taken away, or added.
        """
        step = round(STEP / VOTES)
        rest = np.setdiff1d(np.arange(len(self.pool)), photos)
        now = self.measured(photos)
        fewer = [self.measured(rng.choice(photos, len(photos) - step, replace=False)) for _ in range(_OTHERS)]
        more = [self.measured(np.concatenate([photos, rng.choice(rest, step, replace=False)])) for _ in range(_OTHERS)]
        return {
            name: (
                now[name] - float(np.mean([one[name] for one in fewer])),
                float(np.mean([one[name] for one in more])) - now[name],
            )
            for name in now
        }


def real_world(known: RatedPhotos, config: BackboneConfig, rng: np.random.Generator) -> World:
    """Return a world in which a third of the groups is tested."""
    names = rng.permutation(np.unique(known.groups))
    held = np.isin(known.groups, names[: len(names) // 3])
    pool, tested = np.flatnonzero(~held), np.flatnonzero(held)
    rated = known.rated(pool, VOTES, rng)
    draws = [known.rated(tested, VOTES, rng).histograms for _ in range(_PEOPLE_DRAWS)]
    return World(
        QualityData(prior_of(config, known.bins, known.features), known.features[pool], rated),
        known.features[tested],
        known.histograms()[tested].astype(np.float64),
        np.array([_mos(one) for one in draws]),
    )


def simulated_world(kind: str, photos: int, rng: np.random.Generator) -> World:
    """Return a world of `photos` photos to rate, of one of the kinds in `SIMULATED`."""
    fixed = np.random.default_rng(7)  # all worlds have photos and opinions of one kind
    size = EFFICIENTNET_LITE0.feature_size
    count, contrast = _FACTORS.get(kind, _FACTORS_ELSE), _CONTRAST.get(kind, _CONTRAST_ELSE)
    loadings = fixed.normal(size=(count, size)) / np.arange(1, count + 1)[:, None] ** 0.5
    liked = fixed.normal(size=count)
    factors = rng.normal(size=(photos + _TESTED, count))
    features = (factors @ loadings + rng.normal(size=(len(factors), size))).astype(np.float32)
    of_all = factors @ liked / np.linalg.norm(liked)
    signal = {
        "rising": of_all,
        "steep": of_all,
        "learned": factors[:, 0],
        "flat": rng.normal(size=len(factors)),
    }[kind]
    truth = np.clip(5.5 + 1.3 * (contrast * signal + 0.6 * rng.normal(size=len(factors))), 1, 10)
    pool, tested = np.arange(photos), np.arange(photos, len(factors))
    votes = simulated_votes(truth, pool, VOTES, rng)
    rated = rated_images_of(*votes, groups=pool.astype("U36"), bins=10)
    return World(
        QualityData(prior_of(EFFICIENTNET_LITE0, 10, features), features[pool], rated),
        features[tested],
        honest_histograms(truth[tested], 40, rng),
        np.array([_mos(honest_histograms(truth[tested], VOTES, rng)) for _ in range(_PEOPLE_DRAWS)]),
    )


def prior_of(config: BackboneConfig, bins: int, features: NDArray[np.float32]) -> Heads:
    """Return the shipped prior for a scale of `bins` scores."""
    heads, _card = prior_for(config, bins=bins, synsets=_SYNSETS, features=torch.from_numpy(features))
    return heads


def _mos(histograms: NDArray[np.floating]) -> Floats:
    found: Floats = histograms @ np.arange(histograms.shape[1]) / histograms.sum(axis=1)
    return found

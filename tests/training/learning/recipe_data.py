"""Generated photos with votes for the tests of the recipes: a few features decide what people think."""

import numpy as np
import torch

from inference.networks.heads import Heads, HeadsConfig
from training.learning.dataset import RatedImages, RatedVotes
from training.learning.quality_data import QualityData

STAGES, POOLED, CLASSES = 40, 8, 12
FEATURES = STAGES + POOLED + CLASSES
BINS = 10


def small_prior(bins: int = BINS, *, hidden: int = 6) -> Heads:
    """Return heads on features without class probabilities, whose quality part says something true."""
    config = HeadsConfig(FEATURES, STAGES, FEATURES, bins, hidden, 0.0, (1, 4))
    generator = torch.Generator().manual_seed(3)
    classifier = (torch.randn(CLASSES, FEATURES - STAGES, generator=generator), torch.zeros(CLASSES))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return Heads(config, classifier).eval()


def rated_photos(
    count: int, *, bins: int = BINS, votes: int = 3, people: int = 12, seed: int = 0, clickers: int = 0, group: int = 1
) -> tuple[QualityData, np.ndarray]:
    """Return photos with votes, and their true quality in points above the lowest score.

    `group`: photos in a near-duplicate group; they have nearly the same features and quality.
    """
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(-(-count // group), FEATURES))
    features = np.repeat(base, group, axis=0)[:count] + 0.1 * rng.normal(size=(count, FEATURES))
    quality = (bins - 1) / 2 + 0.16 * bins * features[:, :3].sum(axis=1) / np.sqrt(3)
    bias = rng.normal(0, 0.07 * bins, people)
    photo = np.repeat(np.arange(count), votes)
    annotator = np.concatenate([rng.choice(people, votes, replace=False) for _ in range(count)])
    given = quality[photo] + bias[annotator] + rng.normal(0, 0.12 * bins, len(photo))
    given = np.where(annotator < clickers, rng.uniform(-0.5, bins - 0.5, len(photo)), given)
    steps = np.clip(np.rint(given), 0, bins - 1).astype(np.int64)
    histograms = np.zeros((count, bins), dtype=np.float32)
    np.add.at(histograms, (photo, steps), 1)
    nobody = np.zeros(count, dtype=np.float32)
    rated = RatedImages(
        image_ids=np.arange(count),
        groups=(np.arange(count) // group).astype("U36"),
        histograms=histograms,
        watch_yes=nobody,
        watch_no=nobody,
        votes=RatedVotes(photo, annotator, steps, np.ones(len(steps))),
    )
    return QualityData(small_prior(bins), features.astype(np.float32), rated), quality


def with_shuffled_votes(data: QualityData, seed: int = 0) -> QualityData:
    """Return the same photos, each with the votes of another one."""
    order = np.random.default_rng(seed).permutation(len(data))
    votes = data.rated.votes
    assert votes is not None
    place = np.argsort(order)
    rated = RatedImages(
        image_ids=data.rated.image_ids,
        groups=data.rated.groups,
        histograms=data.rated.histograms[order],
        watch_yes=data.rated.watch_yes,
        watch_no=data.rated.watch_no,
        votes=RatedVotes(place[votes.photos], votes.annotator_ids, votes.steps, votes.weights),
    )
    return QualityData(data.prior, data.features, rated)

"""The three quality classes of photos that were not learned from: from stretched means, against simpler ways.

`--data DIR` is a folder of photos with votes, as for `learning`; without it, the photos are numbers and the annotators
are simulated. The class of a photo is that of the mean of all its votes; the limits are the tertiles of these means.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from annotation.measures.classification import accuracy, macro_f1, quality_classes
from benchmarks._claims import Claim, Setting
from benchmarks._gains import gain
from benchmarks._learning_data import Extractor, Floats, RatedPhotos, photos_read
from benchmarks.learning import Trial, real_folder, trials_of
from inference.networks.config import EFFICIENTNET_LITE0, EFFICIENTNET_LITE2
from training.learning.class_spread import class_spread
from training.learning.quality_data import predicted
from training.learning.registry import RECIPES

SEEDS = 10
SIZES = ((20, 3), (50, 3), (200, 3), (0, 10))
OURS, PLAIN = "stretched means", "means as they are"
_SEED = 500  # the rule was chosen on lower ones


def measure(setting: Setting) -> Iterator[Claim]:
    """Compare the ways on photos of other groups."""
    torch.set_num_threads(1)
    seeds = 2 if setting.tiny else SEEDS
    config = EFFICIENTNET_LITE0 if setting.tiny else EFFICIENTNET_LITE2
    real = real_folder(setting.data)
    with tempfile.TemporaryDirectory() as name:
        if real is None:
            known, where = _simulated(config.feature_size), "simulated photos and annotators"
        else:
            known = photos_read(real, Extractor(config, Path(name)), most=60 if setting.tiny else None)
            where = f"{real.name}, {config.name}"
    trial = trials_of(known, None, config)
    every = known.histograms().astype(np.float64)
    low, high = np.quantile(every @ np.arange(known.bins) / every.sum(1), [1 / 3, 2 / 3])

    def code(means: Floats) -> NDArray[np.int8]:
        return quality_classes(means, reject_at=float(low), pending_at=float(high))

    for size, votes in SIZES[:1] if setting.tiny else SIZES:
        found: dict[str, list[tuple[float, float]]] = {}
        for seed in range(_SEED, _SEED + seeds):
            drawn = trial(size, votes, seed)
            truth = code(drawn.truth)
            for way, decided in _decisions(drawn, code, seed).items():
                found.setdefault(way, []).append((float(accuracy(decided, truth)), float(macro_f1(decided, truth))))
        right = {way: np.array([one[0] for one in values]) for way, values in found.items()}
        balanced = {way: np.array([one[1] for one in values]) for way, values in found.items()}
        rivals = "; ".join(f"{way} {right[way].mean():.3f}, {balanced[way].mean():.3f}" for way in found if way != OURS)
        yield Claim(
            claim=f"{where}: {size or 'all'} photos × {votes} votes: class accuracy {right[OURS].mean():.3f}, mean F1 "
            f"{balanced[OURS].mean():.3f}; F1 over {PLAIN} {gain(balanced[OURS], balanced[PLAIN]).text()}",
            value=float(balanced[OURS].mean() / balanced[PLAIN].mean()),
            unit=f"times the mean F1 of {PLAIN}",
            baseline=f"accuracy, mean F1 of {rivals}",
            target=1,
        )


def _decisions(drawn: Trial, code: Callable[[Floats], NDArray[np.int8]], seed: int) -> dict[str, NDArray[np.int8]]:
    """Return the classes of the tested photos, by each way."""
    learned, recipe = drawn.learned, RECIPES["ridge"]
    fitted = recipe.fit(learned, config=recipe.config_class(), seed=seed, report=lambda stage, share, history: None)
    means = predicted(fitted.heads, drawn.features) @ np.arange(learned.bins)
    stretch, shift = class_spread(means, learned.rated, lowest=0)
    histograms = learned.rated.histograms
    labels = code(histograms @ np.arange(learned.bins) / histograms.sum(1))
    ways = {
        OURS: code(stretch * means + shift),
        PLAIN: code(means),
        "most frequent class": np.full(len(means), np.bincount(labels).argmax(), dtype=np.int8),
    }
    if len(set(labels.tolist())) > 1:
        spread = learned.features.std(0) + 1e-3
        own, other = ((one - learned.features.mean(0)) / spread for one in (learned.features, drawn.features))
        for way, weight in (("direct head", None), ("direct head, balanced classes", "balanced")):
            head = LogisticRegression(C=10 / own.shape[1], max_iter=300, class_weight=weight)
            ways[way] = head.fit(own, labels).predict(other).astype(np.int8)
    return ways


def _simulated(size: int) -> RatedPhotos:
    """Return 240 photos with `size` features, which say something about their quality, with ten votes each."""
    rng = np.random.default_rng(7)
    features = rng.normal(size=(240, size)).astype(np.float32)
    quality = 5 + 1.5 * features[:, :4].sum(axis=1) / 2
    photo = np.repeat(np.arange(240), 10)
    steps = np.clip(np.rint(quality[photo] + rng.normal(0, 1.5, len(photo))), 0, 9).astype(np.int64)
    people = np.tile(np.arange(10), 240)
    return RatedPhotos(features, (np.arange(240) // 2).astype("U36"), photo, people, steps, 10)

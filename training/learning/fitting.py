"""Fit the heads of a challenger: the quality head by a recipe, the watch head in one way, both from the prior."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inference.networks.heads import Heads
from training.learning.checkpoints import Checkpoints
from training.learning.config import WatchConfig
from training.learning.dataset import RatedImages
from training.learning.photo_pixels import PhotoPixels
from training.learning.prior_alone import PriorAlone, PriorConfig
from training.learning.quality_data import QualityData
from training.learning.recipe import FittedHeads, History, Recipe, Report
from training.learning.watch import WatchFit, watch_fit
from training.learning.watch_labels import watch_probabilities
from training.learning.watch_thresholds import WatchAim

_QUALITY_UNTIL = 0.88  # share of the progress


def heads_fit(
    prior: Heads,
    features: NDArray[np.float32],
    rated: RatedImages,
    *,
    recipe: Recipe,
    config: Any,
    watch_config: WatchConfig,
    watch_aim: WatchAim,
    seed: int,
    report: Report,
    checkpoints: Checkpoints | None = None,
    photos: PhotoPixels | None = None,
) -> FittedHeads:
    """Learn both heads from features [N, D] and the rated images in the same order.

    `config`: of the recipe. Always starts from the prior, not from the champion: the champion has already learned from
    these votes, and learning from them again at every retraining would give them too much weight. The same arguments
    give the same weights. Exceptions of `report` are passed on. `checkpoints`: where recipes that learn in epochs keep
    their state, so that a later call continues. `photos`: the pixels of the images, for recipes that learn the network
    too.
    """
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        prior = prior.eval()
        data = QualityData(prior, np.ascontiguousarray(features, dtype=np.float32), rated, checkpoints, photos)
        scored = rated.has_scores
        of_quality = data if scored.all() else replace(data.part(scored), checkpoints=checkpoints)
        history: History = []

        def learning(stage: str, share: float, losses: History) -> None:
            history[:] = losses
            report(stage, _QUALITY_UNTIL * share, losses)

        if scored.any():
            fitted = recipe.fit(of_quality, config=config, seed=seed, report=learning)
        else:  # imported watch labels alone
            fitted = PriorAlone().fit(data, config=PriorConfig(), seed=seed, report=learning)
        history = fitted.history or history
        report("Learning the watch label", _QUALITY_UNTIL, history)
        if fitted.features is not None:  # of the network that has learned
            data = replace(data, features=_all_features(fitted, photos, scored, report))
        watch = _watch(data, config=watch_config, aim=watch_aim, seed=seed)
        _watch_put(fitted.heads, watch)
        report("Assembling the heads", 1.0, history)
    figures = {
        "recipe": recipe.name,
        "images": int(scored.sum()),
        "votes": int(rated.histograms.sum()),
        **fitted.figures,
        "watch": {
            "scale": watch.scale,
            "shift": watch.shift,
            "uses_features": watch.weight is not None,
            "labels": watch.labels,
            "held_out_roc_auc": watch.roc_auc,
            "best_threshold": watch.threshold,
            "held_out_f1": watch.f1,
            "held_out_f1_of_zero_shot": watch.zero_shot_f1,
            "intervals": asdict(watch.intervals) if watch.intervals else None,
            "not_used": watch.not_used,
        },
    }
    return replace(fitted, figures=figures, history=history, watch_threshold=watch.threshold)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit torch to one thread.

    The matrices are small: on two shared cores, two threads took seven times the processor time of one
    (39 s against 5.5 s for 900 photos). The result of a sum also depends on the number of threads.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _all_features(
    fitted: FittedHeads, photos: PhotoPixels | None, scored: NDArray[np.bool_], report: Report
) -> NDArray[np.float32]:
    """Return what the network that has learned gives for all photos [N, D], also for those without a score."""
    assert fitted.features is not None
    if scored.all() or fitted.network is None or photos is None:
        return fitted.features
    from training.learning.whole_network_steps import photo_features

    found = np.empty((len(scored), fitted.features.shape[1]), dtype=np.float32)
    found[scored] = fitted.features
    found[~scored] = photo_features(fitted.network, photos.part(~scored), report, (_QUALITY_UNTIL, _QUALITY_UNTIL))
    return found


def _watch(data: QualityData, *, config: WatchConfig, aim: WatchAim, seed: int) -> WatchFit:
    prior, rated = data.prior, data.rated
    features = torch.from_numpy(data.features)
    with torch.no_grad():
        standardised = prior.standardise(features)
        _, log_odds = prior.zero_shot(features)
    pooled = slice(prior.config.pooled_start, prior.config.pooled_stop)
    return watch_fit(
        log_odds.numpy(),
        standardised[:, pooled].numpy(),
        watch_probabilities(rated),
        groups=rated.groups,
        config=config,
        seed=seed,
        aim=aim,
    )


def _watch_put(heads: Heads, watch: WatchFit) -> None:
    """Set the watch part of heads. The prior's has no weights of its own: it sums the zero-shot class probabilities."""
    with torch.no_grad():
        heads.watch_scale.fill_(watch.scale)
        heads.watch_shift.fill_(watch.shift)
        if watch.weight is not None:
            heads.watch_weight.copy_(torch.from_numpy(watch.weight))

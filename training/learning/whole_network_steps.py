"""The steps of the recipe `whole_network`: features, head, network, and what the network adds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t
from torch import Tensor

from annotation.measures.distribution import rps
from inference.networks.backbone_base import StagedBackbone
from inference.networks.backbones import backbone_load
from inference.networks.checkpoint import prior_for
from inference.networks.heads import Heads
from training.learning.line_fitting import line_fit
from training.learning.nested_choice import mean_and_error
from training.learning.network_gain import NetworkGain
from training.learning.network_processes import place_alone, train_in_processes
from training.learning.network_training import NetworkJob, TrainedNetwork, class_log_probabilities, network_train
from training.learning.photo_pixels import PhotoPixels
from training.learning.quality_data import QualityData, predicted
from training.learning.quality_heads import heads_with_line
from training.learning.recipe import FittedHeads, History, Report
from training.learning.ridge import Ridge, RidgeConfig
from training.learning.sampling import group_folds
from training.learning.score_thresholds import thresholds_fit
from training.learning.whole_network_config import WholeNetworkConfig

Features = NDArray[np.float32]

_FROZEN = "frozen"
_CHUNK = 32
# Shares of the progress when the features are there, and when the network has learned.
_FEATURES_UNTIL, _NETWORK_UNTIL = 0.1, 0.95


def whole_network_fit(data: QualityData, *, config: WholeNetworkConfig, seed: int, report: Report) -> FittedHeads:
    """Learn the head, then the network; return the ridge regression alone if no epoch of the network was better.

    Of the folds of near-duplicate groups, the first decides when to stop, and the second measures the gain.
    """
    photos = data.photos
    if photos is None or len(data) < config.photos_from or len(np.unique(data.rated.groups)) < config.folds:
        return Ridge().fit(data, config=RidgeConfig(), seed=seed, report=report)
    fold_of = group_folds(data.rated.groups, folds=config.folds, seed=seed)
    learned, choosing, measured = (np.flatnonzero(rows) for rows in (fold_of > 1, fold_of == 0, fold_of == 1))
    with _threads(photos.compute.threads):
        network = backbone_load(photos.backbone)
        before, classes = _before(network, data, photos, report)
        head = _head(data, photos, before, learned)
        job = NetworkJob(network, head, photos, data.rated.histograms, learned, choosing, classes, config, seed)
        began = time.monotonic()
        trained = _train(job, data, report)
        seconds = time.monotonic() - began
        network.to("cpu").load_state_dict(trained.state)
        after = photo_features(network, photos, report, (_NETWORK_UNTIL, 1.0)) if trained.epoch else before
    gain = NetworkGain(
        is_used=trained.epoch > 0,
        epoch=trained.epoch,
        photos_learned=len(learned),
        seconds_per_epoch=round(seconds / max(len(trained.history) - 1, 1), 1),
        **_measured(data, head, before[measured], after[measured], measured),
    )
    if not gain.is_used:
        alone = Ridge().fit(data, config=RidgeConfig(), seed=seed, report=report)
        return FittedHeads(alone.heads, {**alone.figures, "whole_network": asdict(gain)}, trained.history)
    return FittedHeads(head, {"whole_network": asdict(gain)}, trained.history, network=network.eval(), features=after)


def _before(
    network: StagedBackbone, data: QualityData, photos: PhotoPixels, report: Report
) -> tuple[Features, NDArray[np.float16]]:
    """Return what the network gave before it learned: features [N, D], and class probabilities, mirrored too."""
    stored = data.checkpoints.load(_FROZEN) if data.checkpoints else None
    if stored is None:
        half = _FEATURES_UNTIL / 2
        plain = torch.from_numpy(photo_features(network, photos, report, (0.0, half)))
        mirrored = torch.from_numpy(photo_features(network, photos, report, (half, _FEATURES_UNTIL), is_mirrored=True))
        heads = _prior(data, photos, plain)
        with torch.no_grad():
            classes = torch.stack([class_log_probabilities(one, heads) for one in (plain, mirrored)], 1).half()
        stored = {"features": plain, "classes": classes}
        if data.checkpoints:
            data.checkpoints.save(_FROZEN, stored)
    return stored["features"].numpy(), stored["classes"].numpy()


def _head(data: QualityData, photos: PhotoPixels, features: Features, learned: NDArray[np.int64]) -> Heads:
    """Return the heads of a ridge regression that learned from some of the photos."""
    rows = np.isin(np.arange(len(data)), learned)
    prior = _prior(data, photos, torch.from_numpy(features))
    part = QualityData(prior, features[rows], data.rated.part(rows))
    settings = RidgeConfig()
    fitted = line_fit(
        part, decays=settings.decays, most_prior=settings.most_prior, photo_variance=settings.photo_variance
    )
    thresholds = thresholds_fit(fitted.line.left_out, part.rated.histograms)
    return heads_with_line(prior, fitted.inputs, fitted.line, thresholds)


def _prior(data: QualityData, photos: PhotoPixels, features: Tensor) -> Heads:
    """Return the prior on features of the network that learning starts from."""
    wanted = data.prior.config
    return prior_for(
        photos.backbone,
        bins=wanted.bins,
        synsets=wanted.synsets,
        quality_input=wanted.quality_input,
        features=features,
    )[0]


def _train(job: NetworkJob, data: QualityData, report: Report) -> TrainedNetwork:
    """Train the network in this process, or in several."""

    def learning(share: float, text: str, history: History) -> None:
        report(text, _FEATURES_UNTIL + (_NETWORK_UNTIL - _FEATURES_UNTIL) * share, history)

    compute = job.photos.compute
    if compute.processes > 1:
        return train_in_processes(job, checkpoints=data.checkpoints, report=learning)
    return network_train(job, checkpoints=data.checkpoints, report=learning, place=place_alone(compute.device))


@torch.no_grad()
def photo_features(
    network: StagedBackbone,
    photos: PhotoPixels,
    report: Report,
    shares: tuple[float, float],
    *,
    is_mirrored: bool = False,
) -> Features:
    """Return the features of all photos [N, D], rounded as the database stores them."""
    device = place_alone(photos.compute.device).device
    network.to(device).eval()
    count = len(photos.rows)
    parts = []
    for start in range(0, count, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, count))
        pixels = photos.batch(rows, np.full(len(rows), is_mirrored))
        parts.append(network(pixels.to(device)).half().float().cpu().numpy())
        report("Computing features", shares[0] + (shares[1] - shares[0]) * (rows[-1] + 1) / count, [])
    network.to("cpu")
    return np.concatenate(parts)


def _measured(
    data: QualityData, head: Heads, before: Features, after: Features, rows: NDArray[np.int64]
) -> dict[str, Any]:
    """Return the figures of photos that had no part in the learning, for `NetworkGain`."""
    histograms, groups = data.rated.histograms[rows], data.rated.groups[rows]
    of_head, of_network = (rps(predicted(head, features), histograms) for features in (before, after))
    gain, error = mean_and_error(of_head - of_network, groups)
    count = len(np.unique(groups))
    half = float(t.ppf(0.975, max(count - 1, 1))) * error
    return {
        "rps": float(of_network.mean()),
        "rps_head": float(of_head.mean()),
        "images": len(rows),
        "groups": count,
        "gain": gain,
        "gain_low": gain - half,
        "gain_high": gain + half,
    }


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""The steps of the recipe `prior_residual`: fit the heads of a challenger, starting from the prior."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from enum import StrEnum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.networks.heads import Heads
from training.learning.config import PriorResidualConfig
from training.learning.dataset import RatedImages
from training.learning.quality import Calibration, Residual, calibration_fit, residual_fit, tilt_shape
from training.learning.recipe import FittedHeads, Report
from training.learning.watch import WatchFit, watch_fit


class HeadCapacity(StrEnum):
    """How much of the quality head is learned."""

    CALIBRATE = "calibrate"
    RESIDUAL = "residual"
    FULL = "full"


def head_capacity(rated: int, config: PriorResidualConfig) -> HeadCapacity:
    """Return the head capacity for a number of rated images."""
    if rated < config.calibrate_below:
        return HeadCapacity.CALIBRATE
    return HeadCapacity.RESIDUAL if rated < config.residual_below else HeadCapacity.FULL


def heads_fit(
    prior: Heads,
    features: NDArray[np.float32],
    rated: RatedImages,
    *,
    config: PriorResidualConfig,
    seed: int,
    report: Report,
) -> FittedHeads:
    """Learn both heads from features [N, D] and the rated images in the same order.

    Always starts from the prior, not from the champion: the champion has already learned from these votes, and
    learning from them again at every retraining would give them too much weight. The same arguments give
    the same weights. Exceptions of `report` are passed on.
    """
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        return _heads_fit(prior, features, rated, config, seed, report)


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


def _heads_fit(
    prior: Heads,
    features: NDArray[np.float32],
    rated: RatedImages,
    config: PriorResidualConfig,
    seed: int,
    report: Report,
) -> FittedHeads:
    prior = prior.eval()
    report("Preparing features", 0.0, [])
    with torch.no_grad():
        raw = torch.from_numpy(np.ascontiguousarray(features, dtype=np.float32))
        standardised = prior.standardise(raw)
        quality_input = prior.quality_features(standardised)
        logits = prior.quality(quality_input)
        _, log_odds = prior.zero_shot(raw)
    histograms = torch.from_numpy(rated.histograms)
    to_scale = _to_scale(prior)
    capacity = head_capacity(len(rated), config)

    report("Calibrating the quality head", 0.05, [])
    calibration = calibration_fit(logits, histograms, to_scale=to_scale, config=config)
    residual: Residual | None = None
    if capacity is not HeadCapacity.CALIBRATE:
        full = capacity is HeadCapacity.FULL
        residual = residual_fit(
            calibration.apply(logits),
            quality_input,
            histograms,
            groups=rated.groups,
            decays=config.full_decays if full else config.residual_decays,
            dropout=config.dropout if full else 0.0,
            to_scale=to_scale,
            config=config,
            seed=seed,
            progress=lambda share, history: report("Learning quality", 0.1 + 0.75 * share, history),
        )

    history = residual.history if residual else []
    report("Learning the watch label", 0.88, history)
    pooled = slice(prior.config.pooled_start, prior.config.pooled_stop)
    watch = watch_fit(
        log_odds.numpy(),
        standardised[:, pooled].numpy(),
        rated.watch_yes,
        rated.watch_no,
        groups=rated.groups,
        config=config,
        seed=seed,
    )
    report("Assembling the heads", 1.0, history)
    figures = _figures(capacity, rated, calibration, residual, watch)
    return FittedHeads(heads_assemble(prior, calibration, residual, watch), figures, history)


def heads_assemble(prior: Heads, calibration: Calibration, residual: Residual | None, watch: WatchFit) -> Heads:
    """Return the prior's heads with the learned changes merged into their weights.

    A linear residual becomes part of the hidden layer without loss: GELU(x) − GELU(−x) = x, so two hidden
    units per logit represent it.
    """
    bins = prior.config.inner_bins
    config = prior.config
    trust = residual.trust if residual is not None else 1.0
    sharpness, tilt = trust * calibration.sharpness, trust * calibration.tilt
    with torch.no_grad():
        if config.hidden:
            first, last = _linear(prior.quality, 0), _linear(prior.quality, -1)
            hidden_weight: Tensor = first.weight
            hidden_bias: Tensor = first.bias
            weight = sharpness * last.weight
            bias = sharpness * last.bias + tilt * tilt_shape(bins)
            if residual is not None:
                config = replace(config, hidden=config.hidden + 2 * bins)
                hidden_weight = torch.cat([hidden_weight, residual.weight, -residual.weight])
                hidden_bias = torch.cat([hidden_bias, torch.zeros(2 * bins)])
                weight = torch.cat([weight, torch.eye(bins), -torch.eye(bins)], dim=1)
                bias = bias + residual.bias
            quality = {"0.weight": hidden_weight, "0.bias": hidden_bias, "3.weight": weight, "3.bias": bias}
        else:
            only = _linear(prior.quality, None)
            weight = sharpness * only.weight
            bias = sharpness * only.bias + tilt * tilt_shape(bins)
            if residual is not None:
                weight, bias = weight + residual.weight, bias + residual.bias
            quality = {"weight": weight, "bias": bias}
        heads = Heads(config, prior.classifier)
        heads.feature_mean.copy_(prior.feature_mean)
        heads.feature_std.copy_(prior.feature_std)
        heads.quality.load_state_dict(quality)
        # The prior's watch head has no weights of its own: it sums the zero-shot class probabilities.
        heads.watch_scale.fill_(watch.scale)
        heads.watch_shift.fill_(watch.shift)
        if watch.weight is not None:
            heads.watch_weight.copy_(torch.from_numpy(watch.weight))
    return heads.eval()


def _linear(quality: nn.Module, place: int | None) -> nn.Linear:
    layer = quality if place is None else quality[place]  # type: ignore[index]  # nn.Sequential
    assert isinstance(layer, nn.Linear)
    return layer


def _to_scale(heads: Heads) -> Callable[[Tensor], Tensor]:
    """Return the function from the heads' own logits [..., B] to logits on the campaign's scale [..., K]."""
    if heads.config.bins == heads.config.inner_bins:
        return lambda logits: logits
    return lambda logits: (logits.softmax(-1) @ heads.rebin + 1e-8).log()


def _figures(
    capacity: HeadCapacity, rated: RatedImages, calibration: Calibration, residual: Residual | None, watch: WatchFit
) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "capacity": capacity.value,
        "images": len(rated),
        "votes": int(rated.histograms.sum()),
        "calibration": asdict(calibration),
        "watch": {
            "scale": watch.scale,
            "shift": watch.shift,
            "uses_features": watch.weight is not None,
            "labels": watch.labels,
            "held_out_roc_auc": watch.roc_auc,
            "best_threshold": watch.threshold,
        },
    }
    if residual is not None:
        figures["residual"] = {
            "decay": residual.decay,
            "trust_in_prior": residual.trust,
            "held_out_loss": residual.validation,
            "held_out_loss_calibrated": residual.calibrated,
        }
    return figures

"""Heads with a learned quality part: the prior's heads, with what a recipe found merged into their weights."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.networks.heads import THRESHOLDS, Heads
from training.learning.residual import Calibration, Residual, tilt_shape
from training.learning.score_line import Inputs, ScoreLine
from training.learning.score_thresholds import Thresholds
from training.learning.similarity import Similarity


def heads_with_logits(prior: Heads, calibration: Calibration, residual: Residual | None = None) -> Heads:
    """Return heads whose logits are those of the prior, calibrated, plus a linear residual.

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
    return heads.eval()


def heads_with_line(
    prior: Heads, inputs: Inputs, line: ScoreLine, thresholds: Thresholds, similarity: Similarity | None = None
) -> Heads:
    """Return heads that put a photo on a line and read its distribution from thresholds.

    All numbers are divided by the spread of the votes, which is 1 in the heads. `similarity` adds to the line how much
    a photo resembles those that were learned from.
    """
    config = replace(prior.config, form=THRESHOLDS)
    if similarity is not None:
        support, size = similarity.places.shape
        config = replace(config, support=support, support_size=size)
    with torch.no_grad():
        heads = Heads(config, prior.classifier)
        heads.feature_mean.copy_(prior.feature_mean)
        heads.feature_std.copy_(prior.feature_std)
        heads.quality.load_state_dict(prior.quality.state_dict())
        heads.input_mean.copy_(torch.from_numpy(inputs.mean))
        heads.input_spread.copy_(torch.from_numpy(inputs.spread))
        heads.line_weight.copy_(_tensor(line.weight * inputs.block_weight / thresholds.spread))
        heads.line_offset.fill_(line.offset / thresholds.spread)
        heads.prior_weight.fill_(line.prior_weight / thresholds.spread)
        heads.thresholds.copy_(_tensor(thresholds.places))
        if similarity is not None:
            heads.projection.copy_(_tensor(inputs.block_weight[:, None] * similarity.projection))
            heads.support.copy_(_tensor(similarity.places))
            heads.support_weight.copy_(_tensor(similarity.weight / thresholds.spread))
    return heads.eval()


def heads_copy(heads: Heads) -> Heads:
    """Return the same heads with tensors of their own."""
    copy = Heads(heads.config, heads.classifier)
    copy.load_state_dict(heads.state_dict())
    return copy.eval()


def _tensor(numbers: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(numbers.astype(np.float32))


def _linear(quality: nn.Module, place: int | None) -> nn.Linear:
    layer = quality if place is None else quality[place]  # type: ignore[index]  # nn.Sequential
    assert isinstance(layer, nn.Linear)
    return layer

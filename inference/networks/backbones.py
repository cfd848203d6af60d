"""Backbones: pixels in, feature vectors out."""

from typing import Any

import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn import functional

from inference.networks.config import BackboneConfig


class StagedBackbone(nn.Module):
    """An EfficientNet-Lite that gives statistics of every stage beside its pooled last layer.

    Early stages see blur, noise and compression that the last one has learned to ignore.
    """

    def __init__(self, network: EfficientNet, config: BackboneConfig) -> None:
        super().__init__()
        self.network: Any = network  # its package has no types
        self.config = config

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features float32 [N, D] of pixels uint8 [N, side, side, 3]."""
        network = self.network
        x = (pixels.permute(0, 3, 1, 2).float() - 127.0) / 128.0
        statistics: list[Tensor] = []
        x = network._swish(network._bn0(network._conv_stem(x)))
        if -1 in self.config.stage_blocks:
            statistics += _statistics(x)
        for index, block in enumerate(network._blocks):
            x = block(x)
            if index in self.config.stage_blocks:
                statistics += _statistics(x)
        x = network._swish(network._bn1(network._conv_head(x)))
        return torch.cat([*statistics, _pooled(x)], dim=1)


_TILE = 8
_FLOOR = 1e-4


def _statistics(x: Tensor) -> list[Tensor]:
    """Return mean and standard deviation over space, each [N, C], of maps [N, C, H, W].

    Written as two poolings, E[x²] − E[x]²: ONNX Runtime then keeps its blocked layout from one
    convolution to the next, which the mean of squared deviations would interrupt at every stage.
    The floor under the variance (a deviation of 0.01) is above what the difference loses to rounding
    where a map is flat.
    """
    mean = _pooled(x)
    variance = _pooled(x * x) - mean * mean
    return [mean, (variance.clamp(min=0) + _FLOOR).sqrt()]


def _pooled(x: Tensor) -> Tensor:
    """Return the mean over space [N, C] of maps [N, C, H, W]; in ONNX a GlobalAveragePool.

    Large maps are averaged in tiles first: one sum over 12,544 floats loses three digits, which the
    standard deviation of a nearly flat map (a white background) would show.
    """
    tile = [max(size for size in range(1, _TILE + 1) if side % size == 0) for side in x.shape[2:]]
    if min(x.shape[2:]) > 2 * _TILE and max(tile) > 1:
        x = functional.avg_pool2d(x, tile)
    return x.mean(dim=(2, 3), keepdim=True).flatten(1)


def backbone_load(config: BackboneConfig) -> StagedBackbone:
    """Return the bundled backbone with its weights, in evaluation mode.

    Raises WeightsMissing when the weight file is not installed.
    """
    network = EfficientNet.from_name(config.name.replace("_", "-"))
    network.load_state_dict(torch.load(config.weights_path(), map_location="cpu", weights_only=True))
    return StagedBackbone(network, config).eval()


def classifier_load(config: BackboneConfig) -> tuple[Tensor, Tensor]:
    """Return weight [classes, pooled] and bias [classes] of the backbone's ImageNet classifier."""
    state = torch.load(config.weights_path(), map_location="cpu", weights_only=True)
    return state["_fc.weight"], state["_fc.bias"]

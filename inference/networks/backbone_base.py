"""What every backbone is: pixels in; statistics of its stages and its pooled last layer out."""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from inference.networks.config import BackboneConfig

_TILE = 8
_FLOOR = 1e-4


class StagedBackbone(nn.Module):
    """A network that gives statistics of its stages beside its pooled last layer.

    Early stages see blur, noise and compression that the last one has learned to ignore.
    """

    def __init__(self, network: Any, config: BackboneConfig) -> None:
        super().__init__()
        self.network = network
        """The classifier as its package made it; its state dict is what a weight file holds."""
        self.config = config

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features float32 [N, D] of pixels uint8 [N, side, side, 3]."""
        raise NotImplementedError

    def classifier(self) -> tuple[Tensor, Tensor]:
        """Return weight [classes, pooled] and bias [classes] of what turns pooled features into ImageNet logits.

        Only of backbones whose features have no class probabilities.
        """
        raise NotImplementedError


def map_statistics(x: Tensor) -> list[Tensor]:
    """Return mean and standard deviation over space, each [N, C], of maps [N, C, H, W].

    Written as two poolings, E[x²] − E[x]²: ONNX Runtime then keeps its blocked layout from one
    convolution to the next, which the mean of squared deviations would interrupt at every stage.
    The floor under the variance (a deviation of 0.01) is above what the difference loses to rounding
    where a map is flat.
    """
    mean = map_pool(x)
    variance = map_pool(x * x) - mean * mean
    return [mean, (variance.clamp(min=0) + _FLOOR).sqrt()]


def map_pool(x: Tensor) -> Tensor:
    """Return the mean over space [N, C] of maps [N, C, H, W]; in ONNX a GlobalAveragePool.

    Large maps are averaged in tiles first: one sum over 12,544 floats loses three digits, which the
    standard deviation of a nearly flat map (a white background) would show.
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

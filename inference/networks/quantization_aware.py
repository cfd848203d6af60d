"""An EfficientNet-Lite that rounds as its int8 file will, so that its weights can learn to live with it.

Weights are rounded per output channel to 2·64 + 1 levels and maps to 256 (quantisation-aware training, Jacob et al.
2018); gradients pass a rounding as if it were not there. 7 bits for weights, not 8: processors without VNNI add
products of bytes in pairs of 16 bits, which 8 bits by 8 overflow. So the file gives the same numbers on all of them.
"""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.fusion import fuse_conv_bn_eval

from inference.networks.efficientnet_lite import LiteBackbone

WEIGHT_LEVEL = 64
_MAP_LEVEL = 255
_SAMPLES = 8192  # values of each map and batch that its range is chosen by
_RELU6 = (0.0, 6.0)
_SHARES = torch.linspace(0.3, 1.0, 15).tolist()  # of the largest value seen, that a range may end at


class RoundedWeight(nn.Module):
    """Rounds a convolution's weight [out, in, height, width], each output channel by its own largest value."""

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight on its levels."""
        scale = (weight.detach().abs().amax(dim=(1, 2, 3)) / WEIGHT_LEVEL).clamp(min=1e-8)
        zero = torch.zeros(len(weight), dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -WEIGHT_LEVEL, WEIGHT_LEVEL)


class RoundedMap(nn.Module):
    """Cuts maps at a range and, while `rounds`, brings them to its 256 levels. Zero is always one of them."""

    def __init__(self, low: float = float("-inf"), high: float = float("inf")) -> None:
        super().__init__()
        self.low, self.high = low, high
        self.rounds = False

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps within the range."""
        if not self.rounds:
            return maps.clamp(self.low, self.high)
        return _rounded(maps, self.low, self.high)

    def fit(self, values: Tensor) -> None:
        """Choose the range within the present one that rounds these values [N] with the least squared error."""
        values = values.clamp(self.low, self.high)
        lowest, highest = min(float(values.min()), 0.0), max(float(values.max()), 1e-3)
        ranges = [(low * lowest, high * highest) for low in (_SHARES if lowest else [0.0]) for high in _SHARES]
        errors = [float((_rounded(values, *ends) - values).square().mean()) for ends in ranges]
        self.low, self.high = ranges[errors.index(min(errors))]


def rounded(backbone: LiteBackbone) -> LiteBackbone:
    """Return a copy whose batch norms are part of its convolutions and which computes the same until ranges are fitted.

    Only its weights are rounded at once. The first convolution and the first depthwise one stay as they are: they
    see the picture itself, in which noise and blur are a few grey levels.
    """
    result = copy.deepcopy(backbone)
    network = result.network
    network._conv_stem, network._bn0 = fuse_conv_bn_eval(network._conv_stem, network._bn0), nn.ReLU6()
    for index, block in enumerate(network._blocks):
        if block._block_args.expand_ratio != 1:
            block._expand_conv, block._bn0 = _rounding(block._expand_conv, block._bn0), RoundedMap(*_RELU6)
        fuse = _rounding if index else fuse_conv_bn_eval
        block._depthwise_conv, block._bn1 = fuse(block._depthwise_conv, block._bn1), RoundedMap(*_RELU6)
        block._project_conv, block._bn2 = _rounding(block._project_conv, block._bn2), RoundedMap()
        block._swish = nn.Identity()  # the ranges begin where it ends
        if block.id_skip and block._block_args.stride == 1 and _keeps_channels(block):
            network._blocks[index] = nn.Sequential(block, RoundedMap())
    network._conv_head, network._bn1 = _rounding(network._conv_head, network._bn1), RoundedMap(*_RELU6)
    network._swish = nn.Identity()
    return result


@torch.no_grad()
def ranges_fit(backbone: LiteBackbone, batches: Iterable[Tensor]) -> None:
    """Choose the range of every map by pictures uint8 [N, side, side, 3], and round from now on."""
    maps = [module for module in backbone.modules() if isinstance(module, RoundedMap)]
    seen: dict[nn.Module, list[Tensor]] = {module: [] for module in maps}

    def look(module: nn.Module, inputs: tuple[Tensor]) -> None:
        values = inputs[0].flatten()
        seen[module].append(values[torch.randint(len(values), (_SAMPLES,))])

    hooks = [module.register_forward_pre_hook(look) for module in maps]
    for pixels in batches:
        backbone(pixels)
    for hook, module in zip(hooks, maps, strict=True):
        hook.remove()
        module.fit(torch.cat(seen[module]))
        module.rounds = True


def rounding_remove(backbone: LiteBackbone) -> None:
    """Make a rounded network one that can be exported: weights on their levels, maps cut at their ranges only."""
    for module in list(backbone.modules()):
        if isinstance(module, RoundedMap):
            module.rounds = False
        elif parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight")


def _rounding(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    fused = fuse_conv_bn_eval(convolution, norm)
    parametrize.register_parametrization(fused, "weight", RoundedWeight())
    return fused


def _rounded(maps: Tensor, low: float, high: float) -> Tensor:
    scale = (high - low) / _MAP_LEVEL
    return torch.fake_quantize_per_tensor_affine(maps, scale, round(-low / scale), 0, _MAP_LEVEL)


def _keeps_channels(block: Any) -> bool:
    arguments = block._block_args
    return bool(arguments.input_filters == arguments.output_filters)

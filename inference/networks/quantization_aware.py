"""Quantisation-aware training of an EfficientNet-Lite: it rounds in training as its int8 file will (Jacob et al. 2018).

Weights are rounded per output channel to 2·64 + 1 levels and maps to 256; gradients ignore the rounding. Weights have 7
bits, because processors without VNNI add pairs of products in 16 bits, which would overflow with 8 by 8 bits. So the
file gives the same numbers on all processors.
"""

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.fusion import fuse_conv_bn_eval

from inference.networks.efficientnet_lite import LiteBackbone

WEIGHT_LEVEL = 64
_MAP_LEVEL = 255
_SAMPLES = 8192  # values per map and batch for the choice of its range
_RELU6 = (0.0, 6.0)
_SHARES = torch.linspace(0.3, 1.0, 15).tolist()  # candidate ends of a range, as shares of the extreme value


class RoundedWeight(nn.Module):
    """Rounds a convolution's weight [out, in, height, width] with one scale per output channel."""

    def forward(self, weight: Tensor) -> Tensor:
        """Return the rounded weight."""
        scale = (weight.detach().abs().amax(dim=(1, 2, 3)) / WEIGHT_LEVEL).clamp(min=1e-8)
        zero = torch.zeros(len(weight), dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -WEIGHT_LEVEL, WEIGHT_LEVEL)


class RoundedMap(nn.Module):
    """Clips maps to a range and, if `rounds`, rounds them to 256 levels, of which zero is one."""

    def __init__(self, low: float = float("-inf"), high: float = float("inf")) -> None:
        super().__init__()
        self.low, self.high = low, high
        self.rounds = False

    def forward(self, maps: Tensor) -> Tensor:
        """Return the clipped, and perhaps rounded, maps."""
        if not self.rounds:
            return maps.clamp(self.low, self.high)
        return _rounded(maps, self.low, self.high)

    def fit(self, values: Tensor) -> None:
        """Choose the range, within the current one, that rounds the values [N] with the smallest squared error."""
        values = values.clamp(self.low, self.high)
        lowest, highest = min(float(values.min()), 0.0), max(float(values.max()), 1e-3)
        ranges = [(low * lowest, high * highest) for low in (_SHARES if lowest else [0.0]) for high in _SHARES]
        errors = [float((_rounded(values, *ends) - values).square().mean()) for ends in ranges]
        self.low, self.high = ranges[errors.index(min(errors))]


def quantization_aware_copy(backbone: LiteBackbone) -> LiteBackbone:
    """Return a copy with batch norms fused into convolutions. Weights are rounded; maps are not until `ranges_fit`.

    The first convolution and the first depthwise one are not rounded, because they process the picture itself, in which
    noise and blur change only a few grey levels. With two sizes, one set of weights and ranges serves both pictures.
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
        block._swish = nn.Identity()  # the following maps clip instead
        if block.id_skip and block._block_args.stride == 1 and _keeps_channels(block):
            network._blocks[index] = nn.Sequential(block, RoundedMap())
    network._conv_head, network._bn1 = _rounding(network._conv_head, network._bn1), RoundedMap(*_RELU6)
    network._swish = nn.Identity()
    return result


@torch.no_grad()
def ranges_fit(backbone: LiteBackbone, batches: Iterable[Tensor]) -> None:
    """Choose the range of every map from pictures uint8 [N, side, side, 3], and round maps from now on."""
    maps = [module for module in backbone.modules() if isinstance(module, RoundedMap)]
    seen: dict[nn.Module, list[Tensor]] = {module: [] for module in maps}

    def collect(module: nn.Module, inputs: tuple[Tensor]) -> None:
        values = inputs[0].flatten()
        seen[module].append(values[torch.randint(len(values), (_SAMPLES,))])

    hooks = [module.register_forward_pre_hook(collect) for module in maps]
    for pixels in batches:
        backbone(pixels)
    for hook, module in zip(hooks, maps, strict=True):
        hook.remove()
        module.fit(torch.cat(seen[module]))
        module.rounds = True


def rounding_remove(backbone: LiteBackbone) -> None:
    """Prepare a rounded network for the export: weights stay rounded, maps are only clipped to their ranges."""
    for module in list(backbone.modules()):
        if isinstance(module, RoundedMap):
            module.rounds = False
        elif parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight")


def rounding_read(backbone: LiteBackbone, path: Path) -> None:
    """Give a quantization-aware copy the weights and the ranges of the int8 file that a trained copy was written to.

    The file may be that of the same network with another input size. Raises KeyError or ValueError if it is of another
    network.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    values = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    for name, layer in backbone.network.named_modules():
        if isinstance(layer, nn.Conv2d):
            is_rounded = parametrize.is_parametrized(layer)
            weight = "parametrizations.weight.original" if is_rounded else "weight"
            for place, kind in ((weight, "weight"), ("bias", "bias")):
                found = _float_values(values, f"network.{name}", kind, is_rounded=is_rounded)
                layer.get_parameter(place).data.copy_(found)
    maps = [module for module in backbone.network.modules() if isinstance(module, RoundedMap)]
    # Each map is computed from the one before it, so both lists have the order of the computation.
    stored = [node.input[1:3] for node in graph.node if node.op_type == "QuantizeLinear"]
    for module, (scale, zero) in zip(maps, stored, strict=True):
        module.low = -float(values[scale]) * int(values[zero])
        module.high = module.low + float(values[scale]) * _MAP_LEVEL
        module.rounds = True


def _float_values(values: dict[str, Tensor], layer: str, kind: str, *, is_rounded: bool) -> Tensor:
    """Return the weight or the bias of a layer: a float tensor, or integers times the scale of their channel."""
    name = f"{layer}.{kind}"
    if not is_rounded:
        return values[name]
    integers = values[f"{name}_quantized"]
    scale = values[f"{layer}.weight_scale" if kind == "weight" else f"{name}_quantized_scale"]
    return integers * scale.view(-1, *[1] * (integers.dim() - 1))


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

"""Backbones from torchvision: one rule finds the stages of every ImageNet classifier."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from inference.networks.backbone_base import StagedBackbone, map_statistics, token_statistics
from inference.networks.config import TorchvisionConfig
from inference.networks.torchvision_import import models
from inference.networks.torchvision_table import TORCHVISION

# Blocks of a transformer whose tokens are used, as shares of its depth.
_DEPTHS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Stage:
    """A module whose output statistics are features."""

    module: nn.Module
    statistics: Callable[[Tensor], list[Tensor]]

    def collect(self, found: list[Tensor], _inputs: Any, output: Tensor) -> None:
        """Append the statistics of an output to `found`."""
        found.extend(self.statistics(output))


@dataclass(frozen=True)
class FeatureLayers:
    """The layers of a network that features come from. Not a module, because the layers belong to the network."""

    stages: list[Stage]
    linear: nn.Linear | None
    """The last linear layer, whose input is the pooled layer."""


class TorchvisionBackbone(StagedBackbone):
    """A torchvision classifier. Its features are (mean, standard deviation) of each stage, then the pooled layer.

    Stages of a convolutional network: the last output of each map size along its trunk, except the smallest size,
    which the pooled layer summarises. Stages of a transformer: tokens at a quarter, half and three quarters of its
    depth. Pooled layer: the input of the last linear layer, so that hidden layers of a classifier (VGG, AlexNet) belong
    to the backbone. If there is no linear layer (SqueezeNet), the logits are used.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, config: TorchvisionConfig, *, side: int = 0) -> None:
        super().__init__(network.eval(), config)
        # The normalisation that the weights were trained with.
        trained = models.get_model_weights(config.architecture).DEFAULT.transforms()
        self.register_buffer("mean", torch.tensor(trained.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(trained.std).view(1, 3, 1, 1), persistent=False)
        self.layers = feature_layers(network, side or config.input_size)

    def normalised(self, pixels: Tensor) -> Tensor:
        """Return maps [N, 3, side, side] of pixels uint8 [N, side, side, 3]."""
        return (pixels.permute(0, 3, 1, 2).float() / 255.0 - self.mean) / self.std

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features float32 [N, D] of pixels uint8 [N, side, side, 3]."""
        statistics: list[Tensor] = []
        pooled: list[Tensor] = []
        with _hooks() as hook:
            for stage in self.layers.stages:
                # Computed at once, because later layers may overwrite the output in place.
                hook(stage.module, partial(stage.collect, statistics))
            if self.layers.linear is not None:
                hook(self.layers.linear, lambda inputs, _: pooled.append(inputs[0]))
            logits = self.network(self.normalised(pixels))
        return torch.cat([*statistics, *(pooled or [logits])], dim=1)

    def classifier(self) -> tuple[Tensor, Tensor]:
        """Return weight [classes, pooled] and bias [classes] of the ImageNet classifier on the pooled layer."""
        linear = self.layers.linear
        if linear is None:
            return torch.eye(self.config.pooled_size), torch.zeros(self.config.pooled_size)
        bias = torch.zeros(linear.out_features) if linear.bias is None else linear.bias.detach()
        return linear.weight.detach(), bias


def torchvision_build(config: TorchvisionConfig) -> nn.Module:
    """Return the network with random weights."""
    arguments: dict[str, Any] = {"weights": None}
    if config.architecture in {"googlenet", "inception_v3"}:
        # The weights include auxiliary classifiers, which are never run.
        arguments |= {"transform_input": True, "aux_logits": True, "init_weights": False}
    if config.architecture.startswith("vit"):
        arguments["image_size"] = TORCHVISION[config.architecture].input_size
    network: nn.Module = models.get_model(config.architecture, **arguments)
    return network


@contextmanager
def _hooks() -> Iterator[Callable[[nn.Module, Callable[[Any, Any], Any]], None]]:
    """Yield a function that registers a callback for (inputs, output) of a module until the end of the block."""
    handles = []

    def hook(module: nn.Module, callback: Callable[[Any, Any], Any]) -> None:
        def forward_hook(_module: nn.Module, inputs: Any, output: Any) -> None:
            callback(inputs, output)

        handles.append(module.register_forward_hook(forward_hook))

    try:
        yield hook
    finally:
        for handle in handles:
            handle.remove()


def feature_layers(network: nn.Module, side: int) -> FeatureLayers:
    """Return the layers of a network in evaluation mode that features come from; runs it on an empty picture."""
    ends: dict[int, Stage] = {}
    linear: list[nn.Linear] = []

    def visit(module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4:
            size, statistics = _layout(output)
            if size > 1:
                ends[size] = Stage(module, statistics)

    def use(module: nn.Linear, _inputs: Any, _output: Any) -> None:
        linear.append(module)

    with _hooks() as hook, torch.no_grad():
        for module in _trunk(network):
            hook(module, partial(visit, module))
        for module in network.modules():
            if isinstance(module, nn.Linear):
                hook(module, partial(use, module))
        network(torch.zeros(1, 3, side, side, device=next(network.parameters()).device))
    last = linear[-1] if linear else None
    if isinstance(network, models.VisionTransformer):
        return FeatureLayers(_transformer_stages(network), last)
    return FeatureLayers([stage for size, stage in ends.items() if size > min(ends)], last)


def _transformer_stages(network: Any) -> list[Stage]:
    """Return the blocks of a VisionTransformer whose tokens are used."""
    blocks = list(network.encoder.layers)
    return [Stage(blocks[max(round(share * len(blocks)), 1) - 1], _patch_statistics) for share in _DEPTHS]


def _patch_statistics(tokens: Tensor) -> list[Tensor]:
    """Return mean and standard deviation of the patches' tokens; the first token is the class's."""
    return token_statistics(tokens[:, 1:])


def _trunk(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the modules that run one after the other; sequences are flattened, blocks are not."""
    for child in module.children():
        if type(child) in {nn.Sequential, nn.ModuleList}:
            yield from _trunk(child)
        else:
            yield child


def _layout(output: Tensor) -> tuple[int, Callable[[Tensor], list[Tensor]]]:
    """Return the side of maps and the function for their statistics. Swin has channels last."""
    _rows, first, second, third = output.shape
    if first == second != third:
        return first, lambda x: token_statistics(x.flatten(1, 2))
    return third, map_statistics

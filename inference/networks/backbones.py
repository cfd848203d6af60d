"""Loads backbones by name: pixels in, feature vectors out."""

from torch import Tensor

from inference.networks.backbone_base import StagedBackbone
from inference.networks.config import BackboneConfig, LiteConfig, TorchvisionConfig
from inference.networks.weights import random_weights, weights_load

__all__ = ["StagedBackbone", "backbone_load", "classifier_load"]


def backbone_load(config: BackboneConfig) -> StagedBackbone:
    """Return a backbone with its weights, in evaluation mode.

    Raises WeightsMissing if the weight file is missing, unreadable, or of another network.
    """
    if config.random:
        with random_weights():
            return _build(config).eval()
    path = config.weights_path()
    backbone = _build(config)
    weights_load(backbone.network, path, name=config.name)
    return backbone.eval()


def classifier_load(config: BackboneConfig) -> tuple[Tensor, Tensor]:
    """Return weight [classes, pooled] and bias [classes] of the ImageNet classifier of a torchvision backbone.

    Raises WeightsMissing as `backbone_load` does.
    """
    return backbone_load(config).classifier()


def _build(config: BackboneConfig) -> StagedBackbone:
    """Return the network without its weights."""
    if isinstance(config, LiteConfig):
        from inference.networks.efficientnet_lite import lite_build

        return lite_build(config)
    assert isinstance(config, TorchvisionConfig)
    # torchvision takes two seconds to import, and the bundled backbones do not need it.
    from inference.networks.torchvision_models import TorchvisionBackbone, torchvision_build

    network = torchvision_build(config)
    if config.scales:
        from inference.networks.multiscale import MultiscaleTransformer

        return MultiscaleTransformer(network, config)
    return TorchvisionBackbone(network, config)

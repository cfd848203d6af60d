"""A vision transformer that processes a picture at several sizes, as MUSIQ does (Ke et al. 2021).

Large sizes show defects, small ones the composition. The same network processes all sizes: the patch size stays the
same, and the positional embeddings are interpolated to each grid of patches.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from inference.networks.backbone_base import resize_matrix
from inference.networks.config import TorchvisionConfig
from inference.networks.torchvision_models import TorchvisionBackbone


class MultiscaleTransformer(TorchvisionBackbone):
    """A VisionTransformer at several sizes, smallest first.

    Its features are (mean, standard deviation) of the patches' tokens at each stage, for each size, then
    the class token averaged over the sizes.
    """

    def __init__(self, network: Any, config: TorchvisionConfig) -> None:
        # Its layers are found at the size that it was made for.
        super().__init__(network, config, side=network.image_size)
        self.scales = config.scales
        for side in config.scales:
            resize = resize_matrix(config.input_size, side)
            self.register_buffer(f"resize_{side}", resize, persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features float32 [N, D] of pixels uint8 [N, side, side, 3]."""
        whole = self.normalised(pixels)
        encoded = [self._encode(whole, side) for side in self.scales]
        pooled = torch.stack([class_token for _, class_token in encoded]).mean(dim=0)
        return torch.cat([*(number for statistics, _ in encoded for number in statistics), pooled], dim=1)

    def _encode(self, whole: Tensor, side: int) -> tuple[list[Tensor], Tensor]:
        """Return the statistics of the stages and the class token [N, C] of the picture at one size."""
        network = self.network
        if side < self.config.input_size:
            resize = self.get_buffer(f"resize_{side}")
            whole = resize @ whole @ resize.T
        patches = network.conv_proj(whole).flatten(2).transpose(1, 2)
        tokens = torch.cat([network.class_token.expand(patches.shape[0], -1, -1), patches], dim=1)
        tokens = tokens + embedding_at(network.encoder.pos_embedding, side // network.patch_size)
        statistics: list[Tensor] = []
        for block in network.encoder.layers:
            tokens = block(tokens)
            for stage in self.layers.stages:
                if stage.module is block:
                    statistics += stage.statistics(tokens)
        return statistics, network.encoder.ln(tokens)[:, 0]


def embedding_at(embedding: Tensor, grid: int) -> Tensor:
    """Return positional embeddings [1, 1 + grid², C], interpolated from those [1, 1 + n², C] of another grid."""
    own = round((embedding.shape[1] - 1) ** 0.5)
    if own == grid:
        return embedding
    places = embedding[:, 1:].transpose(1, 2).reshape(1, -1, own, own)
    places = functional.interpolate(places, size=(grid, grid), mode="bicubic", align_corners=False)
    return torch.cat([embedding[:, :1], places.flatten(2).transpose(1, 2)], dim=1)

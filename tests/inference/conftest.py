"""A tiny backbone and tiny heads. They use the same code as the large ones and run in milliseconds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from efficientnet_lite_pytorch.utils import BlockDecoder, GlobalParams

from inference.networks.backbone_base import StagedBackbone
from inference.networks.config import LiteConfig
from inference.networks.efficientnet_lite import LiteBackbone
from inference.networks.heads import Heads, HeadsConfig

TINY = LiteConfig(
    name="tiny",
    input_size=32,
    pooled_start=96,
    pooled_size=1280,
    weights_package="none",
    weights_file="none",
    stage_blocks=(-1, 0),
)


def tiny_lite(*blocks: str) -> LiteBackbone:
    """Return an EfficientNet-Lite with these blocks and random weights, for pictures of 32 × 32 pixels."""
    torch.manual_seed(0)
    parameters = GlobalParams(
        width_coefficient=1.0,
        depth_coefficient=1.0,
        image_size=32,
        dropout_rate=0.2,
        num_classes=1000,
        batch_norm_momentum=0.99,
        batch_norm_epsilon=1e-3,
        drop_connect_rate=0.0,
        depth_divisor=8,
        min_depth=None,
        relu_fn="relu6",
        local_pooling=False,
        fix_head_stem=True,
    )
    return LiteBackbone(EfficientNet(BlockDecoder.decode(list(blocks)), parameters), TINY).eval()


@pytest.fixture(scope="session")
def tiny_backbone() -> StagedBackbone:
    """Return the tiny network with only the first block."""
    return tiny_lite("r1_k3_s11_e1_i32_o16_se0.25")


@pytest.fixture(scope="session")
def make_heads() -> Callable[..., Heads]:
    """Return a function that makes small heads: 12 features, the last 6 of them pooled, 20 classes."""

    def make(*, bins: int = 10, hidden: int = 8, synsets: tuple[int, ...] = (3, 7), seed: int = 0) -> Heads:
        generator = torch.Generator().manual_seed(seed)
        classifier = (torch.randn(20, 6, generator=generator), torch.randn(20, generator=generator))
        torch.manual_seed(seed)
        config = HeadsConfig(
            feature_size=12, pooled_start=6, pooled_stop=12, bins=bins, hidden=hidden, dropout=0.5, synsets=synsets
        )
        return Heads(config, classifier).eval()

    return make


@pytest.fixture(scope="session")
def heads_folder(
    tmp_path_factory: pytest.TempPathFactory, make_heads: Callable[..., Heads]
) -> Callable[[int, int], Path]:
    """Return a function that gives the folder of exported small heads. Each export takes a second and runs once."""
    from inference.networks.checkpoint import heads_save
    from inference.networks.export import heads_to_onnx

    exported: dict[tuple[int, int], Path] = {}

    def files(bins: int, seed: int) -> Path:
        if (bins, seed) not in exported:
            folder = exported[bins, seed] = tmp_path_factory.mktemp("heads")
            heads = make_heads(bins=bins, seed=seed)
            heads_save(folder, heads, {"name": "tiny"})
            heads_to_onnx(heads, folder / "heads.onnx")
        return exported[bins, seed]

    return files


@pytest.fixture
def version_of(heads_folder: Callable[[int, int], Path]) -> Callable[..., Any]:
    """Return a function that stores small heads as the next version of a campaign."""

    def make(campaign: Any, *, champion: bool = True, seed: int = 0) -> Any:
        from inference.services.versions import champion_set, version_create

        version = version_create(
            campaign=campaign, source=heads_folder(campaign.bins, seed), backbone="tiny@0", recipe={"name": "tiny"}
        )
        if champion:
            champion_set(version=version)
        return version

    return make


@pytest.fixture
def features() -> np.ndarray:
    """Return ten feature vectors for small heads."""
    return np.random.default_rng(0).normal(size=(10, 12)).astype(np.float32)

"""Quantization-aware training: a network rounds like its int8 file and learns the features of the float network."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from PIL import Image

from inference.networks.config import EFFICIENTNET_LITE0
from inference.networks.efficientnet_lite import LiteBackbone
from inference.networks.export import backbone_to_onnx
from inference.networks.heads import Heads, heads_fresh
from inference.networks.quantization_aware import (
    WEIGHT_LEVEL,
    RoundedMap,
    quantization_aware_copy,
    ranges_fit,
    rounding_remove,
)
from inference.scoring.int8 import int8_quantise
from inference.scoring.predictor import Backbone
from tests.conftest import photo_bytes
from tests.inference.conftest import TINY, tiny_lite
from training.recipes.int8_distillation import DistillationRecipe, distil, views

RECIPE = DistillationRecipe(views_per_photo=4, fitting=32, steps=60, batch=8, learning_rate=3e-4)


@pytest.fixture(scope="module")
def teacher(pictures: np.ndarray) -> LiteBackbone:
    """Return a network with a first block and two wider blocks, the second of them with a residual connection."""
    network = tiny_lite("r1_k3_s11_e1_i32_o16", "r2_k3_s22_e6_i16_o24")
    for module in network.train().modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # Without momentum, the statistics of the first batch count, and activations do not shrink with each layer.
            module.momentum = None
    network(torch.from_numpy(pictures))
    return network.eval()


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    coarse = np.random.default_rng(0).integers(0, 256, (64, 5, 5, 3), dtype=np.uint8)
    return np.stack(
        [np.asarray(Image.fromarray(small).resize((32, 32), Image.Resampling.BICUBIC), np.uint8) for small in coarse]
    )


@pytest.fixture(scope="module")
def heads() -> Heads:
    return heads_fresh(TINY, bins=10, synsets=(3, 7))


def features_of(network: LiteBackbone, pictures: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return network(torch.from_numpy(pictures)).numpy()


def convolutions(network: LiteBackbone) -> list[torch.nn.Conv2d]:
    return [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]


def test_only_weights_are_rounded_before_ranges_are_fitted(teacher: LiteBackbone, pictures: np.ndarray) -> None:
    network = quantization_aware_copy(teacher)
    for layer in convolutions(network)[2:]:
        levels = layer.weight / layer.weight.abs().amax(dim=(1, 2, 3), keepdim=True) * WEIGHT_LEVEL
        torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    for layer in convolutions(network)[:2]:
        levels = layer.weight / layer.weight.abs().amax(dim=(1, 2, 3), keepdim=True) * WEIGHT_LEVEL
        assert float((levels - levels.round()).detach().abs().max()) > 0.1
    original, rounded = features_of(teacher, pictures), features_of(network, pictures)
    assert 0 < np.abs(original - rounded).mean() < 0.05 * original.std()


def test_a_rounded_map_has_256_levels_with_a_level_at_zero() -> None:
    values = torch.randn(20_000, generator=torch.Generator().manual_seed(0)) - 0.3
    layer = RoundedMap()
    assert torch.equal(layer(values), values)
    layer.fit(values)
    layer.rounds = True
    found = layer(values)
    assert 200 < len(found.unique()) <= 256
    assert 0.0 in found.unique()
    inside = (values > layer.low) & (values < layer.high)
    assert inside.float().mean() > 0.99
    step = (layer.high - layer.low) / 255
    # The ends of the range may be half a step away from a level.
    assert float((found - values)[inside].abs().max()) < 1.01 * step
    assert RoundedMap(0.0, 6.0)(torch.tensor([-1.0, 3.0, 7.0])).tolist() == [0.0, 3.0, 6.0]


def test_the_int8_file_computes_the_learned_features(
    teacher: LiteBackbone, pictures: np.ndarray, tmp_path: Path
) -> None:
    network = quantization_aware_copy(teacher)
    ranges_fit(network, [torch.from_numpy(pictures)])
    learned = features_of(network, pictures)
    rounding_remove(network)
    backbone_to_onnx(network, tmp_path / "learned.onnx")
    int8_quantise(tmp_path / "learned.onnx", tmp_path / "int8.onnx", list(pictures[:4]), has_learned_rounding=True)
    served = Backbone(tmp_path / "int8.onnx", device="cpu").features(list(pictures))
    original = features_of(teacher, pictures)
    assert np.abs(served - learned).mean() < 0.5 * np.abs(original - learned).mean()


def test_distillation_reduces_the_error_of_features(teacher: LiteBackbone, pictures: np.ndarray, heads: Heads) -> None:
    targets = features_of(teacher, pictures)
    rows, unseen = np.arange(48), np.arange(48, 64)
    progress: list[tuple[int, int]] = []
    untrained = distil(teacher, pictures, targets, rows, heads, replace(RECIPE, learning_rate=0.0), lambda *_: None)
    network = distil(teacher, pictures, targets, rows, heads, RECIPE, lambda *step: progress.append(step))
    assert progress == [(step, RECIPE.steps) for step in range(1, RECIPE.steps + 1)]
    size = TINY.pooled_stop
    before, after = (
        np.square(((features_of(one, pictures[unseen]) - targets[unseen]) / targets.std(0).clip(0.01))[:, :size]).mean()
        for one in (untrained, network)
    )
    assert after < 0.7 * before
    np.testing.assert_array_equal(features_of(teacher, pictures), targets)  # the teacher does not change


def test_views_have_the_number_of_their_photo_and_are_always_the_same(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(photo_bytes(number, width=300, height=200))
    paths = sorted(tmp_path.iterdir())
    progress: list[tuple[int, int]] = []
    pixels, numbers = views(paths, RECIPE, lambda done, total: progress.append((done, total)), side=224)
    assert pixels.shape == (12, 224, 224, 3)
    assert numbers.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert progress == [(1, 3), (2, 3), (3, 3)]
    again, _numbers = views(paths[:2], RECIPE, lambda *_: None, side=224)
    np.testing.assert_array_equal(again, pixels[:8])


@pytest.mark.slow
def test_the_command_writes_a_working_file_and_its_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    with pytest.raises(CommandError, match="0 photographs are too few"):
        call_command("train_int8", photos, out=tmp_path / "out")
    for number in range(4):
        (photos / f"{number}.jpg").write_bytes(photo_bytes(number, width=300, height=200))
    (photos / "broken.jpg").write_bytes(b"not a photo")
    with pytest.raises(CommandError, match=r"cannot identify image file .*broken\.jpg"):
        call_command("train_int8", photos, out=tmp_path / "out", leave_out=2)
    (photos / "broken.jpg").unlink()
    call_command("train_int8", photos, out=tmp_path / "out", views=3, steps=1, leave_out=2)
    key = EFFICIENTNET_LITE0.key()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"{key}.int8.json", f"{key}.int8.onnx"]
    output: Any = capsys.readouterr().out
    assert "photos: 6\n" in output
    picture = np.full((1, 224, 224, 3), 90, np.uint8)
    assert Backbone(tmp_path / "out" / f"{key}.int8.onnx").features(list(picture)).shape == (
        1,
        EFFICIENTNET_LITE0.feature_size,
    )

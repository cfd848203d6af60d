"""Quantization-aware training: a network rounds like its int8 file and learns the features of the float network."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from django.core.management import CommandError, call_command
from PIL import Image

from inference.networks.config import EFFICIENTNET_LITE0
from inference.networks.efficientnet_lite import LiteBackbone, TwoSizeLite
from inference.networks.export import backbone_to_onnx
from inference.networks.heads import Heads, heads_fresh
from inference.networks.quantization_aware import (
    WEIGHT_LEVEL,
    RoundedMap,
    quantization_aware_copy,
    ranges_fit,
    rounding_read,
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
    torch.manual_seed(0)  # the weights must not depend on the tests that ran before
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


def int8_file(network: LiteBackbone, pictures: np.ndarray, folder: Path) -> Path:
    """Write the int8 file of a quantization-aware copy, and return its path."""
    rounding_remove(network)
    backbone_to_onnx(network, folder / "learned.onnx")
    int8_quantise(folder / "learned.onnx", folder / "int8.onnx", list(pictures[:4]), has_learned_rounding=True)
    return folder / "int8.onnx"


def test_a_backbone_of_two_sizes_has_the_weights_and_the_ranges_of_the_file_of_one(
    teacher: LiteBackbone, pictures: np.ndarray, tmp_path: Path
) -> None:
    one = quantization_aware_copy(teacher)
    ranges_fit(one, [torch.from_numpy(pictures)])
    for layer in convolutions(one):  # weights that nobody finds in the float network
        layer.get_parameter(
            "parametrizations.weight.original" if hasattr(layer, "parametrizations") else "weight"
        ).data.mul_(1.1)
    learned, floats_of_one = features_of(one, pictures), features_of(teacher, pictures)
    file_of_one = int8_file(one, pictures, tmp_path)

    again = quantization_aware_copy(teacher)
    rounding_read(again, file_of_one)
    # Single values may round to the neighbouring level.
    assert np.abs(features_of(again, pictures) - learned).mean() < 0.1 * np.abs(floats_of_one - learned).mean()

    large = np.stack([np.asarray(Image.fromarray(picture).resize((64, 64))) for picture in pictures])
    two = quantization_aware_copy(TwoSizeLite(teacher.network, replace(TINY, input_size=64, scales=(32, 64))).eval())
    rounding_read(two, file_of_one)
    expected = features_of(two, large)
    (tmp_path / "two").mkdir()
    path = int8_file(two, large, tmp_path / "two")
    served = Backbone(path, device="cpu").features(list(large))
    original = features_of(TwoSizeLite(teacher.network, two.config), large)  # type: ignore[arg-type]  # typed as any module
    assert np.abs(served - expected).mean() < 0.5 * np.abs(original - expected).mean()

    graph = onnx.load(path).graph
    floats = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT}
    kept = [node.input[1] for node in graph.node if node.op_type == "Conv" and node.input[1] in floats]
    assert len(kept) == 4, "the first convolution and the first depthwise one of each size stay float"
    assert len(set(kept)) == 2, "both sizes read the same weights"
    assert path.stat().st_size < 1.2 * file_of_one.stat().st_size


def test_a_file_of_another_network_gives_no_weights(
    teacher: LiteBackbone, pictures: np.ndarray, tmp_path: Path
) -> None:
    other = quantization_aware_copy(tiny_lite("r1_k3_s11_e1_i32_o16"))
    ranges_fit(other, [torch.from_numpy(pictures)])
    path = int8_file(other, pictures, tmp_path)
    with pytest.raises(KeyError):
        rounding_read(quantization_aware_copy(teacher), path)


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
    assert after < 0.8 * before  # near .7; the number of threads changes it a little
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
    some, of_photo = views(paths, RECIPE, lambda *_: None, side=224, numbers=[2])
    np.testing.assert_array_equal(some, pixels[8:])
    assert of_photo.tolist() == [2] * 4


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
    for name, sentence in (("resnet50", "not a bundled backbone"), ("efficientnet_lite0@224", "must be 224")):
        with pytest.raises(CommandError, match=sentence):
            call_command("train_int8", photos, out=tmp_path / "out", backbone=name, leave_out=2)
    with pytest.raises(CommandError, match="Make it first, with the same --out"):
        call_command("train_int8", photos, out=tmp_path / "out", backbone="efficientnet_lite1@240+352", leave_out=2)
    picture = np.full((1, 224, 224, 3), 90, np.uint8)
    assert Backbone(tmp_path / "out" / f"{key}.int8.onnx").features(list(picture)).shape == (
        1,
        EFFICIENTNET_LITE0.feature_size,
    )

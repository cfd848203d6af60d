"""The int8 file of a backbone: how it is made, measured, and kept separate from the float file."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from inference.networks import config as config_module
from inference.networks.backbone_base import StagedBackbone
from inference.networks.config import (
    EFFICIENTNET_LITE0,
    EFFICIENTNET_LITE1,
    EFFICIENTNET_LITE2,
    BackboneConfig,
    WeightsMissing,
    backbone_config,
)
from inference.networks.export import backbone_to_onnx
from inference.scoring.int8 import Int8Card, feature_correlation, int8_card, int8_key, int8_make, int8_path
from inference.scoring.predictor import Backbone, ScoreBatch
from inference.serving import runtime
from tests.inference.conftest import TINY
from training.recipes.int8_distillation import DistillationRecipe

TWO_SIZES = backbone_config("efficientnet_lite2@260+384")


def predict(features: np.ndarray) -> ScoreBatch:
    """Return scores computed from the features. Class features are left out: random weights hardly change them."""
    features = features[:, : TINY.pooled_stop]
    weight = 4 * np.random.default_rng(1).normal(size=(features.shape[1], 10))
    logits = features @ weight / np.sqrt(len(weight))
    watch = 1 / (1 + np.exp(-logits[:, 0]))
    distribution = np.exp(logits)
    return ScoreBatch(watch, watch[:, None], distribution / distribution.sum(axis=1, keepdims=True))


@pytest.fixture
def photos() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (24, 4, 4, 3), dtype=np.uint8)
    return [np.asarray(Image.fromarray(one).resize((32, 32), Image.Resampling.BICUBIC)) for one in coarse]


@pytest.fixture
def int8_files(tiny_backbone: StagedBackbone, photos: list[np.ndarray], tmp_path: Path) -> tuple[Path, Int8Card]:
    backbone_to_onnx(tiny_backbone, tmp_path / "tiny@0.onnx")
    card = int8_make(tmp_path / "tiny@0.onnx", photos[:8], photos[8:], predict=predict, measures_quality=True)
    return tmp_path, card


@pytest.mark.slow
def test_int8_features_are_close_and_the_card_states_the_difference(
    int8_files: tuple[Path, Int8Card], photos: list[np.ndarray]
) -> None:
    folder, card = int8_files
    assert sorted(file.name for file in folder.iterdir()) == ["tiny@0.int8.json", "tiny@0.int8.onnx", "tiny@0.onnx"]
    assert (card.calibration_photos, card.photos) == (8, 16)
    assert card == int8_card(folder, "tiny@0")
    float_features, int8_features = (
        Backbone(folder / name, threads=1, device="cpu").features(photos)
        for name in ("tiny@0.onnx", "tiny@0.int8.onnx")
    )
    assert card.feature_correlation == pytest.approx(
        feature_correlation(float_features[8:], int8_features[8:]), abs=1e-3
    )
    assert card.feature_correlation > 0.95
    assert (float_features != int8_features).any()
    assert 0 < card.watch_shift_mean <= card.watch_shift_p95 < 0.05


@pytest.mark.slow
def test_the_int8_setting_changes_the_features_and_their_key(
    int8_files: tuple[Path, Int8Card], settings: Any, monkeypatch: pytest.MonkeyPatch, photos: list[np.ndarray]
) -> None:
    folder, card = int8_files
    settings.IQS_BACKBONE, settings.MODELS_ROOT = "tiny", folder
    monkeypatch.setitem(config_module.BACKBONES, "tiny", TINY)
    monkeypatch.setattr(config_module, "_key", lambda config: "tiny@0")
    monkeypatch.setattr(runtime, "_backbones", {})
    monkeypatch.setattr(runtime, "backbones_folder", lambda: folder)
    float_key, float_backbone = runtime.features_key(), runtime.backbone()
    settings.IQS_PRECISION = "int8"
    assert (float_key, runtime.features_key()) == ("tiny@0", f"tiny@0-int8-{card.sha256[:8]}")
    assert (runtime.backbone().features(photos) != float_backbone.features(photos)).any()
    int8_path(folder, "tiny@0").write_bytes(b"damaged")
    runtime._backbones.clear()
    with pytest.raises(WeightsMissing, match="does not match its card"):
        runtime.backbone()


@pytest.mark.parametrize(
    ("precision", "device", "backbone", "expected"),
    [
        ("auto", "auto", EFFICIENTNET_LITE0, True),
        ("auto", "cuda", EFFICIENTNET_LITE0, False),
        ("auto", "auto", TWO_SIZES, True),
        ("fp32", "auto", TWO_SIZES, False),
        ("auto", "auto", EFFICIENTNET_LITE1, False),
        ("auto", "auto", replace(EFFICIENTNET_LITE0, random=True), False),
        ("fp32", "auto", EFFICIENTNET_LITE0, False),
        ("int8", "auto", EFFICIENTNET_LITE1, True),
    ],
)
def test_int8_is_used_when_a_file_is_shipped_or_the_setting_asks_for_it(
    settings: Any, precision: str, device: str, backbone: BackboneConfig, expected: bool
) -> None:
    settings.IQS_PRECISION, settings.IQS_DEVICE = precision, device
    assert runtime.is_int8(backbone) is expected


@pytest.mark.parametrize("config", [EFFICIENTNET_LITE0, EFFICIENTNET_LITE2, TWO_SIZES], ids=lambda one: one.name)
def test_a_shipped_file_matches_its_card_and_the_backbone(
    config: BackboneConfig, settings: Any, tmp_path: Path
) -> None:
    settings.MODELS_ROOT, settings.IQS_PRECISION, settings.IQS_BACKBONE = tmp_path, "auto", config.name
    key = config.key()
    path = runtime.backbone_served(config)
    assert path == int8_path(tmp_path, key)
    assert list(tmp_path.iterdir()) == [], "no file is exported"
    card = json.loads(path.with_suffix(".json").read_text())
    assert {"recipe", "data", "licence", "photographs"} <= set(card)
    assert card["recipe"] == DistillationRecipe().as_card(), "the recipe has changed: make the file again"
    assert int8_card(tmp_path, key).feature_correlation > 0.99
    assert not any(node.metadata_props for node in onnx.load(path).graph.node), "the file contains paths of source code"
    assert runtime.features_key() == f"{key}-int8-{card['sha256'][:8]}"


def test_the_shipped_file_of_two_sizes_has_the_weights_of_the_file_of_one(tmp_path: Path) -> None:
    one, two = (int8_path(tmp_path, config.key()) for config in (EFFICIENTNET_LITE2, TWO_SIZES))
    card = json.loads(two.with_suffix(".json").read_text())
    assert card["weights_from"] == {"file": one.name, "sha256": int8_card(tmp_path, EFFICIENTNET_LITE2.key()).sha256}
    assert card["data"] == json.loads(one.with_suffix(".json").read_text())["data"]
    assert two.stat().st_size < 1.2 * one.stat().st_size, "the weights are in the file twice"
    weights = [
        {tensor.name: tensor.raw_data for tensor in onnx.load(path).graph.initializer if "weight_quant" in tensor.name}
        for path in (one, two)
    ]
    assert weights[0].keys() == weights[1].keys()
    same = sum(weights[0][name] == weights[1][name] for name in weights[0])
    assert same > len(weights[0]) / 2, "only channels with weights near zero may differ"


def test_the_sites_own_file_is_used_instead_of_the_shipped_one(tmp_path: Path) -> None:
    key = EFFICIENTNET_LITE0.key()
    shipped = int8_path(tmp_path, key)
    own = tmp_path / shipped.name
    own.touch()
    assert int8_path(tmp_path, key) == own != shipped


def test_a_missing_int8_file_gives_a_one_sentence_error(tmp_path: Path, settings: Any) -> None:
    with pytest.raises(WeightsMissing, match=r"no int8 file of tiny@0; make it with `manage\.py quantise_backbone"):
        int8_key(tmp_path, "tiny@0")
    (tmp_path / "tiny@0.int8.onnx").touch()
    (tmp_path / "tiny@0.int8.json").write_text(json.dumps({"unknown": 1}))
    with pytest.raises(WeightsMissing, match="no int8 file"):
        int8_card(tmp_path, "tiny@0")
    settings.IQS_PRECISION, settings.IQS_BACKBONE = "int8", EFFICIENTNET_LITE1.name
    with pytest.raises(WeightsMissing, match="IQS_PRECISION=fp32"):
        runtime.features_key()


def test_correlation_leaves_out_constant_features() -> None:
    one = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], dtype=np.float32)
    other = np.array([[2.0, 1.0], [4.0, 9.0], [6.0, 4.0]], dtype=np.float32)
    assert feature_correlation(one, other) == pytest.approx(1.0)


Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> str:
        call_command(*arguments)
        return capsys.readouterr().out

    return call


def test_the_command_lists_every_backbone_with_its_size_and_weights(run: Run) -> None:
    lines = run("backbones").splitlines()
    assert len(lines) == 1 + 83
    assert lines[1].split() == ["efficientnet_lite0", "224", "3912", "bundled", "(of", "new", "campaigns)"]
    assert next(line for line in lines if line.startswith("resnet50 ")).split()[1:] == ["224", "5760", "not", "fetched"]


def test_the_command_shows_one_backbone_with_other_sizes_and_weights(run: Run, tmp_path: Path) -> None:
    assert run("backbones", "vit_b_16@224+384").split()[-5:] == ["vit_b_16@224+384", "384", "9984", "not", "fetched"]
    assert run("backbones", "resnet50", "--weights", "random").split()[-1] == "random"
    (tmp_path / "mine.pth").touch()
    assert run("backbones", "resnet50", "--weights", str(tmp_path / "mine.pth")).split()[-1].endswith("mine.pth")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["backbones", "resnet51"], "choose one of resnet50"),
        (["backbones", "--fetch"], "Name the backbone"),
        (["backbones", "resnet50", "--weights", "/missing.pth", "--fetch"], "The weight file /missing.pth"),
        (["quantise_backbone", "/missing", "--backbone", "resnet51"], "choose one of resnet50"),
    ],
)
def test_invalid_arguments_give_a_one_sentence_error(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command(*arguments)


@pytest.mark.slow
def test_the_command_makes_an_int8_file_from_a_folder(run: Run, tmp_path: Path, settings: Any) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"not a photo")
    for number in range(16):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        coarse.resize((160, 120)).save(tmp_path / "photos" / f"{number}.png")
    out = run("quantise_backbone", str(tmp_path / "photos"), "--backbone", "mobilenet_v3_small", "--weights", "random")
    assert "photos: 8\n" in out
    assert "quality_shift_mean: None" in out  # this backbone has no shipped quality prior
    written = list((Path(settings.MODELS_ROOT) / "backbones").glob("mobilenet_v3_small@random-*.int8.*"))
    assert len(written) == 2
    for path in (tmp_path / "photos").glob("1*.png"):
        path.unlink()
    with pytest.raises(CommandError, match="photos that can be opened; at least 16 are needed"):
        call_command(
            "quantise_backbone", str(tmp_path / "photos"), "--backbone", "mobilenet_v3_small", "--weights", "random"
        )

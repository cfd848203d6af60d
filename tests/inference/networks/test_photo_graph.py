"""The exported model: resizing as Pillow does, the same scores as the parts, and the same in OpenCV."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_image

from inference.networks.backbone_base import StagedBackbone
from inference.networks.export import backbone_to_onnx, heads_to_onnx
from inference.networks.heads import THRESHOLDS, Heads, HeadsConfig, heads_fresh
from inference.networks.photo_graph import OUTPUTS, Decisions, photo_graph_write
from inference.networks.resize_graph import resize_graph
from inference.networks.transforms import pixels
from inference.scoring.predictor import Backbone, HeadsPredictor
from tests.inference.conftest import TINY
from tests.inference.tiny_models import backbone_write

DECISIONS = Decisions(lowest=1, bins=10, watch_threshold=0.05, reject_at=3.0, pending_at=6.0)
FLOWER = load_sample_image("flower.jpg")  # 427 × 640, a real photo
SIZES = {"larger": FLOWER, "much larger one way": FLOWER[:40], "smaller": FLOWER[:20, :30], "equal": FLOWER[:32, :32]}


def as_input(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return picture.astype(np.float32).transpose(2, 0, 1)[None]


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", SIZES)
def test_photos_are_resized_as_pillow_does(tmp_path: Path, size: str, interpolation: str) -> None:
    onnx.save(resize_graph(32, interpolation), tmp_path / "resize.onnx")
    runner = onnxruntime.InferenceSession(tmp_path / "resize.onnx")
    found = runner.run(None, {"photo": as_input(SIZES[size])})[0][0].astype(int)
    expected = pixels(Image.fromarray(SIZES[size]), 32, interpolation).astype(int)
    # Pillow counts with whole numbers, so values in the middle of two grey levels are rounded either way.
    assert np.abs(found - expected).max() <= 1
    assert (found != expected).mean() < 0.01


def opencv_run(path: Path, photo: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    network = cv2.dnn.readNetFromONNX(str(path))
    network.setInput(photo)
    return dict(zip(OUTPUTS, network.forward(list(OUTPUTS)), strict=True))


def heads_of(form: str) -> tuple[Heads, str]:
    """Return heads of a form, with weights, and the backbone that they read: the tiny network or two numbers."""
    torch.manual_seed(0)
    if form in ("hidden layer", "one layer"):
        heads = heads_fresh(TINY, bins=10, synsets=(409, 530, 426), hidden=8 if form == "hidden layer" else 0)
        reads = "tiny"
    else:
        config = HeadsConfig(
            feature_size=2,
            pooled_start=0,
            pooled_stop=2,
            bins=10,
            hidden=4,
            dropout=0.5,
            synsets=(3, 7),
            form=THRESHOLDS,
            support=3 if form == "similar photos" else 0,
            support_size=2,
        )
        heads, reads = Heads(config, (torch.randn(1000, 2), torch.randn(1000))), "numbers"
        heads.line_weight.copy_(torch.tensor([0.01, -0.02]))
        heads.prior_weight.fill_(0.5)
        if form == "similar photos":
            heads.projection.copy_(torch.randn(2, 2) / 100)
            heads.support_weight.copy_(torch.randn(3))
    with torch.no_grad():
        heads.watch_weight.normal_()
    return heads.eval(), reads


@pytest.mark.slow
@pytest.mark.parametrize("form", ["hidden layer", "one layer", "thresholds", "similar photos"])
def test_heads_of_every_form_give_the_scores_of_their_parts(
    tmp_path: Path, tiny_backbone: StagedBackbone, form: str
) -> None:
    heads, reads = heads_of(form)
    heads_to_onnx(heads, tmp_path / "heads.onnx")
    if reads == "tiny":
        backbone_to_onnx(tiny_backbone, tmp_path / "backbone.onnx")
    else:
        backbone_write(tmp_path / "backbone.onnx")
    path = tmp_path / "model.onnx"
    photo_graph_write(
        path,
        backbone=tmp_path / "backbone.onnx",
        heads=tmp_path / "heads.onnx",
        decisions=DECISIONS,
        metadata={"name": "flowers"},
    )
    network = Backbone(tmp_path / "backbone.onnx", threads=1, device="cpu")
    features = network.features([network.prepare(Image.fromarray(FLOWER))]).astype("<f2").astype(np.float32)
    expected = HeadsPredictor(tmp_path / "heads.onnx").predict(features)
    runner = onnxruntime.InferenceSession(path)
    assert runner.get_modelmeta().custom_metadata_map == {"name": "flowers"}
    ours = dict(zip(OUTPUTS, runner.run(list(OUTPUTS), {"photo": as_input(FLOWER)}), strict=True))
    for found in (ours, opencv_run(path, as_input(FLOWER))):
        # Single grey levels and the rounding of features to float16 may differ, which moves probabilities a little.
        np.testing.assert_allclose(found["distribution"], expected.distribution, atol=2e-3)
        np.testing.assert_allclose(found["watch_probability"].reshape(-1), expected.watch_probability, atol=2e-3)
        mean = float(expected.distribution[0] @ np.arange(1, 11))
        assert float(found["mean"].reshape(-1)[0]) == pytest.approx(mean, abs=0.02)
        assert int(found["quality_class"].reshape(-1)[0]) == int(mean > 3) + int(mean > 6)
        assert int(found["is_watch"].reshape(-1)[0]) == int(expected.watch_probability[0] > 0.05)


def test_operators_of_other_domains_are_refused(tmp_path: Path, heads_folder: Callable[[int, int], Path]) -> None:
    backbone_write(tmp_path / "backbone.onnx")
    model = onnx.load(tmp_path / "backbone.onnx")
    model.graph.node[0].domain = "com.microsoft"
    onnx.save(model, tmp_path / "backbone.onnx")
    with pytest.raises(ValueError, match=r"com\.microsoft, which other programs do not have"):
        photo_graph_write(
            tmp_path / "model.onnx",
            backbone=tmp_path / "backbone.onnx",
            heads=heads_folder(10, 0) / "heads.onnx",
            decisions=DECISIONS,
            metadata={},
        )
    assert not (tmp_path / "model.onnx").exists()

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import load as onnx_load

import inference
from inference.networks import checkpoint
from inference.networks.backbones import StagedBackbone
from inference.networks.checkpoint import CheckpointError, heads_load, heads_save
from inference.networks.export import backbone_to_onnx, heads_to_onnx
from inference.networks.heads import Heads
from inference.scoring.predictor import Backbone, DeviceMissing, HeadsPredictor, session

MakeHeads = Callable[..., Heads]


def test_saved_heads_are_loaded_with_16_bit_precision(
    make_heads: MakeHeads, tmp_path: Path, features: np.ndarray
) -> None:
    heads = make_heads()
    heads_save(tmp_path, heads, {"name": "test", "seed": 5})
    loaded, card = heads_load(tmp_path)
    assert (card["name"], card["seed"], card["format_version"]) == ("test", 5, checkpoint.FORMAT_VERSION)
    assert loaded.config == heads.config
    before, after = heads(torch.from_numpy(features)), loaded(torch.from_numpy(features))
    torch.testing.assert_close(before.quality_logits, after.quality_logits, atol=5e-3, rtol=0)
    assert not list(tmp_path.glob("*.part"))


def test_heads_can_be_loaded_for_another_scale_and_other_synsets(make_heads: MakeHeads, tmp_path: Path) -> None:
    heads_save(tmp_path, make_heads(), {})
    loaded, _ = heads_load(tmp_path, bins=5, synsets=(1,))
    output = loaded(torch.zeros(2, 12))
    assert output.quality_logits.shape == (2, 5)
    assert output.synset_probabilities.shape == (2, 1)


def test_heads_keep_the_classifier_when_features_have_no_classes(make_heads: MakeHeads, tmp_path: Path) -> None:
    small = make_heads()
    heads_save(tmp_path, small, {})
    loaded, _ = heads_load(tmp_path)
    # Equal in every bit, so that zero-shot predictions stay the same.
    assert torch.equal(loaded.class_weight, small.class_weight)
    with_classes = replace(small.config, feature_size=12 + 1000)
    heads_save(tmp_path, Heads(with_classes), {})
    loaded, card = heads_load(tmp_path)
    assert (loaded.config, loaded.classifier) == (with_classes, None)
    card["heads"]["feature_size"] = 12
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(CheckpointError, match="has no ImageNet classifier"):
        heads_load(tmp_path)


def test_missing_files_broken_files_and_unknown_formats_are_refused(make_heads: MakeHeads, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be read"):
        heads_load(tmp_path)
    heads_save(tmp_path, make_heads(), {})
    (tmp_path / "heads.safetensors").write_bytes(b"no tensors")
    with pytest.raises(CheckpointError, match="cannot be read"):
        heads_load(tmp_path)
    heads_save(tmp_path, make_heads(), {})
    card = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps({**card, "format_version": 99}))
    with pytest.raises(CheckpointError, match="format 99"):
        heads_load(tmp_path)


def test_onnx_heads_agree_with_pytorch(make_heads: MakeHeads, tmp_path: Path, features: np.ndarray) -> None:
    heads = make_heads(bins=5)
    heads_to_onnx(heads, tmp_path / "heads.onnx")
    scores = HeadsPredictor(tmp_path / "heads.onnx").predict(features, chunk=4)
    with torch.no_grad():
        expected = heads(torch.from_numpy(features))
    np.testing.assert_allclose(scores.watch_probability, expected.watch_logit.sigmoid(), atol=1e-5)
    np.testing.assert_allclose(scores.distribution, expected.quality_logits.softmax(1), atol=1e-5)
    np.testing.assert_allclose(scores.synset_probabilities, expected.synset_probabilities, atol=1e-5)


def test_an_exported_file_contains_no_path_of_source_code(
    make_heads: MakeHeads, tiny_backbone: StagedBackbone, tmp_path: Path
) -> None:
    backbone_to_onnx(tiny_backbone, tmp_path / "backbone.onnx")
    heads_to_onnx(make_heads(), tmp_path / "heads.onnx")
    for path in tmp_path.iterdir():
        graph = onnx_load(path).graph
        assert graph.node
        assert not any(node.metadata_props or node.doc_string for node in graph.node)
        assert str(Path(inference.__file__).parent).encode() not in path.read_bytes()


def test_no_photos_give_empty_scores(make_heads: MakeHeads, tmp_path: Path) -> None:
    heads_to_onnx(make_heads(), tmp_path / "heads.onnx")
    scores = HeadsPredictor(tmp_path / "heads.onnx").predict(np.zeros((0, 12), dtype=np.float32))
    assert scores.distribution.shape == (0, 10)


def test_onnx_backbone_agrees_with_pytorch_for_any_batch(tiny_backbone: StagedBackbone, tmp_path: Path) -> None:
    backbone_to_onnx(tiny_backbone, tmp_path / "backbone.onnx")
    served = Backbone(tmp_path / "backbone.onnx")
    assert served.side == 32
    rng = np.random.default_rng(0)
    for rows in (1, 5):
        pixels = rng.integers(0, 256, (rows, 32, 32, 3), dtype=np.uint8)
        with torch.no_grad():
            expected = tiny_backbone(torch.from_numpy(pixels)).numpy()
        assert expected.shape == (rows, tiny_backbone.config.feature_size)
        np.testing.assert_allclose(served.features(list(pixels)), expected, atol=1e-4)


def test_an_export_is_one_self_contained_file(make_heads: MakeHeads, tmp_path: Path) -> None:
    heads_to_onnx(make_heads(), tmp_path / "heads.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["heads.onnx"]
    assert onnx_load(tmp_path / "heads.onnx").graph.output[0].name == "watch_probability"


def test_the_error_for_a_missing_gpu_says_what_to_do(make_heads: MakeHeads, tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("the test needs a machine without a GPU")
    heads_to_onnx(make_heads(), tmp_path / "heads.onnx")
    with pytest.raises(DeviceMissing, match="IQS_DEVICE=cpu"):
        session(tmp_path / "heads.onnx", threads=1, device="cuda")

"""Models are loaded once per process, and several processes can start at the same time."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.networks import backbones
from inference.networks import config as config_module
from inference.networks.backbones import StagedBackbone
from inference.networks.config import EFFICIENTNET_LITE0, BackboneConfig, WeightsMissing
from inference.serving import runtime
from tests.inference.conftest import TINY


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch, settings: Any, tiny_backbone: StagedBackbone) -> list[str]:
    """Make the tiny network the site's backbone. Return a list with an entry for each time its weights are loaded."""
    loaded: list[str] = []

    def load(config: BackboneConfig) -> StagedBackbone:
        loaded.append(config.name)
        return tiny_backbone

    settings.IQS_BACKBONE = "tiny"
    monkeypatch.setitem(config_module.BACKBONES, "tiny", TINY)
    monkeypatch.setattr(config_module, "_key", lambda config: "tiny@0")
    monkeypatch.setattr(backbones, "backbone_load", load)
    monkeypatch.setattr(runtime, "_backbones", {})
    return loaded


def test_the_backbone_is_exported_once_and_loaded_once(loads: list[str], settings: Any) -> None:
    network = runtime.backbone()
    assert runtime.backbone() is network
    assert network.features([np.zeros((32, 32, 3), np.uint8)]).shape == (1, TINY.feature_size)
    assert (Path(settings.MODELS_ROOT) / "backbones" / "tiny@0.onnx").is_file()
    runtime._backbones.clear()  # as in another process, which finds the file
    runtime.backbone()
    assert loads == ["tiny"]


def test_only_one_of_several_starting_workers_exports(loads: list[str], settings: Any) -> None:
    path = Path(settings.MODELS_ROOT) / "backbones" / "tiny@0.onnx"
    threads = [threading.Thread(target=runtime.backbone_file, args=(TINY,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["tiny"]
    assert sorted(file.name for file in path.parent.iterdir()) == [".export.lock", "tiny@0.onnx", "tiny@0.onnx.sha256"]


def test_missing_weights_give_a_one_sentence_error() -> None:
    for config in (TINY, replace(EFFICIENTNET_LITE0, name="lost", weights_file="models/lost.pth")):
        with pytest.raises(WeightsMissing, match=r"weights of \w+ are missing .* reinstall the requirements"):
            config.weights_path()


def test_a_new_layout_changes_the_key_of_features(monkeypatch: pytest.MonkeyPatch) -> None:
    name, _at, digest = EFFICIENTNET_LITE0.key().partition("@")
    assert name == "efficientnet_lite0"
    assert len(digest) == 12
    monkeypatch.setattr(config_module, "LAYOUT_VERSION", config_module.LAYOUT_VERSION + 1)
    assert EFFICIENTNET_LITE0.key() != f"{name}@{digest}"

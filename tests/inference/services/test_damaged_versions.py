"""Versions with damaged files: predictions stop with a reason and go on when the file is back."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.signals import photos_restored
from inference import tasks
from inference.models import Distortion, Feature, Prediction
from inference.networks.checkpoint import heads_load, heads_save
from inference.networks.export import heads_to_onnx
from inference.networks.heads import Heads
from inference.selectors import distortion_version
from inference.services import versions
from inference.services.versions import version_create, version_is_usable
from inference.serving import runtime
from inference.serving.model_check import version_problem
from tests.inference.serving.test_model_check import damage


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of the names of tasks that were sent; there is no broker here."""
    names: list[str] = []
    for name in ("features_run", "distortions_run", "predictions_run", "priorities_run"):
        task = getattr(tasks, name)
        monkeypatch.setattr(task, "apply_async", lambda *args, name=name, **options: names.append(name))
    return names


def store_features(image: Any, vector: np.ndarray) -> None:
    Feature.objects.create(image=image, backbone="tiny@0", state="done", vector=vector.astype("<f2").tobytes())


@pytest.fixture(autouse=True)
def _no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget loaded heads and attempts, as a new worker process has none."""
    monkeypatch.setattr(versions, "_attempts", set())
    runtime._heads.clear()


def test_a_damaged_file_is_made_again_from_the_weights(
    campaign: Any, make_heads: Callable[..., Heads], tmp_path: Path
) -> None:
    # As training and the shipped prior do it: the file is exported from the weights as they are stored.
    heads_save(tmp_path, make_heads(bins=campaign.bins), {"name": "tiny"})
    stored, _card = heads_load(tmp_path)
    heads_to_onnx(stored, tmp_path / "heads.onnx")
    version = version_create(campaign=campaign, source=tmp_path, backbone="tiny@0", recipe={})
    file = version.path / "heads.onnx"
    good = file.read_bytes()
    file.unlink()
    assert version_is_usable(version=version)
    assert file.read_bytes() == good
    damage(file)
    assert version_is_usable(version=version)
    assert version_problem(version) == ""


def test_other_weights_do_not_replace_a_damaged_file(
    campaign: Any, version_of: Callable[..., Any], heads_folder: Callable[[int, int], Path]
) -> None:
    version = version_of(campaign)
    for name in ("heads.safetensors", "card.json"):
        shutil.copy(heads_folder(campaign.bins, 1) / name, version.path / name)
    damage(version.path / "heads.onnx")
    damaged = (version.path / "heads.onnx").read_bytes()
    assert not version_is_usable(version=version)
    assert (version.path / "heads.onnx").read_bytes() == damaged


def test_the_attempt_is_made_once(
    campaign: Any, version_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    version = version_of(campaign)
    for name in ("heads.onnx", "heads.safetensors"):
        (version.path / name).unlink()
    for _ in range(3):
        assert not version_is_usable(version=version)
    assert len([record for record in caplog.records if "has no predictions" in record.message]) == 1


def test_predictions_stop_and_go_on_when_the_file_is_back(
    campaign: Any,
    make_image: Callable[..., Any],
    version_of: Callable[..., Any],
    features: np.ndarray,
    sent: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    version = version_of(campaign)
    for seed in range(3):
        store_features(make_image(seed), features[seed])
    kept = version.path.with_name("kept")
    version.path.rename(kept)
    tasks.sweep()
    assert "predictions_run" not in sent
    assert tasks.predictions_run(version.pk) == 0  # a message that was already on its way
    assert not Prediction.objects.exists()
    assert not [record for record in caplog.records if record.exc_info]  # a sentence, no traceback
    kept.rename(version.path)
    tasks.sweep()
    assert "predictions_run" in sent
    assert tasks.predictions_run(version.pk) == 3


def test_the_sweep_of_a_site_with_damaged_weights_does_its_other_work(
    campaign: Any, make_image: Callable[..., Any], version_of: Callable[..., Any], sent: list[str], settings: Any
) -> None:
    version_of(campaign)
    make_image(0)
    settings.IQS_BACKBONE_WEIGHTS = "/does/not/exist.pth"
    tasks.sweep()
    assert Distortion.objects.count() == 1
    assert sent == ["distortions_run"]


def test_work_that_failed_without_the_file_is_done_after_the_repair(make_image: Callable[..., Any]) -> None:
    image, other = make_image(0), make_image(1)
    for one in (image, other):
        Feature.objects.create(image=one, backbone="a@0", state="failed", reason="missing", attempts=3)
        Feature.objects.create(image=one, backbone="b@0", state="done", vector=b"12")
        Distortion.objects.create(image=one, version=distortion_version(), state="failed", reason="missing")
    photos_restored.send(sender=None, image_ids=[image.pk])
    assert list(Feature.objects.filter(image=image).order_by("backbone").values_list("state", flat=True)) == [
        "queued",
        "done",
    ]
    assert Distortion.objects.get(image=image).state == "queued"
    assert Feature.objects.filter(image=other, state="failed").count() == 1

"""Missing and damaged model files: what pages say, and what workers make again."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inference.networks import config as config_module
from inference.networks import weights as weights_module
from inference.networks.config import (
    EFFICIENTNET_LITE0,
    PRIOR_FOLDERS,
    TorchvisionConfig,
    WeightsMissing,
    backbone_config,
    is_undamaged,
    weights_checksum_file,
)
from inference.networks.model_files import checksum
from inference.scoring import int8
from inference.serving import model_check, runtime
from inference.serving.exported import exported_damaged, exported_file
from inference.serving.model_check import (
    backbone_problem,
    prior_problem,
    site_problems,
    version_problem,
    version_weights_problem,
)


def damage(path: Path) -> None:
    """Change one byte in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    # A file system with coarse times would give the new content the old time.
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000_000))


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> Path:
    """Copy the shipped files, so that a test may damage them; return their folder."""
    import shutil

    folder = tmp_path / "weights"
    shutil.copytree(int8._SHIPPED.parent, folder)
    monkeypatch.setattr(int8, "_SHIPPED", folder / "int8")
    monkeypatch.setattr(model_check, "PRIOR_FOLDERS", {name: folder / "quality_prior" / name for name in PRIOR_FOLDERS})
    return folder


def test_an_installation_without_damage_has_no_problem(shipped: Path) -> None:
    assert (site_problems(), backbone_problem("", again=True), prior_problem(again=True)) == ([], "", "")


def test_a_damaged_int8_file_is_told_and_forgotten_when_it_is_back(shipped: Path, settings: Any) -> None:
    settings.IQS_PRECISION = "int8"
    (file,) = (shipped / "int8").glob("efficientnet_lite0@*.onnx")
    good = file.read_bytes()
    assert backbone_problem("") == ""
    damage(file)
    assert f"{file} does not match its card" in backbone_problem("")
    assert site_problems()[0].startswith("New photos are not processed. ")
    file.unlink()
    assert "There is no int8 file" in backbone_problem("")
    file.write_bytes(good)
    assert backbone_problem("") == ""


@pytest.mark.parametrize("backbone", PRIOR_FOLDERS)
@pytest.mark.parametrize("name", ["heads.safetensors", "card.json"])
def test_a_damaged_or_missing_prior_is_told(shipped: Path, name: str, backbone: str) -> None:
    file = shipped / "quality_prior" / backbone / name
    if name == "heads.safetensors":
        damage(file)
    else:
        file.write_text("{")
    assert str(file) in prior_problem()
    assert "Install this version of IQS again." in prior_problem()
    file.unlink()
    assert "No such file or directory" in prior_problem()
    assert site_problems()[-1].startswith("New campaigns get no model")


def test_a_version_with_a_damaged_file_cannot_predict(campaign: Any, version_of: Callable[..., Any]) -> None:
    version = version_of(campaign)
    file = version.path / "heads.onnx"
    good = file.read_bytes()
    assert version_problem(version) == version_weights_problem(version) == ""
    damage(file)
    assert "restore it from a backup, or roll back to another version" in version_problem(version)
    file.unlink()
    assert "cannot be read (No such file or directory)" in version_problem(version)
    file.write_bytes(good)
    assert version_problem(version) == ""
    damage(version.path / "heads.safetensors")
    assert version_problem(version) == ""
    assert "does not match its card" in version_weights_problem(version)


def test_a_file_is_read_once_until_it_changes(campaign: Any, version_of: Callable[..., Any]) -> None:
    version = version_of(campaign)
    model_check._checksum.cache_clear()
    for _ in range(3):
        version_problem(version)
    assert model_check._checksum.cache_info().misses == 1
    damage(version.path / "heads.onnx")
    assert version_problem(version)
    assert model_check._checksum.cache_info().misses == 2


# --- exported files -------------------------------------------------------------------------------


def counted(path: Path, text: bytes = b"graph") -> tuple[list[int], Callable[[], None]]:
    calls: list[int] = []

    def export() -> None:
        calls.append(1)
        path.write_bytes(text)

    return calls, export


def test_an_exported_file_is_exported_once_and_again_after_damage(tmp_path: Path) -> None:
    path = tmp_path / "backbones" / "one.onnx"
    calls, export = counted(path)
    assert exported_file(path, export) == path
    exported_file(path, export)
    assert len(calls) == 1
    damage(path)
    assert exported_damaged(path.parent) == [path]
    exported_file(path, export)
    assert (len(calls), path.read_bytes()) == (2, b"graph")
    path.unlink()
    exported_file(path, export)
    assert len(calls) == 3
    assert exported_damaged(path.parent) == []


def test_a_file_of_an_earlier_version_is_kept_if_it_loads(
    tmp_path: Path, heads_folder: Callable[[int, int], Path]
) -> None:
    path = tmp_path / "old.onnx"
    path.write_bytes((heads_folder(10, 0) / "heads.onnx").read_bytes())
    calls, export = counted(path)
    exported_file(path, export)
    assert calls == []
    (tmp_path / "old.onnx.sha256").unlink()
    path.write_bytes(path.read_bytes()[:200])
    exported_file(path, export)
    assert len(calls) == 1


def test_a_damaged_backbone_is_exported_again(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []

    def export(config: Any, path: Path) -> None:  # the real one takes seconds
        written.append(path)
        path.write_bytes(b"graph")

    monkeypatch.setattr(runtime, "_export", export)
    path = runtime.backbone_file(EFFICIENTNET_LITE0)
    runtime.backbone_file(EFFICIENTNET_LITE0)
    assert written == [path]
    damage(path)
    runtime.backbone_file(EFFICIENTNET_LITE0)
    assert written == [path, path]


# --- weight files ---------------------------------------------------------------------------------


def test_the_bundled_weights_have_the_checksum_in_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = EFFICIENTNET_LITE0.own_weights_path()
    assert is_undamaged(own)
    copy = tmp_path / own.name
    copy.write_bytes(own.read_bytes())
    damage(copy)
    monkeypatch.setattr(type(EFFICIENTNET_LITE0), "own_weights_path", lambda self: copy)
    with pytest.raises(WeightsMissing, match=r"are damaged .*; reinstall the requirements"):
        EFFICIENTNET_LITE0.key()
    assert "are damaged" in backbone_problem("")


def test_downloaded_weights_that_are_damaged_are_told_and_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = backbone_config("resnet18", folder=tmp_path)
    assert isinstance(config, TorchvisionConfig)
    path = config.own_weights_path()
    fetched: list[int] = []

    def download(url: str, target: str, *arguments: Any, **options: Any) -> None:  # there is no network in tests
        fetched.append(1)
        Path(target).write_bytes(b"weights")

    monkeypatch.setattr(weights_module.torch.hub, "download_url_to_file", download)
    weights_module.weights_fetch(config)
    assert weights_checksum_file(path).read_text() == checksum(path)
    key = config.key()
    damage(path)
    with pytest.raises(WeightsMissing, match="are damaged"):
        config.key()
    weights_module.weights_fetch(config)
    assert (len(fetched), config.key()) == (2, key)
    config_module._file_digest.cache_clear()

"""A machine measures once whether int8 or fp32 is faster, and all its processes serve that one."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from annotation.models import Campaign
from inference.models import PRIOR_NAME, ModelVersion
from inference.networks.config import EFFICIENTNET_LITE0, WeightsMissing
from inference.scoring.int8 import int8_key
from inference.serving import precision, runtime
from inference.serving.precision import FLOAT, INT8, precision_chosen

KEY = EFFICIENTNET_LITE0.key()
OLD, NEW = "AMD EPYC, avx2", "AMD EPYC, avx512_vnni, avx2"
settle = precision.precision_settle  # the fixtures of all tests replace it


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the two processors fixed speeds, because the test must not depend on this machine's.

    Returns the processors that have measured, in order. The machine is the old one.
    """
    seen: list[str] = []

    def speeds(plain: Path, int8: Path) -> tuple[float, float]:
        seen.append(precision.processor_name())
        return (50.0, 50.4) if seen[-1] == OLD else (50.0, 95.0)

    monkeypatch.setattr(precision, "speeds_measure", speeds)
    monkeypatch.setattr(precision, "precision_settle", settle)
    become(monkeypatch, OLD)
    return seen


def become(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the machine have this processor."""
    monkeypatch.setattr(precision, "processor_name", lambda: name)


def settled(folder: Path, **options: Any) -> str:
    settle(folder, KEY, export=lambda: folder / "float.onnx", **options)
    return precision_chosen(folder, KEY)


@pytest.mark.parametrize(("processor", "expected"), [(OLD, FLOAT), (NEW, INT8)])
def test_the_faster_file_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: list[str], processor: str, expected: str
) -> None:
    become(monkeypatch, processor)
    assert precision_chosen(tmp_path, KEY) == INT8, "before the measurement"
    assert settled(tmp_path) == expected
    assert settled(tmp_path) == expected
    assert measured == [processor], "once"


def test_another_processor_measures_again_and_the_first_keeps_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: list[str]
) -> None:
    assert settled(tmp_path) == FLOAT
    become(monkeypatch, NEW)
    assert precision_chosen(tmp_path, KEY) == FLOAT, "as the other one, before the measurement"
    assert settled(tmp_path) == INT8
    become(monkeypatch, OLD)
    assert settled(tmp_path) == FLOAT
    assert measured == [OLD, NEW]


def test_another_int8_file_is_measured_again(tmp_path: Path, measured: list[str]) -> None:
    settled(tmp_path)
    path = tmp_path / f"{KEY}.precision.json"
    path.write_text(path.read_text().replace('"int8_sha256": "', '"int8_sha256": "other'))
    settled(tmp_path)
    assert measured == [OLD, OLD]


def test_processes_that_start_together_measure_once_and_agree(tmp_path: Path, measured: list[str]) -> None:
    chosen: list[str] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        chosen.append(settled(tmp_path))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert chosen == [FLOAT] * 4
    assert measured == [OLD]
    assert sorted(file.name for file in tmp_path.iterdir()) == [".precision.lock", f"{KEY}.precision.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": {}}', '{"a": 1}'])
def test_a_damaged_file_is_written_again(tmp_path: Path, measured: list[str], content: str) -> None:
    (tmp_path / f"{KEY}.precision.json").write_text(content)
    assert precision_chosen(tmp_path, KEY) == INT8
    assert settled(tmp_path) == FLOAT
    assert list(json.loads((tmp_path / f"{KEY}.precision.json").read_text())) == [OLD]


def test_a_folder_that_cannot_be_written_leaves_int8(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert settled(tmp_path / "file") == INT8


def test_missing_weights_leave_int8(tmp_path: Path) -> None:
    def export() -> Path:
        raise WeightsMissing("There are no weights.")

    settle(tmp_path, KEY, export=export)
    assert precision_chosen(tmp_path, KEY) == INT8


def test_a_trained_champion_keeps_its_precision(tmp_path: Path, measured: list[str]) -> None:
    assert settled(tmp_path) == FLOAT, "without a database"
    assert settled(tmp_path, needed=lambda: INT8) == INT8
    assert settled(tmp_path, needed=lambda: FLOAT) == INT8, "asked once"
    assert settled(tmp_path) == INT8
    assert measured == [OLD]


# --- The site ---------------------------------------------------------------------------------------


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export no float file, which takes seconds; the speeds of these tests are fixed."""
    monkeypatch.setattr(runtime, "backbone_file", lambda config: Path("float.onnx"))


def champion(campaign: Campaign, name: str) -> ModelVersion:
    key = int8_key(runtime.backbones_folder(), KEY)
    return ModelVersion.objects.create(
        campaign=campaign, number=1, backbone=key, folder="x", checksum="x", recipe={"name": name}, is_champion=True
    )


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize(("name", "expected"), [(PRIOR_NAME, KEY), ("prior_residual", f"{KEY}-int8-")])
def test_features_get_the_key_of_the_file_that_is_served(campaign: Campaign, name: str, expected: str) -> None:
    version = champion(campaign, name)
    assert runtime.features_key() == version.backbone
    runtime.precision_settle()
    assert runtime.features_key().startswith(expected)
    assert runtime.is_int8(EFFICIENTNET_LITE0) is (name != PRIOR_NAME)


@pytest.mark.parametrize(("choice", "device"), [("int8", "auto"), ("fp32", "auto"), ("auto", "cuda")])
def test_nothing_is_measured_if_the_settings_decide(
    settings: Any, measured: list[str], choice: str, device: str
) -> None:
    settings.IQS_PRECISION, settings.IQS_DEVICE = choice, device
    runtime.precision_settle(has_database=False)
    assert measured == []
    assert runtime.is_int8(EFFICIENTNET_LITE0) is (choice == "int8")


@pytest.mark.slow
def test_the_real_files_are_measured_and_another_process_reads_the_result(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(precision, "precision_settle", settle)
    sentences: list[str] = []
    runtime.precision_settle(has_database=False, report=sentences.append)
    (entry,) = json.loads((runtime.backbones_folder() / f"{KEY}.precision.json").read_text()).values()
    assert entry["int8_speed"] > 0
    assert entry["float_speed"] > 0
    assert sentences == ["Measuring whether int8 or fp32 is faster, once on this machine …"]
    code = (
        "import sys, django; django.setup(); from pathlib import Path; from django.conf import settings; "
        "settings.IQS_PRECISION, settings.MODELS_ROOT = 'auto', Path(sys.argv[1]); "
        "from inference.serving import runtime; print(runtime.features_key())"
    )
    command = [sys.executable, "-c", code, str(settings.MODELS_ROOT)]
    other = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == runtime.features_key()

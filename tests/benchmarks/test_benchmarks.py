"""Every benchmark runs and prints its claims as JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import _claims
from benchmarks.__main__ import names, run
from benchmarks._claims import Claim, DataMissing, Setting, seconds_of
from benchmarks._photos import photo_files

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"claim", "value", "unit", "baseline", "target", "key", "ok"}


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_every_benchmark_prints_valid_json_lines(name: str):
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--tiny"],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL", "IQS_VAR")},
        capture_output=True,
        text=True,
        check=False,
    )

    lines = [json.loads(line) for line in process.stdout.splitlines()]
    assert lines, process.stderr
    for line in lines:
        assert set(line) - {"highest"} == KEYS
        assert line["value"] > 0
        assert line["ok"] is (line["target"] <= line["value"] <= line.get("highest", float("inf")))
        assert line["baseline"]
    assert process.returncode == (0 if all(line["ok"] for line in lines) else 1), process.stderr


def test_there_is_a_benchmark_for_each_module_without_underscore():
    assert {"scoring", "training", "rescore", "annotation_save"} <= set(names())
    assert not any(name.startswith("_") for name in names())


def test_a_claim_holds_when_its_value_reaches_the_target():
    claim = Claim("Saving", 2.0, "times as fast", "waiting", target=2.0)

    assert json.loads(claim.line()) == {
        "claim": "Saving",
        "value": 2.0,
        "unit": "times as fast",
        "baseline": "waiting",
        "target": 2.0,
        "key": "",
        "ok": True,
    }
    assert not Claim("Saving", 1.99, "times", "waiting", target=2.0).ok


def test_a_claim_with_a_highest_value_holds_between_both():
    claim = Claim("Covering", 95.0, "%", "Student's t", target=93, highest=98)

    assert claim.ok
    assert json.loads(claim.line())["highest"] == 98
    assert not Claim("Covering", 98.1, "%", "Student's t", target=93, highest=98).ok


def test_a_claim_holds_by_the_value_that_is_printed():
    assert Claim("Rounding", 2.996, "times", "nothing", target=3).ok


def test_a_claim_that_does_not_hold_is_printed_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    import types

    module = types.ModuleType("benchmarks.made_up")
    module.measure = lambda setting: iter([Claim("a", 3, "x", "b", 2), Claim("c", 1, "x", "b", 2)])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "benchmarks.made_up", module)

    assert [claim.ok for claim in run("made_up", Setting())] == [True, False]
    assert [json.loads(line)["ok"] for line in capsys.readouterr().out.splitlines()] == [True, False]


def test_photos_are_evenly_selected_from_the_given_folder(tmp_path: Path):
    for number in range(10):
        (tmp_path / f"{number}.jpg").touch()
    (tmp_path / "notes.txt").touch()

    found = photo_files(Setting(data=tmp_path), tmp_path / "unused", 5)

    assert [path.name for path in found] == ["0.jpg", "2.jpg", "4.jpg", "6.jpg", "8.jpg"]


def test_the_error_for_a_folder_without_photos_is_clear(tmp_path: Path):
    with pytest.raises(DataMissing, match="contains no photos"):
        photo_files(Setting(data=tmp_path), tmp_path, 5)


def test_seconds_of_returns_the_shortest_duration(monkeypatch: pytest.MonkeyPatch):
    clock = iter([0.0, 7.0, 10.0, 12.0, 20.0, 25.0])  # replaces the clock, because no test asserts a time
    monkeypatch.setattr(_claims.time, "perf_counter", lambda: next(clock))

    assert seconds_of(lambda: None, times=3) == 2.0

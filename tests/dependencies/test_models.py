"""The installation of the models in the background, with small wheels in a folder instead of an index."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dependencies import install, models
from dependencies.lock_file import ROOT
from iqs_site.instance.models_install import STATE_VARIABLE, ModelsComing, ModelsGate
from tests.dependencies.test_install import Installer, installed, metadata, run, wheel
from tests.waiting import wait_for

__all__ = ["run"]
Begin = Callable[[str], subprocess.Popen[bytes]]
Models = Callable[[str], dict[str, object] | None]


@pytest.fixture
def models_begin(tmp_path: Path, run: Installer) -> Begin:
    """Return a function that begins to install a lock file, in a process group of its own."""
    (tmp_path / "dependencies").mkdir()
    for name in ("__init__.py", "install.py", "models.py"):
        shutil.copy(ROOT / "dependencies" / name, tmp_path / "dependencies")
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "wheels", "PIP_CONFIG_FILE": os.devnull, "PIP_CONSTRAINT": ""}
    environment = os.environ | settings | {"PYTHONPATH": "modules"}

    def models_begin(lock: str) -> subprocess.Popen[bytes]:
        (tmp_path / "some.lock").write_text(lock)
        command = ["environment/bin/python", "-m", "dependencies.models", str(tmp_path / "state.json"), "some.lock"]
        return subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True)

    return models_begin


@pytest.fixture
def models_run(tmp_path: Path, models_begin: Begin) -> Models:
    """Return a function that installs a lock file and returns the state that is left, None if there is none."""

    def models_run(lock: str) -> dict[str, object] | None:
        state = tmp_path / "state.json"
        assert models_begin(lock).wait() == 0  # a failure is a state, so that a supervisor does not try again
        return dict(json.loads(state.read_text())) if state.exists() else None

    return models_run


def test_everything_is_installed_and_no_state_is_left(tmp_path: Path, models_run: Models) -> None:
    digest = wheel(tmp_path / "wheels", "apple", "1.0")
    assert models_run(f"apple==1.0 --hash=sha256:{digest}\n") is None
    assert installed(tmp_path) == {"apple-1.0"}


def test_a_failure_says_why_and_the_next_start_goes_on(tmp_path: Path, models_run: Models) -> None:
    digest = wheel(tmp_path / "wheels", "apple", "1.0")
    (tmp_path / "wheels/apple-1.0-py3-none-any.whl").rename(tmp_path / "away.whl")
    failed = models_run(f"apple==1.0 --hash=sha256:{digest}\n")
    assert failed is not None
    assert failed["state"] == "failed"
    assert "network" in str(failed["reason"])
    (tmp_path / "away.whl").rename(tmp_path / "wheels/apple-1.0-py3-none-any.whl")
    assert models_run(f"apple==1.0 --hash=sha256:{digest}\n") is None
    assert installed(tmp_path) == {"apple-1.0"}


def test_a_file_with_another_hash_is_refused(tmp_path: Path, models_run: Models) -> None:
    wheel(tmp_path / "wheels", "apple", "1.0")
    failed = models_run(f"apple==1.0 --hash=sha256:{'0' * 64}\n")
    assert failed is not None
    assert "SHA-256" in str(failed["reason"])
    assert installed(tmp_path) == set()


def test_a_package_that_was_half_unpacked_is_installed_again(tmp_path: Path, models_run: Models) -> None:
    digest = wheel(tmp_path / "wheels", "apple", "1.0")
    packages = next((tmp_path / "environment/lib").glob("python*/site-packages"))
    unfinished = packages / "apple-1.0.dist-info"
    unfinished.mkdir()
    (unfinished / "METADATA").write_text(metadata("apple", "1.0"))
    assert models_run(f"apple==1.0 --hash=sha256:{digest}\n") is None
    assert (packages / "apple.py").exists()
    assert (unfinished / "RECORD").exists()


def test_after_a_kill_while_a_package_is_unpacked_nothing_is_imported_and_the_next_start_completes_it(
    tmp_path: Path, models_run: Models, models_begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = 3000
    digests = [wheel(tmp_path / "wheels", "apple", "1.0"), wheel(tmp_path / "wheels", "pear", "2.0", parts=parts)]
    lock = f"apple==1.0 --hash=sha256:{digests[0]}\npear==2.0 --hash=sha256:{digests[1]}\n"
    packages = next((tmp_path / "environment/lib").glob("python*/site-packages"))
    process = models_begin(lock)
    wait_for((packages / "pear_parts/part_0.py").exists, "pip did not begin to unpack.", pause=lambda seconds: None)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert len(list((packages / "pear_parts").iterdir())) < parts, "killed too late"
    assert not list(packages.glob("pear-*/RECORD"))
    monkeypatch.syspath_prepend(packages)
    assert models.are_missing(tmp_path / "some.lock"), "the next start would not install it"
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state.json"))
    with pytest.raises(ModelsComing):  # the state that the kill has left keeps the gate closed
        ModelsGate().find_spec("torch", None)
    assert models_run(lock) is None
    assert installed(tmp_path) == {"apple-1.0", "pear-2.0"}
    assert len([path for path in (packages / "pear_parts").iterdir() if path.suffix == ".py"]) == parts
    assert not models.are_missing(tmp_path / "some.lock")
    assert ModelsGate().find_spec("torch", None) is None


def test_only_unfinished_packages_are_removed(tmp_path: Path) -> None:
    for name in ("apple-1.0", "pear-2.0"):
        (tmp_path / f"{name}.dist-info").mkdir()
    (tmp_path / "pear-2.0.dist-info/RECORD").touch()
    assert install.unfinished_remove(tmp_path) == ["apple-1.0"]
    assert [found.name for found in tmp_path.iterdir()] == ["pear-2.0.dist-info"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "The disk is full."),
        ("WARNING: Retrying after NewConnectionError\nERROR: No matching distribution found for torch", "network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "SHA-256"),
        ("ERROR: Something new", "pip says: Something new"),
        ("", "pip was stopped."),
    ],
)
def test_people_read_why_pip_failed(text: str, words: str) -> None:
    assert words in models.reason(text)


def test_the_time_left_follows_from_the_share_and_is_no_guess() -> None:
    assert models.seconds_left(0.25, 30) == 90
    assert models.seconds_left(0.01, 30) is None
    assert models.seconds_left(0.25, 1) is None


def test_every_package_of_this_environment_is_there() -> None:
    assert not models.are_missing()


def test_a_package_of_another_version_is_missing(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text("numpy==0.1 --hash=sha256:aa\n")
    assert models.are_missing(lock)
    lock.write_text("no-such-package==0.1 --hash=sha256:aa\n")
    assert models.are_missing(lock)

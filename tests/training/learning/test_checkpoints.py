"""States of unfinished learning: a killed process is continued, and states of something else are never used."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from django.conf import settings

from training.learning.checkpoints import Checkpoints, fingerprint_of

PROGRAM = [sys.executable, "-m", "tests.training.learning.unfinished"]


def program(recipe: str, folder: Path | str, result: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*PROGRAM, recipe, str(folder), str(result)], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True
    )


def epochs_of(process: "subprocess.Popen[str]") -> list[int]:
    """Return the epochs that the process prints until it ends."""
    assert process.stdout is not None
    found = [int(number) for number in re.findall(r"epoch (\d+)", process.stdout.read())]
    assert process.wait() == 0
    return found


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["prior_residual", "dirichlet_multinomial"])
def test_a_killed_process_is_continued_with_the_same_result_to_the_last_bit(recipe: str, tmp_path: Path) -> None:
    unbroken = epochs_of(program(recipe, "-", tmp_path / "unbroken.pt"))
    killed = program(recipe, tmp_path / "states", tmp_path / "never.pt")
    assert killed.stdout is not None
    for line in killed.stdout:
        if line == "epoch 48\n":
            os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "never.pt").exists()
    continued = epochs_of(program(recipe, tmp_path / "states", tmp_path / "continued.pt"))
    # Of the 48 epochs or some more, those until the last state are not made again.
    assert continued[0] >= 44
    assert continued == [epoch for epoch in unbroken if epoch >= continued[0]]
    first, second = (torch.load(tmp_path / name, weights_only=True) for name in ("unbroken.pt", "continued.pt"))
    assert first[1:] == second[1:]
    assert all(torch.equal(tensor, second[0][name]) for name, tensor in first[0].items())


def test_a_state_is_returned_as_it_was_saved(tmp_path: Path) -> None:
    states = Checkpoints(tmp_path / "states", fingerprint_of("data"))
    assert states.load("epochs") is None
    states.save("epochs", {"weight": torch.arange(3.0), "epoch": 2})
    states.save("epochs", {"weight": torch.arange(4.0), "epoch": 3, "rates": [0.1, 0.2]})
    found = states.load("epochs")
    assert found is not None
    assert (found["epoch"], found["rates"], found["weight"].tolist()) == (3, [0.1, 0.2], [0, 1, 2, 3])
    assert [path.name for path in states.folder.iterdir()] == ["epochs.pt"]
    states.delete()
    assert not states.folder.exists()


def test_a_state_of_other_data_or_settings_is_not_continued(tmp_path: Path) -> None:
    features = np.arange(6.0)
    fingerprints = [
        fingerprint_of("recipe", features),
        fingerprint_of("recipe", features + 1e-9),
        fingerprint_of("another recipe", features),
        fingerprint_of("recip", "e", features),
    ]
    assert len(set(fingerprints)) == 4
    Checkpoints(tmp_path, fingerprints[0]).save("epochs", {"epoch": 3})
    assert Checkpoints(tmp_path, fingerprint_of("recipe", features)).load("epochs") == {"epoch": 3}
    assert all(Checkpoints(tmp_path, other).load("epochs") is None for other in fingerprints[1:])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"text"])
def test_a_damaged_state_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "epochs.pt").write_bytes(content)
    assert Checkpoints(tmp_path, "0").load("epochs") is None


def test_a_state_with_code_in_it_is_refused(tmp_path: Path) -> None:
    torch.save({"fingerprint": "0", "state": {"path": Path("/")}}, tmp_path / "epochs.pt")
    assert Checkpoints(tmp_path, "0").load("epochs") is None

"""The recipe `whole_network`: it learns, it is repeatable, it survives a kill, and several processes agree with one."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from django.conf import settings

from tests.training.learning.whole_network_data import BACKBONE, CONFIG, fitted, whole_network_data
from training.learning.checkpoints import Checkpoints
from training.learning.network_gain import NetworkGain
from training.learning.network_processes import ProcessesError
from training.learning.network_training import _rate
from training.learning.photo_pixels import PhotoPixels
from training.learning.quality_data import predicted
from training.learning.whole_network import WholeNetwork


def difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    return max(float((tensor.float() - other[name].float()).abs().max()) for name, tensor in one.items())


@pytest.mark.slow
def test_all_layers_learn_and_two_processes_give_the_same_as_one(tmp_path: Path) -> None:
    found = fitted(whole_network_data(tmp_path))
    gain = NetworkGain.of(found.figures)
    assert gain is not None
    assert (gain.is_used, gain.images, gain.groups, gain.photos_learned) == (True, 6, 6, 24)
    assert gain.gain == pytest.approx(gain.rps_head - gain.rps)
    assert gain.gain_low < gain.gain < gain.gain_high
    assert found.network is not None
    assert found.features is not None
    losses = [one["validation"] for one in found.history]
    assert losses[gain.epoch] == min(losses) < losses[0]
    # The features are those of the network that is returned, so heads and network fit together.
    with torch.no_grad():
        pixels = torch.from_numpy(np.load(tmp_path / "pixels.npy")[:4])
        assert torch.allclose(found.network(pixels), torch.from_numpy(found.features[:4]), atol=0.01)
    assert predicted(found.heads, found.features).sum(1) == pytest.approx(1, abs=1e-4)
    start = fitted(whole_network_data(tmp_path), replace(CONFIG, epochs=1, learning_rate=0.0))
    assert start.network is None, "an epoch without learning is no better"

    together = fitted(whole_network_data(tmp_path, processes=2))
    assert together.network is not None
    # Sums in another order change 1e-6 to 1e-5, by processor. A photo left out would change whole steps, of 1e-4 each.
    assert difference(found.network.state_dict(), together.network.state_dict()) < CONFIG.learning_rate / 2
    for one, other in zip(found.history, together.history, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


@pytest.mark.slow
def test_a_killed_process_is_continued_with_the_same_network_to_the_last_bit(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("unbroken", "killed")]
    for folder in folders:
        folder.mkdir()

    def program(folder: Path, result: str) -> "subprocess.Popen[str]":
        words = [sys.executable, "-m", "tests.training.learning.whole_network_data", str(folder), str(folder / result)]
        return subprocess.Popen(words, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)

    assert "epoch 1\n" in program(folders[0], "result.pt").communicate()[0]
    killed = program(folders[1], "never.pt")
    assert killed.stdout is not None
    for line in killed.stdout:
        if line == "epoch 1\n":  # the first of two is made, and saved or about to be
            if not (folders[1] / "network.pt").exists():
                continue
            os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    output = program(folders[1], "result.pt").communicate()[0]
    assert "epoch 0\n" not in output, "it begins after the epochs that are saved"
    first, second = (torch.load(folder / "result.pt", weights_only=True) for folder in folders)
    assert first[1] == second[1]
    assert difference(first[0], second[0]) == 0


@pytest.mark.slow
def test_several_processes_stop_when_the_run_is_cancelled_and_say_why_they_fail(tmp_path: Path) -> None:
    data = whole_network_data(tmp_path, processes=2)

    class Cancelled(Exception):
        pass

    def report(stage: str, _share: float, _history: object) -> None:
        if stage.startswith("Learning the whole network"):
            raise Cancelled

    with pytest.raises(Cancelled):
        WholeNetwork().fit(data, config=CONFIG, seed=1, report=report)
    with pytest.raises(ProcessesError, match=r"ValueError: range\(\) arg 3 must not be zero"):
        fitted(data, replace(CONFIG, batch=0))


@pytest.mark.parametrize("photos", [19, 36])
def test_without_pixels_or_with_few_photos_only_the_head_learns(tmp_path: Path, photos: int) -> None:
    data = whole_network_data(tmp_path, photos=photos)
    found = fitted(data if photos < CONFIG.photos_from else replace(data, photos=None))
    assert found.network is None
    assert "line" in found.figures
    assert NetworkGain.of(found.figures) is None


def test_a_part_of_the_photos_has_their_pixels_and_mirrors_only_some(tmp_path: Path) -> None:
    content = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3)
    np.save(tmp_path / "pixels.npy", content)
    part = PhotoPixels(tmp_path / "pixels.npy", np.arange(4), BACKBONE).part(np.array([False, True, False, True]))
    batch = part.batch(np.array([1, 0]), np.array([True, False])).numpy()
    assert np.array_equal(batch[0], content[3][:, ::-1])
    assert np.array_equal(batch[1], content[1])
    assert np.array_equal(np.load(tmp_path / "pixels.npy"), content), "the file is left as it is"


def test_the_learning_rate_rises_shortly_and_falls_to_zero() -> None:
    rates = [_rate(step, 100) for step in range(100)]
    assert rates[0] < 0.11
    assert max(rates) == rates[9] > 0.97
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] < 0.001


def test_states_of_the_network_are_those_of_the_run(tmp_path: Path) -> None:
    states = Checkpoints(tmp_path / "states", "0")
    fitted(whole_network_data(tmp_path, checkpoints=states), replace(CONFIG, epochs=1))
    assert sorted(path.name for path in states.folder.iterdir()) == ["frozen.pt", "network.pt"]

"""Limits of the training process: what it and the processes that it has started may use, and what is left of it."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import Campaign
from tests.training.services.test_execution import process_ids_of, request_and_claim
from training.learning.checkpoints import Checkpoints
from training.models import TrainingRun
from training.services import training_process
from training.services.process_tree import memory_of, tree_of
from training.services.runs import MAX_ATTEMPTS

State = TrainingRun.State
MEBIBYTE = 1024**2
# A process of 60 MiB that starts another one of 90 MiB.
PROGRAM = """
import subprocess, sys
kept = bytearray(60 * 1024**2)
code = "kept = bytearray(90 * 1024**2); print('ready', flush=True); input()"
subprocess.run([sys.executable, "-c", code])
"""


def test_the_memory_of_a_process_includes_those_that_it_has_started() -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    found = tree_of(process.pid)
    assert (len(found), found[0]) == (2, process.pid)
    assert 150 * MEBIBYTE < memory_of(found) < 250 * MEBIBYTE
    process.communicate(b"\n")
    assert memory_of(found) == 0


@pytest.mark.slow
def test_a_process_that_uses_too_much_memory_is_stopped_and_not_tried_again(
    shared_database: None,
    campaign: Campaign,
    settings: Any,
) -> None:
    settings.IQS_TRAINING_BYTES = 20 * MEBIBYTE
    run, attempt = request_and_claim(campaign)
    Checkpoints(run.checkpoint_folder, "0").save("epochs", {"epoch": 1})
    training_process.run_supervise(run_id=run.pk, attempt=attempt)
    run.refresh_from_db()
    assert (run.state, run.attempt) == (State.FAILED, 1)
    assert run.message == "Stopped because it used more than 20 MiB of memory, the limit of IQS_TRAINING_MB."
    assert not process_ids_of(run)
    assert not run.checkpoint_folder.exists()


@pytest.mark.parametrize(("attempts_before", "stays"), [(0, True), (MAX_ATTEMPTS - 1, False)])
def test_checkpoints_stay_while_the_run_will_be_tried_again(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, attempts_before: int, stays: bool
) -> None:
    run, attempt = request_and_claim(campaign, attempt=attempts_before)
    Checkpoints(run.checkpoint_folder, "0").save("epochs", {"epoch": 1})
    # In place of the training program: a process that is killed at once.
    code = "import os; os.kill(os.getpid(), 9)"
    monkeypatch.setattr(training_process, "_command", lambda _run, _attempt: [sys.executable, "-c", code])
    training_process.run_supervise(run_id=run.pk, attempt=attempt)
    run.refresh_from_db()
    assert run.state == (State.QUEUED if stays else State.FAILED)
    assert run.checkpoint_folder.exists() == stays


def test_a_run_that_ends_deletes_its_checkpoints(campaign: Campaign, make_rated_images: Callable[..., Any]) -> None:
    from training.services.execution import run_perform

    make_rated_images(train=5, features=8)
    run, attempt = request_and_claim(campaign)
    Checkpoints(run.checkpoint_folder, "0").save("epochs", {"epoch": 1})
    assert run_perform(run_id=run.pk, attempt=attempt).state == State.FAILED
    assert not run.checkpoint_folder.exists()

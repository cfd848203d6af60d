"""Starts and supervises the training process. Imports no torch, so the worker stays small and survives its crash."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from training.evaluation import stored_words
from training.models import TrainingRun
from training.services.process_tree import memory_of, tree_of
from training.services.runs import run_finish, run_requeue

# A process that has not stopped after this time is killed when its run was cancelled.
CANCEL_SECONDS = 20
_POLL_SECONDS = 0.5
_MESSAGE_LINES = 8
_MEMORY_STEP = 8 * 1024**2  # the stored peak is at most this much too low
State = TrainingRun.State


def run_supervise(*, run_id: int, attempt: int) -> None:
    """Start the training process of a claimed run and wait until it has ended.

    The process has its own session: if this worker dies, it continues and ends the run itself. A process that
    runs longer than `IQS_TRAINING_SECONDS` or uses more memory than `IQS_TRAINING_MB` is killed and the run fails. If
    another signal kills the process, the run is requeued, and a recipe that learns in epochs continues from its last
    checkpoint. If the process fails, its last output lines become the run's message.
    """
    run = TrainingRun.objects.get(pk=run_id)
    run.folder.mkdir(parents=True, exist_ok=True)
    log = run.folder / f"attempt-{attempt}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(run_id, attempt),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.BASE_DIR,
            env=process_environment(),
            start_new_session=True,
        )
    reason = _wait(process, run_id, attempt)
    if reason:
        run_finish(run_id=run_id, attempt=attempt, state=State.FAILED, message=reason)
    elif process.returncode < 0:
        died = stored_words.KILLED % {"signal": -process.returncode}
        run_requeue(run_id=run_id, attempt=attempt, reason=died)
    else:
        # Has an effect only if the process did not end the run itself. That is a failure, whatever the exit status.
        run_finish(run_id=run_id, attempt=attempt, state=State.FAILED, message=last_lines(log, process.returncode))
    if TrainingRun.objects.filter(pk=run_id).exclude(state__in=TrainingRun.LIVE).exists():
        shutil.rmtree(run.checkpoint_folder, ignore_errors=True)


def _command(run_id: int, attempt: int) -> list[str]:
    program = str(settings.BASE_DIR / "manage.py")
    return [sys.executable, program, "train", "--run", str(run_id), "--attempt", str(attempt)]


def _wait(process: "subprocess.Popen[bytes]", run_id: int, attempt: int) -> str:
    """Wait for the end of the process; return an error message if it reached a limit and was killed, otherwise ''."""
    deadline = time.monotonic() + settings.IQS_TRAINING_SECONDS
    cancel_by = float("inf")
    peak = 0
    while True:
        try:
            process.wait(timeout=_POLL_SECONDS)
            return ""
        except subprocess.TimeoutExpired:
            now = time.monotonic()
        if now > deadline:
            _kill(process)
            return stored_words.TOO_LONG % {"seconds": settings.IQS_TRAINING_SECONDS}
        memory = memory_of(tree_of(process.pid))
        if memory > peak + _MEMORY_STEP:
            peak = memory
            TrainingRun.objects.filter(pk=run_id, attempt=attempt).update(peak_memory=peak)
        if memory > settings.IQS_TRAINING_BYTES:
            _kill(process)
            limit = settings.IQS_TRAINING_BYTES // 1024**2
            return stored_words.TOO_LARGE % {"limit": f"{limit:,}"}
        current = TrainingRun.objects.filter(pk=run_id, attempt=attempt, state=State.RUNNING)
        cancelled = current.values_list("cancel_requested", flat=True).first()
        if cancelled:
            cancel_by = min(cancel_by, now + CANCEL_SECONDS)
        if now > cancel_by:
            _kill(process)  # run_supervise then requeues the run, which ends a cancelled run
            return ""
        if cancelled is None:
            # The run has ended, or another attempt has claimed it. The process notices this at its next write
            # and stops; if it is still running later, it hangs.
            cancel_by = min(cancel_by, now + CANCEL_SECONDS)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill the process and those that it has started."""
    for one in tree_of(process.pid):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    process.wait()


def process_environment() -> dict[str, str]:
    """Return an environment with the same database and folders for manage.py as in this process."""
    return os.environ | {
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "IQS_MEDIA": str(settings.MEDIA_ROOT),
        "IQS_MODELS": str(settings.MODELS_ROOT),
        "OMP_NUM_THREADS": "1",  # the matrices are small, so more threads would be slower
        "PYTHONUNBUFFERED": "1",
    }


def last_lines(log: Path, status: int) -> str:
    """Return the exit status of a process and the last lines of its log, for a message."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return "\n".join([f"The training process ended with status {status}:", *lines[-_MESSAGE_LINES:]])

"""Starts and watches the training process. No torch here: the worker stays small and survives a crash of training."""

import os
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

from training.models import TrainingRun
from training.services.runs import run_finish, run_requeue

# Seconds that a process has to stop by itself after somebody cancelled the run.
CANCEL_SECONDS = 20
_LOOK_SECONDS = 0.5
_MESSAGE_LINES = 8
State = TrainingRun.State


def run_supervise(*, run_id: int, attempt: int) -> None:
    """Start the training process of a claimed run and wait until it has ended.

    The process has a session of its own: when this worker dies, it carries on and ends the run by
    itself. A process that runs longer than `IQS_TRAINING_SECONDS` is killed and the run fails. A run
    whose process is killed by another signal is requeued. When the process fails, the last lines that it
    printed become the run's message.
    """
    run = TrainingRun.objects.get(pk=run_id)
    run.folder.mkdir(parents=True, exist_ok=True)
    log = run.folder / f"attempt-{attempt}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                str(settings.BASE_DIR / "manage.py"),
                "train",
                "--run",
                str(run_id),
                "--attempt",
                str(attempt),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.BASE_DIR,
            env=_environment(),
            start_new_session=True,
        )
    reason = _wait(process, run_id, attempt)
    if reason:
        run_finish(run_id=run_id, attempt=attempt, state=State.FAILED, message=reason)
    elif process.returncode < 0:
        died = f"The training process was killed by signal {-process.returncode}."
        run_requeue(run_id=run_id, attempt=attempt, reason=died)
    else:
        # Ends a run only if its process did not, which is a failure whatever its exit status was.
        run_finish(run_id=run_id, attempt=attempt, state=State.FAILED, message=_last_lines(log, process.returncode))


def _wait(process: "subprocess.Popen[bytes]", run_id: int, attempt: int) -> str:
    """Wait for the end of the process; return why the run failed when it had to be ended by force."""
    deadline = time.monotonic() + settings.IQS_TRAINING_SECONDS
    cancel_by = float("inf")
    while True:
        try:
            process.wait(timeout=_LOOK_SECONDS)
            return ""
        except subprocess.TimeoutExpired:
            now = time.monotonic()
        if now > deadline:
            _kill(process)
            return f"Stopped after {settings.IQS_TRAINING_SECONDS} seconds, the limit of IQS_TRAINING_SECONDS."
        current = TrainingRun.objects.filter(pk=run_id, attempt=attempt, state=State.RUNNING)
        cancelled = current.values_list("cancel_requested", flat=True).first()
        if cancelled:
            cancel_by = min(cancel_by, now + CANCEL_SECONDS)
        if now > cancel_by:
            _kill(process)  # requeueing a cancelled run below ends it
            return ""
        if cancelled is None:
            # The run has ended, or another attempt has it: the process notices at its next write,
            # so what is still there after that hangs.
            cancel_by = min(cancel_by, now + CANCEL_SECONDS)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _environment() -> dict[str, str]:
    """Return the environment in which manage.py sees the same database and folders as this process."""
    return os.environ | {
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "IQS_MEDIA": str(settings.MEDIA_ROOT),
        "IQS_MODELS": str(settings.MODELS_ROOT),
        "OMP_NUM_THREADS": "1",  # matrices are small: threads would wait for each other more than they work
        "PYTHONUNBUFFERED": "1",
    }


def _last_lines(log: Path, status: int) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return "\n".join([f"The training process ended with status {status}:", *lines[-_MESSAGE_LINES:]])

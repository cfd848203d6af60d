"""Stops processes of an instance that are still running without its supervisor."""

import os
from contextlib import suppress
from pathlib import Path

import psutil

from iqs_site.instance.supervisor_config import FOLDER_VARIABLE


def leftovers_kill(folder: Path, *, wait_seconds: float) -> None:
    """Stop processes that are still running without the supervisor, such as the training of a killed worker.

    `folder`: of the instance. Those that take longer than `wait_seconds` are killed.
    """
    leftovers = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(FOLDER_VARIABLE) == str(folder):
                process.terminate()
                leftovers.append(process)
    _ended, alive = psutil.wait_procs(leftovers, timeout=wait_seconds)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=5)

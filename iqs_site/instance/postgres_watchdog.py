"""Restarts the embedded PostgreSQL when it dies: `python -P iqs_site/instance/postgres_watchdog.py FOLDER`.

PostgreSQL is a daemon, not a child process, so the supervisor cannot watch it. The supervisor runs this watchdog
instead. When the supervisor ends, the watchdog stops the database unless a living process uses it. A process that
starts an instance normally stops the database itself, but it cannot when it was killed.

It runs as a file, and restarts the database in another process (`--restart`), because importing the package loads
Celery.
"""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

_CHECK_SECONDS = 0.5
_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def main(folder: Path) -> None:
    """Restart the database whenever it dies. On SIGTERM or SIGINT, stop it unless a living process uses it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    embedded, is_down = _embedded(), False
    # Without IQS_INSTANCE: processes with it are killed when the instance ends, but the database is stopped properly.
    environment = {name: value for name, value in os.environ.items() if name != "IQS_INSTANCE"}
    while signal.sigtimedwait(_SIGNALS, _CHECK_SECONDS) is None:
        if is_down or embedded.postgres_is_dead(folder):
            print("the database died; restarting it", flush=True)
            command = [sys.executable, "-P", __file__, str(folder), "--restart"]
            is_down = subprocess.run(command, env=environment, check=False).returncode != 0
    if embedded.postgres_unused_stop(folder):
        print("the database was stopped, because the process that started it has ended")


def restart(folder: Path) -> None:
    """Restart the database of the folder; exit with one sentence when that fails."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)  # inherited from the watchdog
    embedded = _embedded()
    try:
        embedded.postgres_restart(folder)
    except embedded.EmbeddedError as error:
        sys.exit(str(error))
    print("the database is running again")


def _embedded() -> ModuleType:
    """Load `iqs_site.instance.embedded` without its package."""
    spec = importlib.util.spec_from_file_location("embedded", Path(__file__).with_name("embedded.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    (restart if "--restart" in sys.argv else main)(Path(sys.argv[1]))

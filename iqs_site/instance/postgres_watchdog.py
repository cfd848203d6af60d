"""Restarts the embedded PostgreSQL when it stops: `python -P iqs_site/instance/postgres_watchdog.py FOLDER`.

PostgreSQL is a daemon, not a child process, so the supervisor cannot watch it. The supervisor runs this watchdog
instead. It dies when it is killed, and it stops by itself when the disk is full. When the supervisor ends, the
watchdog stops the database unless a living process uses it. A process that starts an instance normally stops the
database itself, but it cannot when it was killed.

It runs as a file, and restarts the database in another process (`--restart`), because importing the package loads
Celery.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

_CHECK_SECONDS = 0.5
_RETRY_SECONDS = 5  # after a restart that failed, for instance because the disk is full
_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def main(folder: Path) -> None:
    """Restart the database whenever it stops. On SIGTERM or SIGINT, stop it unless a living process uses it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    embedded, wait = _embedded(), _CHECK_SECONDS
    # Without IQS_INSTANCE: processes with it are killed when the instance ends, but the database is stopped properly.
    environment = {name: value for name, value in os.environ.items() if name != "IQS_INSTANCE"}
    while signal.sigtimedwait(_SIGNALS, wait) is None:
        if embedded.postgres_is_running(folder):
            wait = _CHECK_SECONDS
            continue
        if wait == _CHECK_SECONDS:
            print("the database stopped; restarting it", flush=True)
        command = [sys.executable, "-P", __file__, str(folder), "--restart"]
        done = subprocess.run(command, env=environment, check=False)
        wait = _RETRY_SECONDS if done.returncode else _CHECK_SECONDS
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
    """Import `iqs_site.instance.embedded` without running `iqs_site/__init__.py`, which loads Celery."""
    package = ModuleType("iqs_site")
    package.__path__ = [str(Path(__file__).resolve().parents[1])]
    sys.modules["iqs_site"] = package
    from iqs_site.instance import embedded

    return embedded


if __name__ == "__main__":
    (restart if "--restart" in sys.argv else main)(Path(sys.argv[1]))

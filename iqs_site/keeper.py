"""Keeps the embedded database of an instance: `python -P iqs_site/keeper.py FOLDER`.

PostgreSQL is nobody's child, so the supervisor cannot watch it; it runs the keeper beside the broker instead. The
keeper starts a database again that died. And when the supervisor ends, it looks whether anybody still holds the
database: whoever starts an instance stops its database at the end, but a process that is killed cannot.

It is started as a file, and does what takes more than waiting in a process of its own (`--revive`), because importing
the package loads Celery.
"""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

_LOOK_SECONDS = 0.5
_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def main(folder: Path) -> None:
    """Revive the database until the supervisor ends this; then stop it unless a living process uses it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    embedded, is_down = _embedded(), False
    # Not among the processes that the end of the instance sweeps up: the database is stopped in order.
    environment = {name: value for name, value in os.environ.items() if name != "IQS_INSTANCE"}
    while signal.sigtimedwait(_SIGNALS, _LOOK_SECONDS) is None:
        if is_down or embedded.postgres_is_dead(folder):
            print("the database died; starting it again", flush=True)
            command = [sys.executable, "-P", __file__, str(folder), "--revive"]
            is_down = subprocess.run(command, env=environment, check=False).returncode != 0
    if embedded.postgres_abandoned_stop(folder):
        print("the database was stopped: the process that had started it is gone")


def revive(folder: Path) -> None:
    """Start the database of the folder again; exit with one sentence when that fails."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)  # inherited from the keeper
    embedded = _embedded()
    try:
        embedded.postgres_revive(folder)
    except embedded.EmbeddedError as error:
        sys.exit(str(error))
    print("the database answers again")


def _embedded() -> ModuleType:
    """Load `iqs_site.embedded` without its package."""
    spec = importlib.util.spec_from_file_location("embedded", Path(__file__).with_name("embedded.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    (revive if "--revive" in sys.argv else main)(Path(sys.argv[1]))

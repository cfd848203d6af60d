"""Stops the embedded database of an instance that was killed: `python -P iqs_site/keeper.py FOLDER`.

The supervisor runs it beside the broker. Whoever starts an instance stops its database at the end, but a process that
is killed cannot, and PostgreSQL is nobody's child. So when the supervisor ends, the keeper looks whether anybody still
holds the database. It is started as a file because importing the package loads Celery, for a process that only waits.
"""

import signal
import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Wait for the supervisor to end it, then stop the database of the folder unless a living process uses it."""
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    signal.sigwait(signals)
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from iqs_site import embedded

    if embedded.postgres_abandoned_stop(folder):
        print("the database was stopped: the process that had started it is gone")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

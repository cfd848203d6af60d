"""Child processes of an instance: management commands, and how a child ends with its parent."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from iqs_site.instance import embedded, private_files
from iqs_site.instance.preflight import InstanceError

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def manage(environment: dict[str, str], *words: str, loud: bool = False) -> None:
    """Run a management command. Raises InstanceError with its last error line when it fails.

    `loud`: show what it prints.
    """
    with managing(environment, *words, loud=loud):
        pass


@contextmanager
def managing(environment: dict[str, str], *words: str, loud: bool = False) -> Iterator[None]:
    """Run a management command while the block runs, then wait for it. Raises InstanceError as `manage` does."""
    command = [sys.executable, str(embedded.ROOT / "manage.py"), *words]
    output = None if loud else subprocess.PIPE
    options: dict[str, Any] = {"env": environment, "umask": private_files.UMASK}
    with subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, **options) as process:
        try:
            yield
            _, errors = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        last = (errors.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise InstanceError(f"`manage.py {words[0]}` failed: {last}")


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies (Linux only). Runs in the child process before exec."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

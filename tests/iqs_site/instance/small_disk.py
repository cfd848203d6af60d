"""A small file system of its own for tests that fill it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_PIECE = bytes(64 * 1024)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a file system in memory at `folder`. Skips the test where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk, and not in every container")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file: Path) -> None:
    """Write to a file until its disk has no byte left; a second call takes what was freed meanwhile."""
    with file.open("ab", buffering=0) as stream:
        for size in (len(_PIECE), 4096, 1):
            with suppress(OSError):
                while True:
                    stream.write(_PIECE[:size])

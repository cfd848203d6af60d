"""Standard output as the target of a table."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

_NAMES = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}


def is_standard_output(path: Path) -> bool:
    """Return whether a path names the standard output of this process: `-`, /dev/stdout or /dev/fd/1."""
    return os.fspath(path) in _NAMES


def table_output(stream: Any) -> Callable[[bytes], None]:
    """Return a function that writes UTF-8 to a command's `stdout` at once, whatever the encoding of the terminal."""

    def write(piece: bytes) -> None:
        binary = getattr(stream, "buffer", None)
        if binary is None:  # a text file in memory
            stream.write(piece.decode(), ending="")
            return
        stream.flush()
        binary.write(piece)
        binary.flush()

    return write

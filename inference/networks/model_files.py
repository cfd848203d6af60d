"""Checksums of model files."""

import hashlib
from collections.abc import Callable
from pathlib import Path


class ModelFileError(RuntimeError):
    """A model file is missing or has a wrong checksum; the message says what to do."""


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum_verify(path: Path, expected: str, *, find: Callable[[Path], str] = checksum) -> None:
    """Raise ModelFileError unless the file exists and has the expected SHA-256. `find` computes it."""
    try:
        found = find(path)
    except OSError as error:
        raise ModelFileError(
            f"The model file {path} cannot be read ({error.strerror}); restore it from a backup."
        ) from error
    if found != expected:
        raise ModelFileError(
            f"The model file {path} has changed since it was stored "
            f"(checksum {found[:12]}…, expected {expected[:12]}…); "
            "restore it from a backup, or roll back to another version."
        )

"""Atomic writes: a file or folder is complete or does not exist, even after a crash.

The new content is written to a hidden file with a unique name in the same folder, and renamed when it is complete. The
rename is atomic in POSIX, so readers see either the old file or the new one. With concurrent writers, the last one
wins. An error removes the hidden file; a killed writer leaves it (its name ends in `.part`).

A pipe or a device, such as /dev/null, cannot be replaced. It gets the complete content at the end. A link stays: the
file that it points to is replaced.

`durable` also waits until the content and the name are on disk (fsync), which takes milliseconds. Use False for files
that may be lost in a power cut.
"""

import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, overload

# Limit for the target's name inside the hidden name. The hidden name is longer, and file systems allow 255 bytes.
_NAME_BYTES = 200


@overload
@contextmanager
def whole_file(
    path: Path, mode: Literal["wb"] = "wb", *, permissions: int = 0o666, durable: bool = True
) -> Iterator[IO[bytes]]: ...


@overload
@contextmanager
def whole_file(
    path: Path, mode: Literal["w"], *, permissions: int = 0o666, durable: bool = True
) -> Iterator[IO[str]]: ...


@contextmanager
def whole_file(path: Path, mode: str = "wb", *, permissions: int = 0o666, durable: bool = True) -> Iterator[IO[Any]]:
    """Yield a file to write. It becomes `path` when the block ends; if the block raises, `path` does not change.

    `mode` is "wb" or "w". Text is written as UTF-8 without changing line ends. The process's umask applies to
    `permissions`. Raises OSError, for instance when the folder is missing or the disk is full.
    """
    text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    with (
        whole_path(path, durable=durable) as part,
        os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, permissions), mode, **text) as file,
    ):
        yield file


@contextmanager
def whole_path(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path for a library that writes to a path. It becomes `path` when the block ends.

    For one file, or for a folder with files. Replacing an existing folder takes two steps and is not atomic, so use it
    only for folders that nobody reads yet.
    """
    if is_stream(path):
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "content"
            with (Path(folder) / "content").open("rb") as content, path.open("wb") as stream:
                shutil.copyfileobj(content, stream)
        return
    if path.is_symlink():
        path = path.resolve()
    part = _part_path(path)
    try:
        yield part
        put_in_place(part, path, durable=durable)
    except BaseException:
        _remove(part)
        raise


def put_in_place(part: Path, path: Path, *, durable: bool = True) -> None:
    """Rename a complete file or folder to `path` on the same file system. Replaces an existing `path`."""
    if durable:
        for inside in sorted(part.rglob("*"), reverse=True) if part.is_dir() else ():
            _sync(inside)
        _sync(part)
    if part.is_dir() and path.is_dir():
        shutil.rmtree(path)
    part.replace(path)
    if durable:
        _sync(path.parent)


def is_stream(path: Path) -> bool:
    """Return whether a path is a pipe, a device or a socket: something that cannot be read again or replaced."""
    try:
        mode = path.stat().st_mode  # once, because another process may replace or delete the file meanwhile
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _part_path(path: Path) -> Path:
    name = os.fsdecode(os.fsencode(path.name)[:_NAME_BYTES])
    return path.with_name(f".{name}.{uuid.uuid4().hex}.part")


def _sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        part.unlink(missing_ok=True)

"""Files and folders that are there whole or not at all, also when the program or the machine dies in the middle.

The new content is written beside the old one under a hidden name that nobody else uses, and is renamed when it is
complete. POSIX makes that rename atomic, so a reader sees the old file or the new one. Of writers at the same
time the last one wins. A writer that is killed leaves its hidden file, which ends in `.part`; an error removes it.

`durable` also waits until the disk has the content and the name (fsync), which takes milliseconds. False is for
files that nobody misses after a power cut.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, overload

_NAME_BYTES = 200  # of the target's name; file systems take 255 bytes, and the hidden name is longer


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
    """Yield a file to write; `path` has its content when the block ends, and stays as it is when it raises.

    `mode` is "wb" or "w"; text is written as UTF-8 and its line ends stay as they are. The process's umask is
    taken off `permissions`. Raises OSError, for instance when the folder is missing or the disk is full.
    """
    text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    with (
        whole_path(path, durable=durable) as part,
        os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, permissions), mode, **text) as file,
    ):
        yield file


@contextmanager
def whole_path(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a path for a library that writes files by name; what is there when the block ends becomes `path`.

    For one file, or for a folder with files. A folder replaces another one in two steps, so it is for targets
    that nobody reads yet.
    """
    part = _part_path(path)
    try:
        yield part
        put_in_place(part, path, durable=durable)
    except BaseException:
        _remove(part)
        raise


def put_in_place(part: Path, path: Path, *, durable: bool = True) -> None:
    """Rename a complete file or folder to `path`, which is on the same file system; what is there is replaced."""
    if durable:
        for inside in sorted(part.rglob("*"), reverse=True) if part.is_dir() else ():
            _sync(inside)
        _sync(part)
    if part.is_dir() and path.is_dir():
        shutil.rmtree(path)
    part.replace(path)
    if durable:
        _sync(path.parent)


def _part_path(path: Path) -> Path:
    name = os.fsdecode(os.fsencode(path.name)[:_NAME_BYTES])
    return path.with_name(f".{name}.{uuid.uuid4().hex}.part")


def _sync(path: Path) -> None:
    """Wait until the disk has a file's content, or a folder's names."""
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

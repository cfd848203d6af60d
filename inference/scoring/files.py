"""Finds the files to score. Pure."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from annotation.files.names import name_shown, name_text
from annotation.photos.sources import is_ignored
from inference.scoring.rows import ScoreRow


class PathMissing(Exception):
    """A given path does not exist; the message names it."""


@dataclass(frozen=True)
class FilesFound:
    """Files found at and below the given paths."""

    photos: list[Path]
    """Files to open, in the order of the paths, then by name; without duplicates."""
    refused: list[ScoreRow]
    """Paths that cannot be opened: folders without permission, broken links, devices."""


def files_find(paths: Iterable[Path], *, leave_out: Iterable[Path] = ()) -> FilesFound:
    """Return every file at or below the paths, except those in `leave_out`.

    Whether a file is a photo is decided later, by its content. Hidden files and files that operating systems add are
    left out unless a path names them. Raises PathMissing.
    """
    paths = list(paths)
    for path in paths:
        if not os.path.lexists(path):
            raise PathMissing(f"{name_shown(name_text(path))} does not exist.")
    not_these = {path.resolve() for path in leave_out}
    photos: dict[Path, None] = {}
    refused: list[ScoreRow] = []
    for path in paths:
        for found, reason in _below(path):
            if reason:
                refused.append(ScoreRow(name_text(found), reason=reason))
            elif not not_these or found.resolve() not in not_these:
                photos[found] = None
    return FilesFound(list(photos), refused)


def _below(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file at or below a path with the reason why it cannot be opened, or ""."""
    try:
        mode = path.stat().st_mode
        entries = sorted(path.iterdir()) if stat.S_ISDIR(mode) else None
    except OSError as error:
        yield path, f"It cannot be read: {error.strerror or error}."
        return
    if entries is None:
        yield path, "" if stat.S_ISREG(mode) else "It is a device or a pipe, not a file."
        return
    for entry in entries:
        # Links to folders are not followed, because they could form a loop.
        if not is_ignored([entry.name]) and not (entry.is_symlink() and entry.is_dir()):
            yield from _below(entry)

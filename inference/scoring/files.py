"""Which files there are to score. Pure."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from annotation.photos.sources import is_ignored
from inference.scoring.rows import ScoreRow, file_name


class PathMissing(Exception):
    """A path that was asked for does not exist; the message names it."""


@dataclass(frozen=True)
class FilesFound:
    """What lies at some paths."""

    photos: list[Path]
    """Files to look at, in the order of the paths, then of their names; none twice."""
    refused: list[ScoreRow]
    """What cannot even be tried: folders that nobody may read, links to nowhere, devices."""


def files_find(paths: Iterable[Path], *, leave_out: Iterable[Path] = ()) -> FilesFound:
    """Return every file among and below the paths; `leave_out` names files that are none of the photos.

    Whether a file is a photo is judged by its content, later. Hidden files, and what operating systems
    leave beside photos, are passed over unless a path names them. Raises PathMissing.
    """
    paths = list(paths)
    for path in paths:
        if not os.path.lexists(path):
            raise PathMissing(f"There is nothing at {path}.")
    not_these = {path.resolve() for path in leave_out}
    photos: dict[Path, None] = {}
    refused: list[ScoreRow] = []
    for path in paths:
        for found, reason in _below(path):
            if reason:
                refused.append(ScoreRow(file_name(found), reason=reason))
            elif not not_these or found.resolve() not in not_these:
                photos[found] = None
    return FilesFound(list(photos), refused)


def _below(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file at or below a path with the reason why it cannot be tried, mostly an empty one."""
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
        # A link to a folder is not followed: it could lead in circles.
        if not is_ignored([entry.name]) and not (entry.is_symlink() and entry.is_dir()):
            yield from _below(entry)

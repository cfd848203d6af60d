"""Free space of the disks that folders are on. Pure; imports nothing of the project."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Disk:
    """A disk, by what is stored on it. free: bytes that this process's user can still write."""

    contents: tuple[str, ...]
    free: int

    @property
    def free_megabytes(self) -> int:
        """Return the free space in MiB, rounded down."""
        return self.free // _MEGABYTE


def disks_of(folders: Mapping[str, Path]) -> list[Disk]:
    """Return the disks of {what is stored there: folder}, each disk once. A folder need not exist yet.

    Raises OSError when a folder cannot be read.
    """
    found: dict[int, tuple[list[str], int]] = {}
    for name, folder in folders.items():
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        names, _free = found.setdefault(existing.stat().st_dev, ([], shutil.disk_usage(existing).free))
        names.append(name)
    return [Disk(tuple(names), free) for names, free in found.values()]

"""A training process and those that it has started: which they are, and how much memory they use."""

from pathlib import Path

_PROCESSES = Path("/proc")


def tree_of(root: int) -> list[int]:
    """Return the id of a process and those of all that it has started, and they in turn; [root] without /proc."""
    children: dict[int, list[int]] = {}
    for folder in _PROCESSES.glob("[0-9]*"):
        children.setdefault(_parent(folder), []).append(int(folder.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def memory_of(processes: list[int]) -> int:
    """Return the bytes of memory that processes use for themselves; 0 where there is no /proc.

    Files that are mapped into memory are left out: their pages can be read again, and processes share them.
    """
    return sum(_memory(_PROCESSES / str(process)) for process in processes)


def _parent(folder: Path) -> int:
    """Return the process that started this one; 0 if this one has ended."""
    try:
        # The second field, the name, is in parentheses and may contain anything.
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _memory(folder: Path) -> int:
    try:
        lines = (folder / "status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))

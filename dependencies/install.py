"""Installs lock files into the environment of this Python: `python dependencies/install.py requirements-web.lock`.

pip refuses every file whose SHA-256 is not in the lock file, and every package that needs a build. The lock files name
all packages, so pip does not look for others. This file needs only Python and pip, because it installs the rest.
"""

import importlib
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

PIP_INSTALL = [
    *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check"),
    *("--require-hashes", "--no-deps", "--requirement"),
]
CPU_LOCK = "requirements-cpu.lock"
"""The CPU build of torch, which is preferred if pip finds it."""
CUDA_LOCK = "requirements-cuda.lock"
"""The packages that only the CUDA builds of torch need."""

Pip = Callable[[Path], subprocess.CompletedProcess[str]]
"""Runs pip for a lock file and returns the exit status and what pip wrote to stderr."""


def pip_quiet(lock: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pip without output. What it writes to stderr is returned."""
    command = [*PIP_INSTALL, str(lock), "--quiet", *options]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)


def install(lock: Path, pip: Pip = pip_quiet) -> None:
    """Install the packages of a lock file. With torch, install its CPU build if pip finds that, else what CUDA needs.

    Raises subprocess.CalledProcessError, after pip's own message, if pip fails.
    """
    unfinished_remove(Path(sysconfig.get_path("purelib")))
    has_torch = "\ntorch==" in lock.read_text()
    if has_torch:
        _run(pip, lock.with_name(CPU_LOCK), may_be_missing=True)
    _run(pip, lock)
    importlib.invalidate_caches()
    if has_torch and has_missing_requirements("torch"):
        _run(pip, lock.with_name(CUDA_LOCK))


def unfinished_remove(packages: Path) -> list[str]:
    """Remove what says that a package is installed when pip was killed before it was; return the names.

    pip writes RECORD last. Without this, it believes that the package is there and leaves it as it is.
    """
    unfinished = [found for found in packages.glob("*.dist-info") if not (found / "RECORD").exists()]
    for found in unfinished:
        shutil.rmtree(found)
    return [found.name.removesuffix(".dist-info") for found in unfinished]


def _run(pip: Pip, lock: Path, *, may_be_missing: bool = False) -> None:
    """Run pip. Raises subprocess.CalledProcessError if it fails, but not for a package that no index has."""
    done = pip(lock)
    if done.returncode and not (may_be_missing and "No matching distribution found" in done.stderr):
        sys.stderr.write(done.stderr)
        done.check_returncode()


def has_missing_requirements(name: str) -> bool:
    """Return whether an installed package requires a package that is not installed; False if it is not installed."""
    try:
        needs = requires(name) or []
    except PackageNotFoundError:
        return False
    from packaging.requirements import Requirement  # the lock file installs it

    for need in map(Requirement, needs):
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            try:
                version(need.name)
            except PackageNotFoundError:
                return True
    return False


def main(words: list[str]) -> None:
    """Install the lock files that are named. `--no-compile`: Python compiles a module when it is first imported."""
    options = [word for word in words if word.startswith("--")]
    for name in words:
        if name not in options:
            install(Path(name), lambda lock: pip_quiet(lock, *options))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)

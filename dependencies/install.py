"""Installs a lock file into the environment of this Python: `python dependencies/install.py requirements.lock`.

pip refuses every file whose SHA-256 is not in the lock file, and every package that needs a build. The lock file names
all packages, so pip does not look for others. This file needs only Python and pip, because it installs the rest.
"""

import importlib
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

CUDA_LOCK = "requirements-cuda.lock"
"""The packages that only the CUDA builds of torch need. It lies beside the other lock files."""


def install(lock: Path) -> None:
    """Install the packages of a lock file, and those of `CUDA_LOCK` if the installed torch needs them.

    Raises subprocess.CalledProcessError if pip fails.
    """
    _pip_install(lock)
    importlib.invalidate_caches()
    if has_missing_requirements("torch"):
        _pip_install(lock.with_name(CUDA_LOCK))


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


def _pip_install(lock: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "--no-deps", "--requirement", lock], check=True)


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)

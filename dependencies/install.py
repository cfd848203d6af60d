"""Installs a lock file into the environment of this Python: `python dependencies/install.py requirements.lock`.

pip refuses every file whose SHA-256 is not in the lock file, and every package that needs a build. The lock file names
all packages, so pip does not look for others. This file needs only Python and pip, because it installs the rest.
"""

import importlib
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

PIP_INSTALL = [
    *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
    *("--require-hashes", "--no-deps", "--requirement"),
]
CPU_LOCK = "requirements-cpu.lock"
"""The CPU build of torch, which is preferred if pip finds it."""
CUDA_LOCK = "requirements-cuda.lock"
"""The packages that only the CUDA builds of torch need."""


def install(lock: Path) -> None:
    """Install the packages of a lock file. With torch, install its CPU build if pip finds that, else what CUDA needs.

    Raises subprocess.CalledProcessError if pip fails.
    """
    has_torch = "\ntorch==" in lock.read_text()
    if has_torch:
        _install_cpu_build(lock.with_name(CPU_LOCK))
    subprocess.run([*PIP_INSTALL, lock], check=True)
    importlib.invalidate_caches()
    if has_torch and has_missing_requirements("torch"):
        subprocess.run([*PIP_INSTALL, lock.with_name(CUDA_LOCK)], check=True)


def _install_cpu_build(lock: Path) -> None:
    """Install the CPU build if pip finds it. Raises subprocess.CalledProcessError if it is refused."""
    done = subprocess.run([*PIP_INSTALL, lock], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode and "No matching distribution found" not in done.stderr:
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


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)

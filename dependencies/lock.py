"""Writes the lock files from requirements*.txt: `make lock`, or `make lock UPGRADE=all`, or `make lock UPGRADE=django`.

uv finds the versions for all systems at once, so that the same files serve Linux, macOS, x86-64 and ARM.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from dependencies.lock_file import (
    BENCH, CUDA_LOCK, DEV, LOCK_FILES, ROOT, RUNTIME, TOOLS, LockedPackage, LockFile, lock_text, locked_packages,
)  # fmt: skip

PYTHON_VERSION = "3.11"
CUDA = re.compile(r"(nvidia|cuda)-|triton$")
"""Names of the packages that only CUDA builds of torch need. They are in a lock file of their own."""
CPU_BUILDS = {"torch": ("2.13.0", ["6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"])}
"""SHA-256 of the CPU builds that PyTorch publishes itself, under a version such as 2.13.0+cpu. pip prefers them to the
CUDA builds of the same version where it finds both. This one is for Linux on x86-64 with Python 3.11."""


def lock(upgrade: str = "") -> None:
    """Write all lock files. Versions stay as they are, except those of `upgrade`: a package, `all`, or nobody.

    Raises SystemExit if no versions fit together, or if CPU_BUILDS has no hash for the version of torch.
    """
    everything = with_cpu_builds(_resolve(DEV, upgrade))
    runtime, bench = (_names(lock_file, everything) for lock_file in (RUNTIME, BENCH))
    cuda = {package.name for package in everything if CUDA.match(package.name)}
    _write(RUNTIME, (package for package in everything if package.name in runtime - cuda))
    _write(BENCH, (package for package in everything if package.name in bench - runtime - cuda))
    _write(DEV, (package for package in everything if package.name not in bench | cuda))
    _write(TOOLS, _resolve(TOOLS, upgrade))
    cuda_packages = [package for package in everything if package.name in cuda]
    CUDA_LOCK.write_text(lock_text("What CUDA builds of torch need besides", RUNTIME.requirements, cuda_packages))


def with_cpu_builds(packages: list[LockedPackage]) -> list[LockedPackage]:
    """Return the packages with the hashes of CPU_BUILDS. Raises SystemExit if these are of another version."""
    found = []
    for package in packages:
        version, hashes = CPU_BUILDS.get(package.name, (package.version, []))
        if version != package.version:
            raise SystemExit(
                f"iqs: CPU_BUILDS in dependencies/lock.py has the hashes of {package.name} {version}, but the version "
                f"is now {package.version}; enter the hashes of the CPU builds of {package.version}"
            )
        found.append(replace(package, hashes=(*package.hashes, *hashes)))
    return found


def _resolve(lock_file: LockFile, upgrade: str) -> list[LockedPackage]:
    """Return all packages that a requirements file needs on any system, with the hashes of their files."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "all.lock"
        output.write_text(_versions_of_today(TOOLS if lock_file is TOOLS else None, upgrade))
        _uv(lock_file, "--generate-hashes", "--output-file", str(output))
        return list(locked_packages(output.read_text()))


def _names(lock_file: LockFile, everything: Iterable[LockedPackage]) -> set[str]:
    """Return the names of the packages that a requirements file needs, at the versions of `everything`."""
    with TemporaryDirectory() as folder:
        pins = Path(folder) / "pins.txt"
        pins.write_text("".join(f"{package.requirement}\n" for package in everything))
        text = _uv(lock_file, "--constraints", str(pins))
        return {package.name for package in locked_packages(text)}


def _versions_of_today(only: LockFile | None, upgrade: str) -> str:
    """Return the pins of the lock files, which uv keeps where it can, without those of `upgrade`."""
    paths = [only.path] if only else [CUDA_LOCK, *(other.path for other in LOCK_FILES if other is not TOOLS)]
    packages = [package for path in paths if path.exists() for package in locked_packages(path.read_text())]
    return "".join(f"{package.requirement}\n" for package in packages if upgrade not in ("all", package.name))


def _uv(lock_file: LockFile, *options: str) -> str:
    """Return what `uv pip compile` prints. Raises SystemExit, after uv's own message, if it fails."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", PYTHON_VERSION]
    command += ["--only-binary", ":all:", "--no-header", "--no-annotate", *options, lock_file.requirements]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"iqs: found no versions for {lock_file.requirements}")
    return done.stdout


def _write(lock_file: LockFile, packages: Iterable[LockedPackage]) -> None:
    text = lock_text(lock_file.title, lock_file.requirements, packages, lock_file.extends)
    lock_file.path.write_text(text)


if __name__ == "__main__":
    lock(*sys.argv[1:])

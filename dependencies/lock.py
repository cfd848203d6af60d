"""Writes the lock files from requirements*.txt: `make lock`, or `make lock UPGRADE=all`, or `make lock UPGRADE=django`.

uv finds the versions for all systems at once, so that the same files serve Linux, macOS, x86-64 and ARM.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement

from dependencies.lock_file import (
    BENCH,
    CPU_LOCK,
    CUDA_LOCK,
    DEV,
    ROOT,
    RUNTIME,
    TOOLS,
    WEB,
    LockedPackage,
    LockFile,
    lock_text,
    locked_packages,
)  # fmt: skip

PYTHON_VERSION = "3.11"
CUDA = re.compile(r"(nvidia|cuda)-|triton$")
"""Names of the packages that only CUDA builds of torch need. They are in a lock file of their own."""
CPU_BUILD = LockedPackage(
    Requirement(
        "torch==2.13.0+cpu ; sys_platform == 'linux' and platform_machine == 'x86_64' and python_version == '3.11'"
    ),
    ("6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",),
)
"""The CPU build that PyTorch publishes itself. It needs no CUDA packages, which have gigabytes. It has a lock file of
its own: pip prefers a file whose hash the index names, so with both in one file it may take the CUDA build."""


def lock(upgrade: str = "") -> None:
    """Write all lock files. Versions stay as they are, except those of `upgrade`: a package, `all`, or nobody.

    Raises SystemExit if no versions fit together, or if CPU_BUILD is of another version than torch.
    """
    everything = _resolve(DEV, upgrade)
    check_cpu_build(everything)
    web, runtime, bench = (_names(lock_file, everything) for lock_file in (WEB, RUNTIME, BENCH))
    cuda = {package.name for package in everything if CUDA.match(package.name)}
    _write(WEB, (package for package in everything if package.name in web))
    _write(RUNTIME, (package for package in everything if package.name in runtime - web - cuda))
    _write(BENCH, (package for package in everything if package.name in bench - runtime - cuda))
    _write(DEV, (package for package in everything if package.name not in bench | cuda))
    _write(TOOLS, _resolve(TOOLS, upgrade))
    source = "dependencies/lock.py"
    CPU_LOCK.write_text(lock_text("The build of torch that is installed if pip finds it", source, [CPU_BUILD]))
    cuda_packages = [package for package in everything if package.name in cuda]
    CUDA_LOCK.write_text(lock_text("What CUDA builds of torch need besides", RUNTIME.requirements, cuda_packages))


def check_cpu_build(packages: Iterable[LockedPackage]) -> None:
    """Check that CPU_BUILD is of the locked version of torch. Raises SystemExit if not."""
    version = CPU_BUILD.version.partition("+")[0]
    for package in packages:
        if package.name == CPU_BUILD.name and package.version != version:
            raise SystemExit(
                f"iqs: CPU_BUILD in dependencies/lock.py is torch {version}, but the version is now {package.version}; "
                f"enter the version and SHA-256 of PyTorch's CPU build of {package.version}"
            )


def versions_to_keep(lock_file: LockFile, upgrade: str) -> str:
    """Return the pins of today in the environment of a lock file, which uv keeps where it can, without `upgrade`."""
    paths = [TOOLS.path] if lock_file is TOOLS else [WEB.path, RUNTIME.path, CUDA_LOCK, BENCH.path, DEV.path]
    packages = [package for path in paths if path.exists() for package in locked_packages(path.read_text())]
    return "".join(f"{package.requirement}\n" for package in packages if upgrade not in ("all", package.name))


def _resolve(lock_file: LockFile, upgrade: str) -> list[LockedPackage]:
    """Return all packages that a requirements file needs on any system, with the hashes of their files."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "all.lock"
        output.write_text(versions_to_keep(lock_file, upgrade))
        _uv(lock_file, "--generate-hashes", "--output-file", str(output))
        return list(locked_packages(output.read_text()))


def _names(lock_file: LockFile, everything: Iterable[LockedPackage]) -> set[str]:
    """Return the names of the packages that a requirements file needs, at the versions of `everything`."""
    with TemporaryDirectory() as folder:
        pins = Path(folder) / "pins.txt"
        pins.write_text("".join(f"{package.requirement}\n" for package in everything))
        text = _uv(lock_file, "--constraints", str(pins))
        return {package.name for package in locked_packages(text)}


def _uv(lock_file: LockFile, *options: str) -> str:
    """Return what `uv pip compile` prints. Raises SystemExit, after uv's own message, if it fails."""
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--python-version",
        PYTHON_VERSION,
    ]
    command += ["--only-binary", ":all:", "--no-header", "--no-annotate", *options, lock_file.requirements]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"iqs: found no versions for {lock_file.requirements}")
    return done.stdout


def _write(lock_file: LockFile, packages: Iterable[LockedPackage]) -> None:
    text = lock_text(lock_file.title, lock_file.requirements, packages)
    lock_file.path.write_text(text)


if __name__ == "__main__":
    lock(*sys.argv[1:])

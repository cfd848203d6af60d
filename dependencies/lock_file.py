"""The lock files: what they contain, and how one is read and written."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
CPU_LOCK = ROOT / "requirements-cpu.lock"
CUDA_LOCK = ROOT / "requirements-cuda.lock"


@dataclass(frozen=True)
class LockFile:
    """A lock file, the requirements that it is made from, and the lock file whose packages it adds to."""

    name: str
    requirements: str
    title: str
    extends: str | None = None

    @property
    def path(self) -> Path:
        """Return the lock file."""
        return ROOT / self.name


WEB = LockFile("requirements-web.lock", "requirements-web.txt", "What the web pages need")
RUNTIME = LockFile("requirements.lock", "requirements.txt", "What the models need besides", "requirements-web.lock")
BENCH = LockFile(
    "requirements-bench.lock", "requirements-bench.txt", "What the benchmarks need besides", "requirements.lock"
)
DEV = LockFile(
    "requirements-dev.lock", "requirements-dev.txt", "What developers need besides", "requirements-bench.lock"
)
TOOLS = LockFile("requirements-tools.lock", "requirements-tools.txt", "The tools of lock files, SBOM and audit")
LOCK_FILES = (WEB, RUNTIME, BENCH, DEV, TOOLS)


@dataclass(frozen=True)
class LockedPackage:
    """One package of a lock file."""

    requirement: Requirement
    """Name and exact version, with a marker if only some systems need the package."""
    hashes: tuple[str, ...]
    """SHA-256 of each file of the version, in hexadecimal digits."""

    @property
    def name(self) -> str:
        """Return the name in the form that package indexes compare: lower case, with hyphens."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """Return the exact version."""
        return str(self.requirement.specifier).removeprefix("==")

    def is_needed_here(self) -> bool:
        """Return whether this Python on this system needs the package."""
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def locked_packages(text: str) -> Iterator[LockedPackage]:
    """Yield the packages of the text of a lock file."""
    for line in text.replace("\\\n", " ").splitlines():
        if line and not line.startswith(("#", "-")):
            requirement, *hashes = re.split(r"\s+--hash=sha256:", line.strip())
            yield LockedPackage(Requirement(requirement), tuple(hashes))


def lock_read(lock: LockFile) -> list[LockedPackage]:
    """Return the packages of a lock file and of those that it extends."""
    packages = list(locked_packages(lock.path.read_text()))
    below = next((other for other in LOCK_FILES if other.name == lock.extends), None)
    return [*lock_read(below), *packages] if below else packages


def lock_text(title: str, source: str, packages: Iterable[LockedPackage]) -> str:
    """Return the text of a lock file, with packages and hashes in alphabetical order."""
    lines = [f"# {title}: exact versions and the SHA-256 of each file.", f"# `make lock` writes it from {source}."]
    lines += ["--only-binary :all:"]
    for package in sorted(packages, key=lambda package: (package.name, str(package.requirement))):
        lines.append(" \\\n    --hash=sha256:".join([_line(package.requirement), *sorted(package.hashes)]))
    return "\n".join(lines) + "\n"


def _line(requirement: Requirement) -> str:
    name = f"{canonicalize_name(requirement.name)}{requirement.specifier}"
    return f"{name} ; {requirement.marker}" if requirement.marker else name

"""The lock files agree with requirements*.txt, with the installed packages and with the licences page."""

import re
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dependencies.lock_file import (
    BENCH,
    CPU_LOCK,
    CUDA_LOCK,
    DEV,
    LOCK_FILES,
    ROOT,
    RUNTIME,
    TOOLS,
    WEB,
    LockedPackage,
    LockFile,
    lock_read,
    lock_text,
    locked_packages,
)  # fmt: skip

PATHS = [*(lock.path for lock in LOCK_FILES), CPU_LOCK, CUDA_LOCK]
EXAMPLE = """# A comment
--only-binary :all:
some-name==1.2 ; python_full_version < "3.12" \\
    --hash=sha256:aa \\
    --hash=sha256:bb
other==3
"""


def requirements_of(lock: LockFile) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / lock.requirements).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-r")]


def needed(roots: list[Requirement]) -> set[str]:
    """Return the names of all packages that requirements install here, by what the installed packages say."""
    waiting = [(canonicalize_name(root.name), extra) for root in roots for extra in ("", *root.extras)]
    found = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) not in found:
            found.add((name, extra))
            for need in map(Requirement, requires(name) or ()):
                if need.marker is None or need.marker.evaluate({"extra": extra}):
                    waiting += [(canonicalize_name(need.name), other) for other in ("", *need.extras)]
    return {name for name, _extra in found}


def locked_here(lock: LockFile) -> dict[str, LockedPackage]:
    return {package.name: package for package in lock_read(lock) if package.is_needed_here()}


def test_a_lock_file_is_read_and_written() -> None:
    first, second = locked_packages(EXAMPLE)
    assert (first.name, first.version, first.hashes) == ("some-name", "1.2", ("aa", "bb"))
    assert str(first.requirement.marker) == 'python_full_version < "3.12"'
    assert (second.name, second.hashes, second.is_needed_here()) == ("other", (), True)
    assert list(locked_packages(lock_text("Title", "a.txt", [second, first]))) == [second, first]


@pytest.mark.parametrize("lock", LOCK_FILES, ids=lambda lock: lock.name)
def test_every_requirement_is_locked_at_its_version(lock: LockFile) -> None:
    locked = {package.name: package.version for package in lock_read(lock)}
    wanted = requirements_of(lock)
    assert wanted
    assert [str(one) for one in wanted if f"=={locked.get(canonicalize_name(one.name))}" != str(one.specifier)] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_every_locked_package_has_one_version_and_hashes_and_no_address(path: Path) -> None:
    packages = list(locked_packages(path.read_text()))
    assert packages
    for package in packages:
        assert [specifier.operator for specifier in package.requirement.specifier] == ["=="], package.requirement
        assert package.hashes, package.requirement
        assert all(re.fullmatch("[0-9a-f]{64}", one) for one in package.hashes), package.requirement
    options = [line for line in path.read_text().splitlines() if line.startswith("-")]
    assert options == ["--only-binary :all:"], "no address of an index; no package runs code of its own to be built"
    assert not re.search(r"://|@", path.read_text())


@pytest.mark.parametrize("lock", [WEB, RUNTIME, BENCH, DEV], ids=lambda lock: lock.name)
def test_a_lock_file_has_all_packages_that_are_needed_and_no_others(lock: LockFile) -> None:
    roots = requirements_of(lock)
    if lock is not WEB:
        roots += requirements_of(WEB)
    if lock in (BENCH, DEV):
        roots += requirements_of(RUNTIME)
    if lock is DEV:
        roots += requirements_of(BENCH)
    cuda = {package.name for package in locked_packages(CUDA_LOCK.read_text())}
    assert set(locked_here(lock)) == needed(roots) - cuda


def test_the_installed_packages_have_the_locked_versions() -> None:
    """Run `make setup-dev` if this fails."""
    for name, package in locked_here(DEV).items():
        assert distribution(name).version.partition("+")[0] == package.version, name


def test_no_package_is_in_two_lock_files_of_one_environment() -> None:
    packages = [*map(str, (package.requirement for package in lock_read(DEV)))]
    cuda = {package.name for package in locked_packages(CUDA_LOCK.read_text())}
    assert len(packages) == len(set(packages))
    assert not cuda & {package.name for package in [*lock_read(DEV), *lock_read(TOOLS)]}


def test_the_cpu_build_has_the_version_of_torch_and_a_hash_of_its_own() -> None:
    """With both hashes in one file, pip may prefer the CUDA build, because the index names its hash."""
    (build,) = locked_packages(CPU_LOCK.read_text())
    torch = next(package for package in lock_read(RUNTIME) if package.name == "torch")
    assert (build.name, build.version) == ("torch", f"{torch.version}+cpu")
    assert not set(build.hashes) & set(torch.hashes)


def test_the_licences_page_lists_the_locked_packages() -> None:
    """`python docs/licences.py` writes the page."""
    text = (ROOT / "docs/reference/licences.md").read_text()
    listed = dict(re.findall(r"^\| \*{0,2}([^ *|]+)\*{0,2} \| ([^ |]+) \|", text, re.MULTILINE))
    del listed["package"]
    assert listed == {name: package.version for name, package in locked_here(RUNTIME).items()}


def test_only_the_installer_calls_pip_install() -> None:
    """Every other call could install a file that nobody has checked."""
    for name in ("Makefile", "Dockerfile", ".ci/run", "docker-compose.yml"):
        assert not re.search(r"pip3?\s+(install|download|wheel)", (ROOT / name).read_text()), name
    locks = re.findall(
        r"dependencies/install\.py (?:--no-compile )?(requirements[a-z-]*\.lock)", (ROOT / "Makefile").read_text()
    )
    assert set(locks) == {lock.name for lock in LOCK_FILES}
    assert "python dependencies/install.py requirements-web.lock requirements.lock" in (ROOT / "Dockerfile").read_text()

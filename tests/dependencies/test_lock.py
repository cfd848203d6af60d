"""How the lock files are made. `make lock` itself needs an index of packages, so the tests do not run it."""

import pytest

from dependencies import lock
from dependencies.lock_file import DEV, RUNTIME, TOOLS, locked_packages


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, True) for name in ("nvidia-cublas", "nvidia-cudnn-cu13", "cuda-toolkit", "triton")),
        *((name, False) for name in ("torch", "numpy", "triton-client", "nvidiasmi", "barracuda-x")),
    ],
)
def test_packages_of_cuda_are_recognised(name: str, expected: bool) -> None:
    assert bool(lock.CUDA.match(name)) is expected


def test_a_cpu_build_of_another_version_stops_with_one_sentence() -> None:
    (newer,) = locked_packages("torch==99.0 --hash=sha256:aa\n")
    with pytest.raises(
        SystemExit, match=r"CPU_BUILD .* is torch [0-9.]+, but the version is now 99\.0; enter .* SHA-256"
    ):
        lock.check_cpu_build([newer])


def test_the_cpu_build_fits_the_lock_file() -> None:
    lock.check_cpu_build(locked_packages(RUNTIME.path.read_text()))


@pytest.mark.parametrize(
    ("upgrade", "django", "ruff"), [("", True, True), ("django", False, True), ("all", False, False)]
)
def test_versions_stay_unless_they_are_upgraded(upgrade: str, django: bool, ruff: bool) -> None:
    kept = {package.name for package in locked_packages(lock.versions_to_keep(DEV, upgrade))}
    assert ("django" in kept, "ruff" in kept) == (django, ruff)


def test_the_tools_keep_versions_of_their_own() -> None:
    kept = {package.name for package in locked_packages(lock.versions_to_keep(TOOLS, ""))}
    assert "uv" in kept
    assert "django" not in kept

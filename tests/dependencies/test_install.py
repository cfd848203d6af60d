"""What pip may install. The packages are small wheels that the tests make, in a folder instead of an index."""

import hashlib
import os
import shutil
import subprocess
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import packaging
import pip
import pytest

from dependencies import install
from dependencies.lock_file import ROOT

WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
Installer = Callable[[str], subprocess.CompletedProcess[str]]


def wheel(folder: Path, name: str, version: str, needs: str = "", *, parts: int = 0) -> str:
    """Write a wheel with an empty module and return its SHA-256. `parts`: files in a folder of the same name."""
    info = f"{name}-{version}.dist-info"
    files = {f"{name}.py": "", f"{info}/WHEEL": WHEEL, f"{info}/METADATA": metadata(name, version, needs)}
    files = {f"{name}_parts/part_{number}.py": "" for number in range(parts)} | files
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"]))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def metadata(name: str, version: str, needs: str = "") -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + (f"Requires-Dist: {needs}\n" if needs else "")


@pytest.fixture
def run(tmp_path: Path) -> Installer:
    """Return a function that writes requirements.lock and installs it into an environment that has only pip."""
    shutil.copy(ROOT / "dependencies/install.py", tmp_path)
    (tmp_path / "wheels").mkdir()
    venv.create(tmp_path / "environment", symlinks=True)
    (tmp_path / "modules").mkdir()
    for module in (pip, packaging):
        (tmp_path / "modules" / module.__name__).symlink_to(Path(module.__path__[0]))
    # Packages come from the folder only, whatever the machine's settings of pip say.
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "wheels", "PIP_CONFIG_FILE": os.devnull, "PIP_CONSTRAINT": ""}
    environment = os.environ | settings | {"PYTHONPATH": "modules"}

    def run(lock: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "requirements.lock").write_text(lock)
        command = ["environment/bin/python", "install.py", "requirements.lock"]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def installed(folder: Path) -> set[str]:
    return {path.name.removesuffix(".dist-info") for path in (folder / "environment").rglob("*.dist-info")}


def test_a_file_with_the_locked_hash_is_installed(tmp_path: Path, run: Installer) -> None:
    digest = wheel(tmp_path / "wheels", "apple", "1.0")
    done = run(f"apple==1.0 --hash=sha256:{digest}\n")
    assert (done.returncode, installed(tmp_path)) == (0, {"apple-1.0"}), done.stderr


@pytest.mark.parametrize("option", [f" --hash=sha256:{'0' * 64}", ""])
def test_a_file_with_another_or_no_locked_hash_is_refused(tmp_path: Path, run: Installer, option: str) -> None:
    wheel(tmp_path / "wheels", "apple", "1.0")
    done = run(f"apple==1.0{option}\n")
    assert done.returncode == 1
    assert "hash" in done.stderr.lower()
    assert installed(tmp_path) == set()


def test_the_cpu_build_of_torch_is_preferred(tmp_path: Path, run: Installer) -> None:
    digest = wheel(tmp_path / "wheels", "torch", "2.0")
    cpu = wheel(tmp_path / "wheels", "torch", "2.0+cpu")
    (tmp_path / install.CPU_LOCK).write_text(f"torch==2.0+cpu --hash=sha256:{cpu}\n")
    done = run(f"# The app\ntorch==2.0 --hash=sha256:{digest}\n")
    assert (done.returncode, installed(tmp_path)) == (0, {"torch-2.0+cpu"}), done.stderr


def test_without_a_cpu_build_torch_gets_the_cuda_packages(tmp_path: Path, run: Installer) -> None:
    digest = wheel(tmp_path / "wheels", "torch", "2.0", needs="cuda")
    cuda = wheel(tmp_path / "wheels", "cuda", "13.0")
    (tmp_path / install.CPU_LOCK).write_text(f"torch==2.0+cpu --hash=sha256:{'0' * 64}\n")
    (tmp_path / install.CUDA_LOCK).write_text(f"cuda==13.0 --hash=sha256:{cuda}\n")
    done = run(f"# The app\ntorch==2.0 --hash=sha256:{digest}\n")
    assert (done.returncode, installed(tmp_path)) == (0, {"torch-2.0", "cuda-13.0"}), done.stderr


def test_a_cpu_build_with_another_hash_is_refused_and_nothing_replaces_it(tmp_path: Path, run: Installer) -> None:
    digest = wheel(tmp_path / "wheels", "torch", "2.0")
    wheel(tmp_path / "wheels", "torch", "2.0+cpu")
    (tmp_path / install.CPU_LOCK).write_text(f"torch==2.0+cpu --hash=sha256:{'0' * 64}\n")
    done = run(f"# The app\ntorch==2.0 --hash=sha256:{digest}\n")
    assert done.returncode == 1
    assert "hash" in done.stderr.lower()
    assert installed(tmp_path) == set()


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ("", False),
        ("pip", False),
        ("no-such-package", True),
        ("no-such-package; sys_platform == 'no-such-system'", False),
        ("no-such-package; extra == 'fast'", False),
    ],
)
def test_missing_requirements_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, needs: str, expected: bool
) -> None:
    (tmp_path / "apple-1.0.dist-info").mkdir()
    (tmp_path / "apple-1.0.dist-info/METADATA").write_text(metadata("apple", "1.0", needs))
    monkeypatch.syspath_prepend(tmp_path)
    assert install.has_missing_requirements("apple") is expected


def test_a_package_that_is_not_installed_misses_nothing() -> None:
    assert install.has_missing_requirements("no-such-package") is False

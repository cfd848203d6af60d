"""Web processes do not import the libraries of the workers, because that takes memory and time."""

import subprocess
import sys

import pytest

ROOTS = ["iqs_site.urls", "annotation.tasks", "inference.tasks", "training.tasks"]


@pytest.fixture(scope="module")
def imported_modules() -> set[str]:
    """Return the names of all modules that a web process with all pages imports."""
    code = (
        "import importlib, sys, django; django.setup(); "
        f"[importlib.import_module(name) for name in {ROOTS!r}]; "
        "print(*sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return set(finished.stdout.split())


@pytest.mark.parametrize("library", ["torch", "onnxruntime", "scipy", "sklearn", "skimage"])
def test_web_processes_do_not_import(library: str, imported_modules: set[str]) -> None:
    assert "annotation.models" in imported_modules
    assert library not in imported_modules

"""Web processes do not import the libraries of the workers, which would cost memory and seconds."""

import subprocess
import sys

import pytest

ROOTS = ["iqs_site.urls", "annotation.tasks", "inference.tasks", "training.tasks"]


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Return the names of the modules that a web process has imported with all pages."""
    code = (
        "import importlib, sys, django; django.setup(); "
        f"[importlib.import_module(name) for name in {ROOTS!r}]; "
        "print(*sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return set(finished.stdout.split())


@pytest.mark.parametrize("heavy", ["torch", "onnxruntime", "scipy", "sklearn", "skimage"])
def test_web_processes_do_not_import(heavy: str, loaded: set[str]) -> None:
    assert "annotation.models" in loaded
    assert heavy not in loaded

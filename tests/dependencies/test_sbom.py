"""The software bill of materials lists what the app needs, with versions, licences and the needs of each package."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from dependencies.lock_file import ROOT, RUNTIME, lock_read
from dependencies.sbom import app_only

TOOLS_PYTHON = ROOT / ".venv/tools/bin/python"  # `make setup-tools` creates it


def component(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "bom-ref": f"{name}==1", "version": "1", **fields}


def test_only_packages_of_the_app_are_listed_with_a_licence_and_what_they_need() -> None:
    listed = {
        "metadata": {"component": {"bom-ref": "app"}},
        "components": [
            component("Django", licenses=[{"license": {"id": "BSD-3-Clause"}}]),
            component("asgiref"),
            component("pytest"),
        ],
        "dependencies": [
            {"ref": "app"},
            {"ref": "Django==1", "dependsOn": ["asgiref==1", "pytest==1"]},
            {"ref": "asgiref==1"},
            {"ref": "pytest==1", "dependsOn": ["asgiref==1"]},
        ],
    }
    result = app_only(listed)
    assert [one["name"] for one in result["components"]] == ["Django", "asgiref"]
    assert [one["licenses"] for one in result["components"]] == [
        [{"license": {"id": "BSD-3-Clause"}}],
        [{"license": {"name": "BSD-3-Clause"}}],
    ]
    assert result["dependencies"] == [
        {"ref": "app", "dependsOn": ["Django==1"]},
        {"ref": "Django==1", "dependsOn": ["asgiref==1"]},
        {"ref": "asgiref==1"},
    ]


def make_sbom(output: Path, python: str) -> subprocess.CompletedProcess[str]:
    command = [TOOLS_PYTHON, "-m", "dependencies.sbom", python, output]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_sbom_of_this_environment_has_exactly_the_locked_packages(tmp_path: Path) -> None:
    done = make_sbom(tmp_path / "iqs.cdx.json", sys.executable)
    assert done.returncode == 0, done.stderr
    listed = json.loads((tmp_path / "iqs.cdx.json").read_text())
    assert (listed["bomFormat"], listed["metadata"]["component"]["name"]) == ("CycloneDX", "iqs")
    locked = {package.name: package.version for package in lock_read(RUNTIME) if package.is_needed_here()}
    components = {canonicalize_name(one["name"]): one for one in listed["components"]}
    assert {name: one["version"].partition("+")[0] for name, one in components.items()} == locked
    assert [name for name, one in components.items() if not one["licenses"]] == []
    assert [name for name, one in components.items() if not one["purl"].startswith(f"pkg:pypi/{name}@")] == []


@pytest.mark.slow
def test_an_environment_that_lacks_packages_gets_no_sbom(tmp_path: Path) -> None:
    done = make_sbom(tmp_path / "iqs.cdx.json", str(TOOLS_PYTHON))
    assert done.returncode == 1
    assert "lacks amqp, " in done.stderr
    assert "run make setup" in done.stderr
    assert not (tmp_path / "iqs.cdx.json").exists()

"""Writes a software bill of materials (SBOM) of the app: `make sbom`.

cyclonedx-bom lists the packages of an environment. The result has only those that the app needs, also when the
environment has the packages of developers too. It is the same for the same packages: it has no date and no number.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dependencies.lock_file import CUDA_LOCK, ROOT, RUNTIME, WEB, lock_read, locked_packages

LICENCES = ROOT / "docs" / "reference" / "licences.md"


def sbom(python: Path, output: Path) -> None:
    """Write the SBOM of the environment of an interpreter as CycloneDX JSON, checked against its schema.

    Raises SystemExit if cyclonedx-bom cannot read the environment, or if it lacks a package of the lock file.
    """
    from cyclonedx.schema import SchemaVersion  # the tools have it, the environment of the tests does not
    from cyclonedx.validation.json import JsonStrictValidator

    listed = app_only(_environment(python))
    missing = {package.name for package in lock_read(RUNTIME) if package.is_needed_here()} - _names(listed)
    if missing:
        raise SystemExit(f"iqs: {python} lacks {', '.join(sorted(missing))}; run make setup")
    text = json.dumps(listed, indent=2, ensure_ascii=False) + "\n"
    if error := JsonStrictValidator(SchemaVersion.from_version(listed["specVersion"])).validate_str(text):
        raise SystemExit(f"iqs: the SBOM breaks the schema of CycloneDX: {error}")
    output.write_text(text)
    print(f"iqs: {output} lists {len(listed['components'])} packages")


def app_only(listed: dict[str, Any]) -> dict[str, Any]:
    """Return an SBOM with only the packages of the app, what each needs, and a licence for each."""
    cuda = {package.name for package in locked_packages(CUDA_LOCK.read_text())}
    wanted = {package.name for package in lock_read(RUNTIME)} | cuda
    components = [one for one in listed["components"] if canonicalize_name(one["name"]) in wanted]
    licences = _licences()
    for component in components:
        name = canonicalize_name(component["name"])
        if not component.get("licenses") and name in licences:
            component["licenses"] = [{"license": {"name": licences[name]}}]
    references: dict[str, str] = {
        canonicalize_name(component["name"]): component["bom-ref"] for component in components
    }
    direct = {references[name] for name in _direct() if name in references}
    app = listed["metadata"]["component"]["bom-ref"]
    dependencies: list[dict[str, Any]] = [{"ref": app, "dependsOn": sorted(direct)}]
    for one in listed["dependencies"]:
        if one["ref"] in references.values():
            needs = [other for other in one.get("dependsOn", ()) if other in references.values()]
            dependencies.append({"ref": one["ref"], **({"dependsOn": needs} if needs else {})})
    return listed | {"components": components, "dependencies": dependencies}


def _environment(python: Path) -> dict[str, Any]:
    """Return the SBOM of all packages of an environment, as cyclonedx-bom writes it."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", str(ROOT / "pyproject.toml")]
    # It is checked when it is complete. Until then it has no direct requirements, which gives a warning.
    command += ["--no-validate", "--output-reproducible", "--output-format", "JSON", str(python)]
    environment = os.environ | {"PYTHONWARNINGS": "ignore::UserWarning"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stderr}iqs: cyclonedx-bom cannot read the environment of {python}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _names(listed: dict[str, Any]) -> set[str]:
    return {canonicalize_name(component["name"]) for component in listed["components"]}


def _direct() -> set[str]:
    """Return the names in the requirements of the web pages and of the models."""
    texts = ((ROOT / lock.requirements).read_text() for lock in (WEB, RUNTIME))
    lines = (line.partition("#")[0].strip() for text in texts for line in text.splitlines())
    return {canonicalize_name(Requirement(line).name) for line in lines if line and not line.startswith("-r")}


def _licences() -> dict[str, str]:
    """Return the licence of each package in docs/reference/licences.md. Some packages name theirs in a file only."""
    rows = re.findall(r"^\| \*{0,2}([^ *|]+)\*{0,2} \| [^ |]+ \| ([^|]+) \|$", LICENCES.read_text(), re.MULTILINE)
    return dict(rows)


if __name__ == "__main__":
    sbom(Path(sys.argv[1]), Path(sys.argv[2]))

"""Looks for known vulnerabilities of the packages in the lock files: `make audit`, or `make audit SERVICE=osv`.

pip-audit asks the service. It also succeeds when the service knows none of the packages. That is no answer, so this
file counts what was really checked.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dependencies.lock_file import BENCH, CUDA_LOCK, DEV, ROOT, RUNTIME, TOOLS, WEB, locked_packages

AUDITED = ((WEB.path, RUNTIME.path, CUDA_LOCK, BENCH.path, DEV.path), (TOOLS.path,))
"""The lock files of each environment. The tools may have other versions than the app."""


def audit(service: str = "pypi") -> int:
    """Print what a vulnerability service knows about the locked packages: `pypi`, `osv` or `esms`.

    Returns the exit status: 0 if it knows no vulnerability, 1 if it knows one, 2 if packages could not be checked.
    """
    reports = []
    for locks in AUDITED:
        try:
            reports.append((_locked(locks), _ask(service, locks)))
        except ConnectionError as error:
            print(f"iqs: {error}\n{_no_result(service)}")
            return 2
    lines, status = result(service, reports)
    print("\n".join(lines))
    return status


def result(service: str, reports: list[tuple[set[str], list[dict[str, Any]]]]) -> tuple[list[str], int]:
    """Return the lines to print and the exit status, for the names of locked packages and what pip-audit reports."""
    total = len(set().union(*(locked for locked, _packages in reports)))
    unchecked: set[str] = set()
    lines: list[str] = []
    for locked, packages in reports:
        unchecked |= locked - {package["name"] for package in packages if "skip_reason" not in package}
        lines += _vulnerabilities(packages)
    status = 1 if lines else 2 if unchecked else 0
    if unchecked:
        names = "" if len(unchecked) == total else f": {', '.join(sorted(unchecked))}"
        return [
            *lines,
            f"iqs: {service} did not know {len(unchecked)} of {total} packages{names}",
            _no_result(service),
        ], status
    return [*lines, f"iqs: checked {total} packages, {len(lines)} known vulnerabilities"], status


def _vulnerabilities(packages: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each vulnerability in what pip-audit reports about packages."""
    for package in packages:
        for known in package.get("vulns", ()):
            fixed = ", ".join(known["fix_versions"]) or "no version yet"
            names = ", ".join([known["id"], *known.get("aliases", ())])
            yield f"{package['name']} {package['version']}: {names}; fixed in {fixed}"


def _ask(service: str, locks: tuple[Path, ...]) -> list[dict[str, Any]]:
    """Return what pip-audit reports about each package. Raises ConnectionError if it reports nothing."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    command += ["--format", "json", "--vulnerability-service", service]
    command += [part for lock in locks for part in ("--requirement", str(lock))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        lines = done.stderr.strip().splitlines() or ["pip-audit reported nothing"]
        raise ConnectionError(lines[-1]) from None
    return packages


def _locked(locks: tuple[Path, ...]) -> set[str]:
    """Return the names of the packages of lock files that this system needs. pip-audit looks at no others."""
    return {package.name for lock in locks for package in locked_packages(lock.read_text()) if package.is_needed_here()}


def _no_result(service: str) -> str:
    return (
        f"iqs: packages that were not checked may be vulnerable. Run make audit where the service {service} can be "
        "reached, or choose another with SERVICE=pypi, osv or esms."
    )


if __name__ == "__main__":
    sys.exit(audit(*sys.argv[1:]))

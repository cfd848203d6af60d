"""An audit says that packages have no known vulnerability only if a service knows all of them."""

import json
import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from dependencies.audit import result
from dependencies.lock_file import ROOT

APPLE = {"name": "apple", "version": "1.0", "vulns": []}
WORM = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["1.1", "2.0"]}
UNKNOWN = {"name": "pear", "skip_reason": "not found"}
BOTH = {"apple", "pear"}


def test_all_packages_are_known_and_clean() -> None:
    assert result("pypi", [({"apple"}, [APPLE])]) == (["iqs: checked 1 packages, 0 known vulnerabilities"], 0)


@pytest.mark.parametrize("vulns", [[WORM], [WORM, {"id": "PYSEC-2", "fix_versions": []}]])
def test_vulnerabilities_have_a_line_each(vulns: list[dict[str, Any]]) -> None:
    lines, status = result("pypi", [({"apple"}, [APPLE | {"vulns": vulns}])])
    expected = ["apple 1.0: PYSEC-1, CVE-1; fixed in 1.1, 2.0", "apple 1.0: PYSEC-2; fixed in no version yet"]
    assert lines[:-1] == expected[: len(vulns)]
    assert (lines[-1], status) == (f"iqs: checked 1 packages, {len(vulns)} known vulnerabilities", 1)


@pytest.mark.parametrize("packages", [[APPLE, UNKNOWN], [APPLE]])
def test_a_package_that_was_not_checked_is_no_clean_result(packages: list[dict[str, Any]]) -> None:
    lines, status = result("pypi", [(BOTH, packages)])
    assert (lines[0], status) == ("iqs: pypi did not know 1 of 2 packages: pear", 2)


def test_a_service_that_knows_nothing_is_no_clean_result() -> None:
    lines, status = result("pypi", [({"pear"}, [UNKNOWN]), ({"pear"}, [UNKNOWN])])
    assert (lines[0], status) == ("iqs: pypi did not know 1 of 1 packages", 2)


def test_a_vulnerability_counts_more_than_an_unknown_package() -> None:
    assert result("pypi", [(BOTH, [APPLE | {"vulns": [WORM]}, UNKNOWN])])[1] == 1


class Service(BaseHTTPRequestHandler):
    """A vulnerability service with the protocol of OSV, which knows one vulnerability, of Django."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = {
            "id": "PYSEC-1",
            "aliases": [],
            "affected": [
                {
                    "package": {"ecosystem": "PyPI", "name": "django"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
                }
            ],
        }
        body = json.dumps({"vulns": [known]} if asked["package"]["name"] == "django" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Print nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def audit(address: str) -> subprocess.CompletedProcess[str]:
    command = [ROOT / ".venv/tools/bin/python", "-m", "dependencies.audit", "osv"]  # `make setup-tools` creates it
    environment = os.environ | {"PIP_AUDIT_OSV_URL": address}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_every_locked_package_is_looked_up(service: str) -> None:
    done = audit(service)
    *found, last = done.stdout.splitlines()
    assert [line.partition(":")[0].partition(" ")[0] for line in found] == ["django"], done.stdout + done.stderr
    assert found[0].endswith("PYSEC-1; fixed in 99.0")
    assert last.startswith("iqs: checked ")
    assert done.returncode == 1


@pytest.mark.slow
def test_a_service_that_does_not_answer_is_named_in_the_message(service: str) -> None:
    done = audit(service.replace("http:", "https:"))  # the server speaks no TLS
    assert done.returncode == 2
    assert "Run make audit where the service osv can be reached" in done.stdout
    assert "known vulnerabilities" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr

"""From a fresh clone to the first page, the first rating and a complete demo: `make run`, as a newcomer starts it.

`make run` serves pages before the packages of the models are installed. The baseline installs everything first
(`make setup`) and then does the same. Both begin without an environment and with an empty cache of pip, so downloads
count. IQS_BENCH_ROUNDS: how often each is measured (2), in alternating order; the shortest time counts.

With `--tiny` nothing is cloned or installed: both use this environment, up to the first rating.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx

from benchmarks._claims import Claim, DataMissing, Setting

ROOT = Path(__file__).parents[1]
_AT_MOST = 1800.0  # seconds for one start
_LOOK_SECONDS = 0.2
_STOP_SECONDS = 60
_COMPLETE = "every photo has a prediction"


@dataclass(frozen=True)
class Start:
    """Seconds from the first command to the first page, to the first rating, and to predictions of all demo photos."""

    page: float
    rating: float
    complete: float


def measure(setting: Setting) -> Iterator[Claim]:
    """Measure starts of a fresh clone. Raises DataMissing without git."""
    if not setting.tiny and not (shutil.which("git") and (ROOT / ".git").exists()):
        raise DataMissing("newcomer clones this repository, so it needs git and a working copy.")
    rounds = 1 if setting.tiny else int(os.environ.get("IQS_BENCH_ROUNDS", "2"))
    pages_first: list[Start] = []
    all_first: list[Start] = []
    for number in range(rounds):
        for found, everything in sorted(((pages_first, False), (all_first, True)), key=lambda one: one[1] ^ number % 2):
            found.append(_start(setting, everything=everything))
    for field, words, target in (
        ("page", "the first page", 1.3),
        ("rating", "the first rating", 1.3),
        ("complete", "predictions of all demo photos", 0.8),
    ):
        if setting.tiny and field == "complete":
            return
        ours, theirs = (min(getattr(start, field) for start in starts) for starts in (pages_first, all_first))
        yield Claim(
            claim=f"From a fresh clone to {words}: {ours:.0f} s",
            value=theirs / ours,
            unit="times as fast",
            baseline=f"installing everything first: {theirs:.0f} s",
            target=target,
            key=f"newcomer-{field}",
        )


def _start(setting: Setting, *, everything: bool) -> Start:
    """Measure one start in an empty folder. `everything`: install all packages before the site is started."""
    with tempfile.TemporaryDirectory(prefix="iqs-newcomer-") as name:
        folder = Path(name)
        port = _free_port()
        data = folder / "var"
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("IQS_", "MAKE"))}
        for key in ("DATABASE_URL", "REDIS_URL", "VIRTUAL_ENV", "PYTHONPATH", "PORT", "DJANGO_SETTINGS_MODULE"):
            environment.pop(key, None)
        environment |= {"IQS_VAR": str(data), "PIP_CACHE_DIR": str(folder / "pip-cache")}
        code = ROOT if setting.tiny else folder / "iqs"
        if not setting.tiny:
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(code)], check=True)
        if setting.tiny:
            command = [sys.executable, "manage.py", "quickstart", "--port", str(port)]
        else:
            make = f"make run PORT={port}"
            command = ["/bin/sh", "-c", f"make setup && {make}" if everything else make]
        begin = time.monotonic()
        with (folder / "output").open("wb") as output:
            options = {"cwd": code, "env": environment, "stdout": output, "stderr": subprocess.STDOUT}
            process = subprocess.Popen(command, start_new_session=True, **options)  # type: ignore[call-overload]
            try:
                return _followed(process, f"http://127.0.0.1:{port}", data, begin, is_short=setting.tiny)
            except RuntimeError as error:
                text = (folder / "output").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{error}\n{text}") from error
            finally:
                _stop(process)


def _followed(process: subprocess.Popen[bytes], url: str, data: Path, begin: float, *, is_short: bool) -> Start:
    """Wait for each step of a start. `is_short`: only up to the first rating."""

    def wait(what: str) -> None:
        if process.poll() is not None:
            raise RuntimeError(f"the start ended before {what}.")
        if time.monotonic() - begin > _AT_MOST:
            raise RuntimeError(f"{what} did not come within {_AT_MOST:.0f} s.")
        time.sleep(_LOOK_SECONDS)  # polls another process

    while not _answers(url):
        wait("the first page")
    page = time.monotonic() - begin
    _rate(url, data)
    rating = time.monotonic() - begin
    while not is_short and _COMPLETE not in _text(data / "log" / "demo.log"):
        wait("the last prediction")
    return Start(page, rating, time.monotonic() - begin)


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/accounts/login/", timeout=10).is_success
    return False


def _rate(url: str, data: Path) -> None:
    """Log in as the demo's annotator and rate the first photo."""
    from iqs_site.demo.site_client import SiteClient

    password = json.loads((data / "demo_accounts.json").read_text())["annotator"]
    with SiteClient(url, "annotator", password) as client:
        lease = client.post_json("/api/campaigns/demo/leases", {"count": 1})["leases"][0]
        client.get(lease["url"])
        answer = {"client_id": str(uuid4()), "image_id": lease["image_id"], "lease_id": lease["lease_id"]}
        client.post_json("/api/campaigns/demo/annotations", answer | {"watch": "no", "score": 5, "milliseconds": 2000})


def _text(file: Path) -> str:
    with suppress(OSError):
        return file.read_text(errors="replace")
    return ""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a start as Ctrl-C does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

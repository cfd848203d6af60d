"""Whole instances with real servers, workers and signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from django.conf import settings

from iqs_site.supervision import Instance, programs

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


@pytest.fixture
def instance(own_servers: None, tmp_path: Path) -> Iterator[Instance]:
    with Instance(tmp_path / "var") as running:
        yield running


def eventually(holds: Callable[[], bool], seconds: float = 40) -> bool:
    """Return whether something that other processes bring about came true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.2)  # polls other processes
    return False


def workers_seen_by(instance: Instance) -> set[str]:
    code = (
        "import django; django.setup(); from iqs_site.workers import workers_alive; "
        "print(*(worker.name.partition('@')[0] for worker in workers_alive()))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], env=instance.environment, capture_output=True, text=True, check=True
    )
    return set(finished.stdout.split())


def of_folder(folder: Path) -> list[psutil.Process]:
    """Return the processes that have the folder in their command line or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and str(folder) in " ".join(
                [*process.cmdline(), *process.environ().values()]
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_an_instance_serves_heals_and_leaves_nothing_behind(own_servers: None, tmp_path: Path) -> None:
    folder = tmp_path / "var"
    with Instance(folder) as instance:
        assert httpx.get(f"{instance.url}/accounts/login/").status_code == 200
        assert eventually(lambda: workers_seen_by(instance) == {"inference", "training"})
        for name in (*programs(host="", port=0), "broker"):
            assert instance.pids(name), f"{name} does not run"

        killed = instance.pids("worker-inference")[0]
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda: instance.pids("worker-inference") not in ([], [killed]))

        # A worker that lost its broker finds the next one by itself.
        os.kill(instance.pids("broker")[0], signal.SIGKILL)
        assert eventually(lambda: workers_seen_by(instance) == {"inference", "training"})
        swept = instance.log("worker-training").read_text().count("training.tasks.sweep")
        assert eventually(lambda: instance.log("worker-training").read_text().count("training.tasks.sweep") > swept + 1)
    assert of_folder(folder) == []


def quickstart(folder: Path, *words: str) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    return subprocess.Popen(
        [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "quickstart", "--no-demo", *words],
        env=environment | {"IQS_VAR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until_ready(process: subprocess.Popen[str]) -> str:
    """Return the address that the start prints."""
    assert process.stdout is not None
    for line in process.stdout:
        if "IQS is ready" in line:
            return line.split()[-1]
    raise AssertionError("the start ended without an address")


def test_a_start_is_stopped_by_ctrl_c_keeps_its_data_and_refuses_a_second(own_servers: None, tmp_path: Path) -> None:
    folder = tmp_path / "var"
    first = quickstart(folder, "--port", "0")
    url = until_ready(first)
    assert httpx.get(f"{url}/health").json() == {"ok": True}

    second = quickstart(folder, "--port", "0")
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "running already" in said
    assert "Traceback" not in said

    first.send_signal(signal.SIGINT)
    said, _ = first.communicate(timeout=60)
    assert "the data is kept" in said
    assert of_folder(folder) == []

    again = quickstart(folder, "--port", "0")
    until_ready(again)
    # Killed without a chance to clean up: whatever it started goes with it, and the next start works.
    again.kill()
    again.communicate()
    assert eventually(lambda: [p for p in of_folder(folder) if "postgres" not in p.name()] == [])
    last = quickstart(folder, "--port", "0")
    until_ready(last)
    last.send_signal(signal.SIGTERM)
    last.communicate(timeout=60)
    assert of_folder(folder) == []


def test_a_broken_database_folder_is_one_sentence(own_servers: None, tmp_path: Path) -> None:
    data = tmp_path / "var" / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    process = quickstart(tmp_path / "var", "--port", "0")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the embedded database in" in said
    assert "Traceback" not in said

"""Complete instances with real servers, workers and signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from django.conf import settings as django_settings

from iqs_site.instance.supervisor import Instance, programs
from iqs_site.workers import workers_alive
from tests.waiting import SECONDS, wait_for

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(autouse=True)
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("IQS_SWEEP_SECONDS", "2")  # short, because the test waits until the sweep finds lost work


def eventually(holds: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Return whether a condition on other processes becomes true in time."""
    try:
        return bool(wait_for(holds, "", seconds=seconds))
    except AssertionError:
        return False


def processes_of(folder: Path) -> list[psutil.Process]:
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


def oldest_process(folder: Path, word: str) -> psutil.Process:
    """Return the oldest process of the folder that has the word in its command line."""
    return min(
        (process for process in processes_of(folder) if word in process.cmdline()), key=psutil.Process.create_time
    )


def test_an_instance_restarts_killed_programs_and_leaves_no_process_behind(settings: Any, tmp_path: Path) -> None:
    folder = tmp_path / "v a r"  # a name that each of the servers has to quote
    with Instance(folder) as instance:
        settings.REDIS_URL = instance.environment["REDIS_URL"]

        def workers() -> set[str]:
            return {worker.name.partition("@")[0] for worker in workers_alive()}

        def sweeps(worker: str) -> int:
            return instance.log(worker).read_text().count(".tasks.sweep")

        def both_continue() -> bool:
            before = {name: sweeps(name) for name in ("worker-inference", "worker-training")}
            return eventually(lambda: all(sweeps(name) > count + 1 for name, count in before.items()))

        assert httpx.get(f"{instance.url}/accounts/login/").status_code == 200
        script = httpx.get(f"{instance.url}/static/js/annotate/annotate.js")
        assert script.headers["content-encoding"] == "gzip"
        assert (
            script.text == (Path(django_settings.BASE_DIR) / "static" / "js" / "annotate" / "annotate.js").read_text()
        )
        assert eventually(lambda: workers() == {"inference", "single", "training"})
        for name in (*programs(host="", port=0), "broker"):
            assert instance.pids(name), f"{name} is not running"
        web, worker = (psutil.Process(instance.pids(name)[0]).nice() for name in ("web", "worker-inference"))
        assert worker > web, "workers have a lower priority than pages"
        started = [instance.pids(name)[0] for name in programs(host="", port=0)]
        assert [os.getsid(process) for process in started] == started, "each program has a session of its own"

        killed = instance.pids("worker-inference")[0]
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda: instance.pids("worker-inference") not in ([], [killed]))
        assert any(line.startswith("worker-inference died and was restarted") for line in instance.status_changes())
        assert both_continue()

        # Workers connect to the restarted broker and continue.
        os.kill(instance.pids("broker")[0], signal.SIGKILL)
        assert both_continue()
        assert eventually(lambda: workers() == {"inference", "single", "training"})
    assert processes_of(folder) == []


def quickstart(folder: Path, port: int = 0, **environment: str) -> "subprocess.Popen[str]":
    command = [str(Path(django_settings.BASE_DIR) / "manage.py"), "quickstart", "--no-demo", "--port", str(port)]
    return subprocess.Popen(
        [sys.executable, *command],
        env=os.environ | {"IQS_VAR": str(folder)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until_ready(process: "subprocess.Popen[str]") -> str:
    """Return the address that quickstart prints."""
    assert process.stdout is not None
    for line in process.stdout:
        if "IQS is ready" in line:
            return line.split()[-1]
    raise AssertionError("quickstart ended without printing an address")


def error_message(process: "subprocess.Popen[str]") -> str:
    """Wait for a quickstart that fails; return the last line of its output."""
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "Traceback" not in output
    return output.splitlines()[-1]


def test_quickstart_can_be_stopped_and_killed_and_refuses_to_run_twice(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    first = quickstart(folder)
    url = wait_until_ready(first)
    port = int(url.rpartition(":")[2])
    assert httpx.get(f"{url}/health").json() == {"ok": True}
    with psycopg.connect(oldest_process(folder, "gunicorn").environ()["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    assert f"IQS is already running at {url} with the data in {folder}" in error_message(quickstart(folder))
    assert f"port {port} on 127.0.0.1 cannot be used" in error_message(quickstart(tmp_path / "other", port))

    first.send_signal(signal.SIGINT)
    output, _ = first.communicate(timeout=SECONDS)
    assert "Your data is kept" in output
    assert processes_of(folder) == []

    # A killed quickstart cannot stop its programs: the supervisor and the PostgreSQL watchdog stop them.
    killed = quickstart(folder, port)
    wait_until_ready(killed)
    killed.kill()
    killed.communicate()
    assert eventually(lambda: processes_of(folder) == []), [process.cmdline() for process in processes_of(folder)]

    # A quickstart that is killed together with its supervisor leaves programs behind, which use the port.
    second = quickstart(folder, port)
    wait_until_ready(second)
    left_behind = [oldest_process(folder, "gunicorn"), oldest_process(folder, "--unixsocket")]
    second.kill()
    oldest_process(folder, str(Path(django_settings.BASE_DIR) / "iqs_site" / "instance" / "supervisord.py")).kill()
    second.communicate()
    assert all(process.is_running() for process in left_behind)

    third = quickstart(folder, port)
    assert wait_until_ready(third) == url
    assert not any(process.is_running() for process in left_behind)
    with psycopg.connect(oldest_process(folder, "gunicorn").environ()["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)

    # The second Ctrl-C stops everything at once.
    log = folder / "log" / "supervisord.log"
    old_size = len(log.read_text())
    third.send_signal(signal.SIGINT)
    assert eventually(lambda: "received SIGTERM" in log.read_text()[old_size:])
    third.send_signal(signal.SIGINT)
    third.communicate(timeout=SECONDS)
    assert processes_of(folder) == []


def test_the_error_for_a_broken_database_folder_is_one_sentence(tmp_path: Path) -> None:
    data = tmp_path / "var" / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    message = error_message(quickstart(tmp_path / "var"))
    assert message.startswith(f"iqs: the embedded database in {data} does not start (")
    assert "postgresql.conf" in message


def test_a_supervisor_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, time; from iqs_site.instance.child_processes import die_with_parent; "
        "print(subprocess.Popen(['sleep', '600'], preexec_fn=die_with_parent).pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=django_settings.BASE_DIR, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    assert eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)

"""Embedded servers: addresses, handles, restarts and errors. All tests use a real database; see tests/database.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from iqs_site.instance import embedded


@pytest.fixture
def var(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("IQS_VAR", str(tmp_path))
    return tmp_path


def test_the_folder_of_an_instance_is_created(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IQS_VAR", str(tmp_path / "a" / "b"))
    assert embedded.var_folder() == tmp_path / "a" / "b"
    assert embedded.var_folder().is_dir()


def test_the_error_for_a_folder_that_cannot_be_created_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("IQS_VAR", str(tmp_path / "file" / "var"))
    with pytest.raises(embedded.EmbeddedError, match=r"file/var of IQS_VAR cannot be created \(Not a directory\)\.$"):
        embedded.var_folder()


def test_an_empty_variable_means_the_folder_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IQS_VAR", "")
    assert embedded.var_folder() == embedded.ROOT / "var"


def test_the_broker_address_of_a_running_instance_is_read_from_its_file(var: Path) -> None:
    embedded.broker_address_file(var).parent.mkdir()
    embedded.broker_address_file(var).write_text("unix:///tmp/x/valkey.sock")
    assert embedded.broker_address() == "unix:///tmp/x/valkey.sock"


def test_without_an_instance_the_broker_address_belongs_to_no_server(var: Path) -> None:
    address = embedded.broker_address()
    assert address.startswith("unix://")
    assert not Path(address.removeprefix("unix://")).exists()


@pytest.mark.parametrize(
    ("address", "for_celery"),
    [
        ("redis://:word@host:6379/3", "redis://:word@host:6379/3"),
        ("unix:///tmp/valkey.sock", "redis+socket:///tmp/valkey.sock?virtual_host=0"),
        ("unix:///tmp/valkey.sock?db=5", "redis+socket:///tmp/valkey.sock?virtual_host=5"),
    ],
)
def test_socket_addresses_are_converted_for_celery(address: str, for_celery: str) -> None:
    assert embedded.celery_broker(address) == for_celery


def test_handles_of_killed_processes_are_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    handles = tmp_path / ".handle_pids.json"
    handles.write_text(json.dumps([os.getpid(), ended.pid]))
    embedded._dead_handles_drop(tmp_path)
    assert json.loads(handles.read_text()) == [os.getpid()]


def test_handles_of_zombie_processes_do_not_count(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"], stdout=subprocess.PIPE)
    assert ended.stdout is not None
    ended.stdout.read()  # returns when the process ends; it is a zombie until `communicate`
    (tmp_path / ".handle_pids.json").write_text(json.dumps([ended.pid]))
    while psutil.Process(ended.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert embedded._handles_alive(tmp_path) == []
    ended.communicate()


def test_a_database_is_stopped_when_no_running_process_has_a_handle(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from iqs_site.instance import embedded; "
        "print(embedded.postgres_attach(Path(sys.argv[1])), flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=embedded.ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        assert not embedded.postgres_unused_stop(tmp_path)
        child.kill()
    psycopg.connect(url).close()  # the server is still running
    assert embedded.postgres_unused_stop(tmp_path)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert not embedded.postgres_unused_stop(tmp_path)


def test_a_killed_database_restarts_with_all_confirmed_writes(tmp_path: Path) -> None:
    url = embedded.postgres_attach(tmp_path)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    assert not embedded.postgres_is_dead(tmp_path)
    postmaster = psutil.Process(int((tmp_path / "postgres" / "postmaster.pid").read_text().split()[0]))
    postmaster.kill()
    psutil.wait_procs([postmaster], timeout=10)
    assert embedded.postgres_is_dead(tmp_path)

    # This runs in another process, like the watchdog, so that the handle of this process does not change.
    watchdog = embedded.ROOT / "iqs_site" / "instance" / "postgres_watchdog.py"
    subprocess.run([sys.executable, "-P", str(watchdog), str(tmp_path), "--restart"], check=True)

    with psycopg.connect(url) as connection:  # at the same address
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
    embedded.postgres_detach(tmp_path)
    assert not embedded.postgres_is_dead(tmp_path)  # the server was shut down, so it is not dead
    assert embedded._processes_in(tmp_path / "postgres") == []


@pytest.mark.parametrize("folder", ["with a space", "x" * 120])
def test_the_socket_folder_has_a_short_path_without_spaces(folder: str, tmp_path: Path) -> None:
    data, runtime = tmp_path / folder, tmp_path / "run"
    data.mkdir()
    chosen = embedded._socket_folder(data, runtime)
    assert chosen.parent == runtime
    assert chosen.is_dir()


def test_the_error_for_a_server_that_does_not_start_has_its_last_log_error(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("LOG:  starting\nFATAL:  data directory has wrong ownership\nHINT:  chown it\n")
    error = subprocess.CalledProcessError(1, ["pg_ctl"])
    assert "FATAL:  data directory has wrong ownership" in embedded._postgres_start_error(tmp_path, error)
    assert "Version mismatch" in embedded._postgres_start_error(tmp_path, RuntimeError("Version mismatch"))

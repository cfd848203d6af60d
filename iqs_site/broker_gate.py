"""Limits how long a request waits for the broker.

The broker can be down, hang, or stop in the middle of an answer. Socket timeouts do not help enough: they count again
for each command and for each piece of an answer. So a thread talks to the broker, and the request waits for the thread
only for a limited time. Nothing is lost when it gives up: all work is in the database, and the sweep finds it.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from django.core.signals import request_finished, request_started

REQUEST_SECONDS = 1.5  # what one request waits in all
PAUSE_SECONDS = 5.0  # after a wait without an answer, nobody waits for so long
_MOST_THREADS = 8  # of one process, that talk to the broker or hang

ResultT = TypeVar("ResultT")


class BrokerSilent(OSError):
    """The broker did not answer in time."""


class BrokerGate:
    """Talks to the broker for requests."""

    def __init__(self, *, request_seconds: float = REQUEST_SECONDS, pause_seconds: float = PAUSE_SECONDS) -> None:
        """Set the limits."""
        self._request_seconds, self._pause_seconds = request_seconds, pause_seconds
        self._silent_until = 0.0
        self._threads = threading.BoundedSemaphore(_MOST_THREADS)
        self._request = threading.local()

    @property
    def is_in_request(self) -> bool:
        """Return whether this thread answers a request."""
        return hasattr(self._request, "seconds_left")

    def request_begin(self, **kwargs: Any) -> None:
        """Note that this thread begins a request."""
        self._request.seconds_left = self._request_seconds

    def request_end(self, **kwargs: Any) -> None:
        """Note that this thread has finished a request."""
        if self.is_in_request:
            del self._request.seconds_left

    def run(self, work: Callable[[], ResultT], *, seconds: float = REQUEST_SECONDS) -> ResultT:
        """Return what `work` returns, or raise what it raises. It talks to the broker, in a thread.

        Raises BrokerSilent when it takes longer than `seconds` or than the request may still wait; and at once when the
        broker has just been silent, or too many threads wait for it. `work` may go on after that.
        """
        left = min(seconds, getattr(self._request, "seconds_left", seconds))
        if left <= 0 or time.monotonic() < self._silent_until or not self._threads.acquire(blocking=False):
            raise BrokerSilent("The broker did not answer.")
        outcome: Future[ResultT] = Future()
        # A daemon, so that a thread that hangs does not keep the process from its end.
        threading.Thread(target=self._work, args=(work, outcome), name="broker", daemon=True).start()
        begin = time.monotonic()
        done, _ = wait([outcome], timeout=left)
        now = time.monotonic()
        if self.is_in_request:
            self._request.seconds_left -= now - begin
        if not done:
            self._silent_until = now + self._pause_seconds
            raise BrokerSilent("The broker did not answer.")
        return outcome.result()

    def _work(self, work: Callable[[], ResultT], outcome: "Future[ResultT]") -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:
            outcome.set_exception(error)
        finally:
            self._threads.release()


gate = BrokerGate()
request_started.connect(gate.request_begin)
request_finished.connect(gate.request_end)

"""Keeps requests from waiting for the broker.

The broker can be down, hang, or stop in the middle of an answer. Socket timeouts do not help enough: they count again
for each command and for each piece of an answer. So only threads talk to the broker. A request hands over its messages
and goes on. For a question it waits a limited time, and not at all while the broker is known to be silent. Nothing is
lost with a message: all work is in the database, and the sweep finds it.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from django.core.signals import request_finished, request_started

logger = logging.getLogger(__name__)

REQUEST_SECONDS = 1.5  # what one request waits for answers in all
PAUSE_SECONDS = 5.0  # a silent broker is asked again so often, and no request waits for that
SLOW_SECONDS = 0.1  # an error that took longer counts as silence; a refused connection takes a millisecond
MOST_WAITING = 1_000  # messages that wait for the thread that sends them; more are dropped
_MOST_THREADS = 8  # of one process, that ask the broker or hang

ResultT = TypeVar("ResultT")


class BrokerSilent(OSError):
    """The broker did not answer in time."""


class BrokerGate:
    """Talks to the broker for requests."""

    def __init__(self, *, request_seconds: float = REQUEST_SECONDS, pause_seconds: float = PAUSE_SECONDS) -> None:
        """Set the limits."""
        self._request_seconds, self._pause_seconds = request_seconds, pause_seconds
        self._is_silent, self._ask_again_at = False, 0.0
        self._threads = threading.BoundedSemaphore(_MOST_THREADS)
        self._request = threading.local()
        self._messages: queue.Queue[Callable[[], Any]] = queue.Queue(MOST_WAITING)
        self._sender: threading.Thread | None = None
        self._starting = threading.Lock()

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

    def hand_over(self, send: Callable[[], Any]) -> None:
        """Let a thread call `send` soon, after what was handed over before; return at once.

        Raises BrokerSilent when too many messages wait. When one fails slowly, those that wait are dropped, so that
        old messages don't hold up new ones. The log says how many.
        """
        try:
            self._messages.put_nowait(send)
        except queue.Full:
            raise BrokerSilent("Too many messages wait for the broker.") from None
        with self._starting:
            if self._sender is None:
                self._sender = _daemon(self._messages_send)

    def run(self, work: Callable[[], ResultT], *, seconds: float = REQUEST_SECONDS) -> ResultT:
        """Return what `work` returns, or raise what it raises. It asks the broker, in a thread.

        Raises BrokerSilent when it takes longer than `seconds` or than the request may still wait; and at once when too
        many threads wait, or when the broker is silent. A silent broker is asked again from time to time, without
        waiting; so the first request after an answer finds it well.
        """
        left = min(seconds, getattr(self._request, "seconds_left", seconds))
        begin = time.monotonic()
        is_silent = self._is_silent
        if left <= 0 or (is_silent and begin < self._ask_again_at) or not self._threads.acquire(blocking=False):
            raise BrokerSilent("The broker did not answer.")
        self._ask_again_at = begin + self._pause_seconds
        outcome: Future[ResultT] = Future()
        _daemon(lambda: self._work(work, outcome))
        if is_silent:
            raise BrokerSilent("The broker has not answered for some time.")
        done, _ = wait([outcome], timeout=left)
        now = time.monotonic()
        if self.is_in_request:
            self._request.seconds_left -= now - begin
        if not done:
            self._is_silent, self._ask_again_at = True, now + self._pause_seconds
            raise BrokerSilent("The broker did not answer.")
        return outcome.result()

    def _work(self, work: Callable[[], ResultT], outcome: "Future[ResultT]") -> None:
        begin = time.monotonic()
        try:
            found = work()
        except BaseException as error:
            self._is_silent = time.monotonic() - begin > SLOW_SECONDS
            outcome.set_exception(error)
        else:
            self._is_silent = False
            outcome.set_result(found)
        finally:
            self._threads.release()

    def _messages_send(self) -> None:
        while True:
            send = self._messages.get()
            begin = time.monotonic()
            try:
                send()
            except Exception as error:
                dropped = 0
                while time.monotonic() - begin > SLOW_SECONDS and not self._messages.empty():
                    self._messages.get()
                    dropped += 1
                logger.info(
                    "The broker did not accept a message (%s). The sweep will find its work, and that of %d messages "
                    "behind it.",
                    error,
                    dropped,
                )


def _daemon(target: Callable[[], Any]) -> threading.Thread:
    """Start a thread that does not keep the process from its end when it hangs."""
    thread = threading.Thread(target=target, name="broker", daemon=True)
    thread.start()
    return thread


gate = BrokerGate()
request_started.connect(gate.request_begin)
request_finished.connect(gate.request_end)

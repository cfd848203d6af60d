"""Password hashing with a limit on how many run at the same time in a process.

One hash takes a core for about half a second. Without a limit, some log-ins at once hold every thread of the site.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils.translation import gettext

#: Hashes that run at the same time in one process, and callers that wait for their turn.
RUNNING, WAITING = 2, 2
WAIT_SECONDS = 3.0
RETRY_SECONDS = 5


class HashingBusy(Exception):
    """Too many passwords are checked at the moment. `seconds`: when to try again."""

    def __init__(self) -> None:
        super().__init__(gettext("Many people are logging in at the moment. Try again in a few seconds."))
        self.seconds = RETRY_SECONDS


class Turns:
    """Lets `running` callers work at the same time and `waiting` others wait for them."""

    def __init__(self, running: int, waiting: int, seconds: float) -> None:
        """Set the limits. `seconds`: how long a caller waits at most."""
        self._places = threading.BoundedSemaphore(running + waiting)
        self._running = threading.BoundedSemaphore(running)
        self._seconds = seconds

    @contextmanager
    def one(self) -> Iterator[None]:
        """Work inside the block. Raises HashingBusy when too many others wait, or the wait takes too long."""
        if not self._places.acquire(blocking=False):
            raise HashingBusy
        try:
            if not self._running.acquire(timeout=self._seconds):
                raise HashingBusy
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._places.release()


_turns = Turns(RUNNING, WAITING, WAIT_SECONDS)


class LimitedPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's default hasher. It hashes the same; only a few hashes run at the same time."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash. Raises HashingBusy."""
        with _turns.one():
            return super().encode(password, salt, iterations)

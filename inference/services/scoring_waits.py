"""Requests of programs that wait for the results of a scoring job. Each holds a thread of the web server."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from annotation.models import User
from inference.services.scoring_jobs import ScoringJob, scoring_job_find

# At most this many threads wait for a worker; further requests are answered at once.
_MOST_WAITERS = 4
#: Time between two looks. A look reads two small files, which takes less than a tenth of a millisecond.
_PAUSE_SECONDS = 0.01
_waiters: set[int] = set()  # users with a request that waits
_lock = threading.Lock()


def scoring_job_wait(*, user: User, key: str, seconds: float) -> ScoringJob | None:
    """Wait up to `seconds` until a user's own job is finished, and return its state.

    None if there is no such job. Returns at once when another request of the user waits, or too many requests.
    """
    until = time.monotonic() + seconds
    with waiting(user) as may_wait:
        job = scoring_job_find(user=user, key=key)
        while may_wait and job and job.waiting and time.monotonic() < until:
            time.sleep(_PAUSE_SECONDS)
            job = scoring_job_find(user=user, key=key)
    return job


@contextmanager
def waiting(user: User) -> Iterator[bool]:
    """Yield whether this request may wait for a worker: one request of each user, and few in all."""
    with _lock:
        may_wait = user.pk not in _waiters and len(_waiters) < _MOST_WAITERS
        if may_wait:
            _waiters.add(user.pk)
    try:
        yield may_wait
    finally:
        if may_wait:
            with _lock:
                _waiters.discard(user.pk)

"""The one loop that waits for what another thread or process does."""

import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 120.0  # at most: a busy machine needs many times as long as an idle one
PAUSE = 0.05  # seconds between two looks

T = TypeVar("T")


def wait_for(
    condition: Callable[[], T], what: str, *, pause: Callable[[float], object] = time.sleep, seconds: float = SECONDS
) -> T:
    """Call `condition` until it returns something true, and return that.

    `pause` waits for a number of seconds. Raises AssertionError with `what` after `seconds`.
    """
    until = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > until:  # only ends a test that would otherwise never end
            raise AssertionError(what)
        pause(PAUSE)
    return result

"""Limits the memory that the threads of one process use for decoded photos at the same time. Pure."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from annotation.photos.decoding_cost import Reserve


class ByteBudget:
    """A number of bytes that threads share. Threads that wait get their bytes in the order in which they asked.

    A photo that needs all bytes or more waits until no other is decoded, and is then decoded alone.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._waiting: deque[object] = deque()
        self._changed = Condition()

    @contextmanager
    def hold(self) -> Iterator[Reserve]:
        """Yield a function that waits until so many bytes are free and takes them. The end of the block returns them.

        Call the function once for each block: a thread that holds bytes and asks for more could wait for ever.
        """
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            assert not taken, "one reservation for each block"
            taken = self._take(min(size, self.total))

        try:
            yield take
        finally:
            with self._changed:
                self._free += taken
                self._changed.notify_all()

    def _take(self, size: int) -> int:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is ticket and self._free >= size)
                self._free -= size
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        return size

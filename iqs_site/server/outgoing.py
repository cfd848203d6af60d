"""A socket whose sender never waits: what the client does not take yet is kept, and sent when it does."""

import os
import socket
import tempfile
from collections import deque
from contextlib import suppress
from typing import IO, Any

_MEMORY_BYTES = 256 * 1024  # more waits in a temporary file
_PIECE_BYTES = 256 * 1024


class _Waiting:
    """Bytes of an open file that wait to be sent."""

    def __init__(self, file: IO[bytes] | int, offset: int, count: int) -> None:
        self.file, self.offset, self.count = file, offset, count

    def send(self, client: socket.socket) -> int:
        """Send what the client takes now. Return how many bytes it was. Raises BlockingIOError when it is none."""
        if isinstance(self.file, int):
            sent = os.sendfile(client.fileno(), self.file, self.offset, min(self.count, 1 << 20))
            if not sent:
                raise ConnectionAbortedError("The file has become shorter.")
        else:
            self.file.seek(self.offset)
            sent = client.send(self.file.read(min(self.count, _PIECE_BYTES)))
        self.offset += sent
        self.count -= sent
        return sent

    def append(self, data: memoryview) -> bool:
        """Add bytes. Return False when that is not possible."""
        if isinstance(self.file, int):
            return False
        self.file.seek(self.offset + self.count)
        self.file.write(data)
        self.count += len(data)
        return True

    def close(self) -> None:
        if isinstance(self.file, int):
            os.close(self.file)
        else:
            self.file.close()


class OutgoingSocket:
    """The socket of a client, with those methods of `socket.socket` that gunicorn uses to answer.

    `sendall` and `sendfile` return at once. `flush` sends more when the socket is ready.
    """

    def __init__(self, client: socket.socket) -> None:
        client.setblocking(False)
        self.socket = client
        #: The status to answer with, if the worker has refused the body of the request; else 0.
        self.refusal = 0
        #: Bytes sent since the last reset.
        self.sent = 0
        self._waiting: deque[_Waiting] = deque()

    def sendall(self, data: bytes) -> None:
        """Send bytes, or keep them. Raises OSError when the connection is lost."""
        view = memoryview(data)
        if not self._waiting or self.flush():
            with suppress(BlockingIOError):
                while view:
                    count = self.socket.send(view)
                    self.sent += count
                    view = view[count:]
        if view and not (self._waiting and self._waiting[-1].append(view)):
            file: IO[bytes] = tempfile.SpooledTemporaryFile(_MEMORY_BYTES)  # noqa: SIM115  # closed when it is sent
            self._waiting.append(_Waiting(file, 0, 0))
            self._waiting[-1].append(view)

    def send(self, data: bytes) -> int:
        """Send or keep all bytes, and return how many."""
        self.sendall(data)
        return len(data)

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        """Send a part of a file, or keep the file open until it is sent. Raises OSError for a lost connection."""
        whole = os.fstat(file.fileno()).st_size - offset if count is None else count
        if whole > 0:
            self._waiting.append(_Waiting(os.dup(file.fileno()), offset, whole))
            self.flush()
        return whole

    def flush(self) -> bool:
        """Send what the client takes now, and return whether nothing is left. Raises OSError for a lost connection."""
        with suppress(BlockingIOError):
            while self._waiting:
                first = self._waiting[0]
                self.sent += first.send(self.socket)
                if not first.count:
                    self._waiting.popleft().close()
        return not self._waiting

    def close(self) -> None:
        """Close the connection and forget what was not sent."""
        while self._waiting:
            self._waiting.popleft().close()
        with suppress(OSError):
            self.socket.close()

    def shutdown(self, how: int) -> None:
        """Refuse: only the worker ends a connection, after the last byte was sent."""
        raise OSError("The worker ends the connection.")

    def gettimeout(self) -> float:
        """Return 0: no call waits."""
        return 0.0

    def setblocking(self, blocking: Any) -> None:
        """Do nothing: no call waits."""

    def fileno(self) -> int:
        """Return the file descriptor of the connection."""
        return self.socket.fileno()

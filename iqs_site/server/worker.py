"""gunicorn's threaded worker, with one change: a thread gets a request when all its bytes are there, and is free again
when the application has answered. One loop per process receives and sends.

With gunicorn's own worker, 16 clients that announce a body and send none hold all 16 threads.
"""

import errno
import json
import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.http.errors import NoMoreData
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import create as environ_create
from gunicorn.workers.gthread import ThreadWorker

from iqs_site.server.outgoing import OutgoingSocket
from iqs_site.server.request_buffer import RequestBuffer, Stage

if TYPE_CHECKING:
    from iqs_site.request_limits import BodyLimit

#: Seconds for a whole head after its first byte.
HEAD_SECONDS = 10.0
#: Seconds that a body or an answer may take, and one more for each so many bytes.
BODY_SECONDS, BODY_BYTES_PER_SECOND = 10.0, 8 * 1024
ANSWER_SECONDS, ANSWER_BYTES_PER_SECOND = 20.0, 4 * 1024
#: Seconds in which the client of a refused body can read the answer.
LINGER_SECONDS = 10.0
_RECEIVE_BYTES = 64 * 1024
_RECEIVE_TIMES = 4  # then the others get their turn
_CHECK_SECONDS = 0.5
_OPEN_FILES = 4096
_TOO_SLOW = "The request did not arrive in time. Check your connection and try again."


class Phase(Enum):
    """What the loop does with a connection."""

    IDLE = auto()
    """It waits for the first byte of a request."""
    RECEIVING = auto()
    WORKING = auto()
    """A thread has it."""
    SENDING = auto()
    LINGERING = auto()
    """Everything is sent. What the client still sends is thrown away, until it closes the connection."""


class Connection:
    """The connection of a client."""

    def __init__(self, client_socket: socket.socket, client: Any, server: Any) -> None:
        self.sock = OutgoingSocket(client_socket)
        self.client, self.server = client, server
        self.phase = Phase.IDLE
        self.request: RequestBuffer | None = None
        self.since = time.monotonic()
        """When the phase began; for RECEIVING: when the head or the body began."""
        self.body_from = 0
        """Bytes received when the body began."""
        self.is_kept = False
        """Whether it stays open after the answer."""

    def is_late(self, now: float, idle_seconds: float, linger_seconds: float) -> bool:
        """Return whether the client has used up its time."""
        waited = now - self.since
        match self.phase:
            case Phase.IDLE:
                return waited > idle_seconds
            case Phase.RECEIVING if self.request is not None and self.request.stage is Stage.BODY:
                received = self.request.received - self.body_from
                return waited > BODY_SECONDS + received / BODY_BYTES_PER_SECOND
            case Phase.RECEIVING:
                return waited > HEAD_SECONDS
            case Phase.SENDING:
                return waited > ANSWER_SECONDS + self.sock.sent / ANSWER_BYTES_PER_SECOND
            case Phase.LINGERING:
                return waited > linger_seconds
        return False


class BufferingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """The worker class of gunicorn's command line. It speaks no TLS and no HTTP/2: a proxy does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections: set[Connection] = set()
        self._checked = 0.0
        self._idle_seconds, self._linger_seconds = float(self.cfg.keepalive), LINGER_SECONDS
        self.wsgi: Any = None
        self._body_limit: Callable[[str], BodyLimit]

    def init_process(self) -> None:
        """Allow as many open files as there are connections."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, _OPEN_FILES) if most > 0 else _OPEN_FILES, most))
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application. It finds in its environment whether the worker has refused the body."""
        super().load_wsgi()  # sets `wsgi`
        from iqs_site.request_limits import REFUSAL, body_limit  # needs Django's settings

        self._body_limit = body_limit
        application: Callable[..., Iterable[bytes]] = self.wsgi  # gunicorn has no types

        def with_refusal(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            refusal = getattr(environ.get("gunicorn.socket"), "refusal", 0)
            if refusal:
                environ[REFUSAL] = refusal
            return application(environ, start_response)

        self.wsgi = with_refusal

    # --- the loop ---------------------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection and wait for its request in the loop."""
        try:
            client_socket, client = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._oldest_close()
            elif error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED, errno.EINTR):
                raise
            return
        if self.nr_conns >= self.worker_connections - 1:
            self._oldest_close()
        with suppress(OSError):  # a local socket has no such option
            client_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(client_socket, client, listener.getsockname())
        self._connections.add(connection)
        self.nr_conns += 1
        self._request_begin(connection)

    def _request_begin(self, connection: Connection, rest: bytes = b"") -> None:
        connection.request = RequestBuffer(self._body_limit)
        self._phase_set(connection, Phase.IDLE)
        self._register(connection, selectors.EVENT_READ, self._receive)
        if rest:  # the client has sent its next request already
            self._feed(connection, rest)

    def _receive(self, connection: Connection, _socket: Any = None) -> None:
        """Read what has arrived."""
        if connection not in self._connections:  # closed by another event of the same round
            return
        for _ in range(_RECEIVE_TIMES):
            try:
                data = connection.sock.socket.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._close(connection)
                return
            self._feed(connection, data)
            if connection.phase is not Phase.RECEIVING or len(data) < _RECEIVE_BYTES:
                return

    def _feed(self, connection: Connection, data: bytes) -> None:
        request = connection.request
        assert request is not None
        if connection.phase is Phase.IDLE:
            self._phase_set(connection, Phase.RECEIVING)
        before = request.stage
        try:
            request.feed(data)
        except OSError as error:
            self.log.error("The body of a request cannot be stored: %s", error)
            request.refuse(507)
        self._continue(connection, before)

    def _continue(self, connection: Connection, before: Stage) -> None:
        """Do what the request needs next."""
        request = connection.request
        assert request is not None
        if request.stage is Stage.COMPLETE:
            self._submit(connection, self.handle, self.finish_request)
        elif request.stage is Stage.ADMISSION:
            self._submit(connection, self._is_admitted, self._admission_end)
        elif request.stage is Stage.BODY and before is not Stage.BODY:
            self._phase_set(connection, Phase.RECEIVING)
            connection.body_from = request.received
            if request.interim:
                with suppress(OSError):
                    connection.sock.sendall(request.interim)

    def _submit(self, connection: Connection, work: Callable[..., Any], then: Callable[..., None]) -> None:
        """Let a thread work on a connection, then go on with it in the loop."""
        self._unregister(connection)
        self._phase_set(connection, Phase.WORKING)
        future = self.tpool.submit(work, connection)
        future.add_done_callback(lambda done: self.method_queue.defer(then, connection, done))

    def _admission_end(self, connection: Connection, future: "Future[int]") -> None:
        if connection not in self._connections:  # closed meanwhile, because the worker stops
            return
        request = connection.request
        assert request is not None
        refusal = future.result() if not future.cancelled() and future.exception() is None else 503
        try:
            if refusal:
                request.refuse(refusal)
            else:
                self._phase_set(connection, Phase.RECEIVING)
                self._register(connection, selectors.EVENT_READ, self._receive)
                request.admit()
        except OSError:
            request.refuse(507)
        self._continue(connection, Stage.ADMISSION)

    def finish_request(self, conn: Connection, fs: "Future[bool]") -> None:
        """Send the rest of the answer. A thread has finished the request."""
        if fs.cancelled() or fs.exception() is not None:
            self._close(conn)
            return
        conn.is_kept = bool(fs.result())
        self._phase_set(conn, Phase.SENDING)
        conn.sock.sent = 0
        self._send(conn)

    def _send(self, connection: Connection, _socket: Any = None) -> None:
        if connection not in self._connections:  # closed by another event of the same round
            return
        try:
            is_sent = connection.sock.flush()
        except OSError:
            self._close(connection)
            return
        if not is_sent:
            self._register(connection, selectors.EVENT_WRITE, self._send)
            return
        self._unregister(connection)
        assert connection.request is not None
        rest = connection.request.rest
        connection.request.close()
        if connection.is_kept and (self.alive or not rest):
            self._request_begin(connection, rest)
            return
        with suppress(OSError):
            connection.sock.socket.shutdown(socket.SHUT_WR)
        self._phase_set(connection, Phase.LINGERING)
        self._register(connection, selectors.EVENT_READ, self._discard)

    def _discard(self, connection: Connection, _socket: Any = None) -> None:
        try:
            is_over = not connection.sock.socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            is_over = True
        if is_over:
            self._close(connection)

    def murder_pending(self) -> None:
        """End the requests of clients that are too slow. The loop calls this at least once a second."""
        now = time.monotonic()
        if now - self._checked < _CHECK_SECONDS:
            return
        self._checked = now
        limits = self._idle_seconds, self._linger_seconds
        for connection in [one for one in self._connections if one.is_late(now, *limits)]:
            if connection.phase is Phase.RECEIVING:
                self._too_slow(connection)
            else:
                self._close(connection)

    def murder_keepalived(self, force: bool = False) -> None:
        """Close every connection, if forced."""
        if force:
            for connection in list(self._connections):
                self._close(connection)

    def _cap_keepalive(self, deadline: float) -> None:
        """Close connections that wait for their client at the deadline, because the worker stops."""
        left = max(0.0, deadline - time.monotonic())
        self._idle_seconds, self._linger_seconds = min(self._idle_seconds, left), min(self._linger_seconds, left)
        for connection in self._connections:
            if connection.phase is Phase.IDLE:
                connection.since = time.monotonic()

    def _too_slow(self, connection: Connection) -> None:
        request = connection.request
        assert request is not None
        is_api = request.path.startswith("/api/")
        body = json.dumps({"detail": _TOO_SLOW}) if is_api else _TOO_SLOW
        kind = "application/json" if is_api else "text/plain; charset=utf-8"
        head = f"HTTP/1.1 408 Request Timeout\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        try:
            connection.sock.sendall(f"{head}Connection: close\r\n\r\n{body}".encode())
        except OSError:
            self._close(connection)
            return
        self._unregister(connection)
        request.refuse(408)
        connection.is_kept = False
        self._phase_set(connection, Phase.SENDING)
        self._send(connection)

    def _oldest_close(self) -> None:
        """Make room: close the connection that has waited longest for its client."""
        order = (Phase.LINGERING, Phase.IDLE, Phase.RECEIVING, Phase.SENDING)
        waiting = [one for one in self._connections if one.phase in order]
        if waiting:
            self._close(min(waiting, key=lambda one: (order.index(one.phase), one.since)))

    def _close(self, connection: Connection) -> None:
        if connection not in self._connections:
            return
        self._unregister(connection)
        self._connections.discard(connection)
        self.nr_conns -= 1
        if connection.request is not None:
            connection.request.close()
        connection.sock.close()

    def _phase_set(self, connection: Connection, phase: Phase) -> None:
        connection.phase, connection.since = phase, time.monotonic()

    def _register(self, connection: Connection, events: int, callback: Callable[..., None]) -> None:
        target = connection.sock.socket
        data = partial(callback, connection)
        if target in self.poller.get_map():
            self.poller.modify(target, events, data)
        else:
            self.poller.register(target, events, data)

    def _unregister(self, connection: Connection) -> None:
        with suppress(KeyError, ValueError):
            self.poller.unregister(connection.sock.socket)

    # --- in a thread ------------------------------------------------------------------------------

    def handle(self, conn: Connection) -> bool:
        """Answer a complete request. Return whether the connection stays open."""
        request, parsed = conn.request, None
        assert request is not None
        conn.sock.refusal = request.refusal
        try:
            parsed = next(RequestParser(self.cfg, request.pieces(), conn.client))
            return bool(self.handle_request(parsed, conn)) and not request.refusal
        except (NoMoreData, StopIteration):
            return False
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
                self.log.exception("Socket error processing request.")
            return False
        except Exception as error:
            self.handle_error(parsed, conn.sock, conn.client, error)
            return False

    def _is_admitted(self, conn: Connection) -> int:
        """Return 0 when the sender may send its long body, else the status of the refusal."""
        from iqs_site.request_limits import large_body_refusal

        assert conn.request is not None
        parsed = next(RequestParser(self.cfg, iter([conn.request.head_only()]), conn.client))
        _, environ = environ_create(parsed, conn.sock, conn.client, conn.server, self.cfg)
        return large_body_refusal(environ)

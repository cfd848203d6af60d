"""Collects the bytes of a request until it is complete, so that no thread has to wait for a slow client.

This is no HTTP parser: it only finds the end of a request. gunicorn parses the collected bytes, and rejects what it
does not accept. A request with a chunked body is passed on with its decoded length, so gunicorn does not see how the
body was sent. Everything about the length of a body that another program could read differently is refused here. If a
proxy and this server find different ends, a part of one body becomes the next request (RFC 9112, sections 6 and 11.2).
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import h11

if TYPE_CHECKING:
    from iqs_site.request_limits import BodyLimit

#: gunicorn's limits allow longer heads, but no browser sends one.
MOST_HEAD_BYTES = 64 * 1024
#: A longer body goes to a temporary file.
_MEMORY_BYTES = 64 * 1024
_PIECE_BYTES = 64 * 1024

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE)
_CODING = re.compile(rb"\r\ntransfer-encoding[ \t]*:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect[ \t]*:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
# Nothing may stand between such a name and its colon: other programs then read another name.
_SPACE_BEFORE_COLON = re.compile(rb"\r\n(?:content-length|transfer-encoding)[ \t]+:", re.IGNORECASE)
# What ends a chunked body: the last chunk, and perhaps trailers, which are ignored. h11 also takes lines that end
# without a carriage return.
_LAST_CHUNK = re.compile(rb"(?:\A|\r\n)0+(?:;[^\r\n]*)?\r\n(?:[^\s:]+:[^\r\n]*\r\n)*\r\n\Z")
_LAST_CHUNK_BYTES = 4096
_CONNECTION = re.compile(rb"\r\nconnection[ \t]*:[^\r\n]*(?=\r\n)", re.IGNORECASE)
_FIRST_LINE = re.compile(rb"[A-Z]{1,20} /[!-~]{0,2000} HTTP/1\.[01](?=\r?\n)")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CHUNKED_HEAD = b"POST / HTTP/1.1\r\nhost: -\r\ntransfer-encoding: chunked\r\n\r\n"


class Stage(Enum):
    """What a request waits for."""

    HEAD = auto()
    ADMISSION = auto()
    """The head is there, and its body is so large that somebody has to decide whether to receive it."""
    BODY = auto()
    COMPLETE = auto()


class RequestBuffer:
    """The bytes of one request. `limit_of` gets the decoded path of the request."""

    def __init__(self, limit_of: "Callable[[str], BodyLimit]") -> None:
        self.stage = Stage.HEAD
        #: The status to answer with instead of the response of the application, or 0.
        self.refusal = 0
        self.head = b""
        #: Bytes received after the end of this request.
        self.rest = b""
        #: What to send to the client now, if it asked whether it may send the body.
        self.interim = b""
        self.received = 0
        self._limit_of = limit_of
        self._most = 0
        self._start = bytearray()
        self._body: IO[bytes] = tempfile.SpooledTemporaryFile(_MEMORY_BYTES)  # noqa: SIM115  # `close` closes it
        self._length = 0  # of a body without chunks
        self._chunks: h11.Connection | None = None
        self._chunks_end = b""  # the last bytes of the chunks so far

    @property
    def is_empty(self) -> bool:
        """Return whether no byte has arrived."""
        return not self.received

    @property
    def path(self) -> str:
        """Return the decoded path, or "" before the head is complete."""
        words = self.head.split(b"\r\n", 1)[0].split(b" ")
        return unquote_to_bytes(words[1].split(b"?")[0]).decode(errors="replace") if len(words) > 1 else ""

    @property
    def _is_http_1_0(self) -> bool:
        return self.head.split(b"\r\n", 1)[0].endswith(b"HTTP/1.0")

    def feed(self, data: bytes) -> None:
        """Add received bytes. Raises OSError when a long body cannot be stored."""
        self.received += len(data)
        if self.stage is Stage.HEAD:
            self._head_feed(data)
        elif self.stage is Stage.BODY:
            self._body_feed(data)
        else:
            self.rest += data

    def admit(self) -> None:
        """Receive the body that waits for an admission."""
        rest, self.rest, self.stage = self.rest, b"", Stage.BODY
        if _EXPECT.search(self.head) and not self._is_http_1_0:
            self.interim = _CONTINUE
        self._body_feed(rest)

    def refuse(self, status: int) -> None:
        """End the request without its body. The application answers with this status, and the connection closes."""
        self._body.close()
        self._body = tempfile.SpooledTemporaryFile(_MEMORY_BYTES)  # noqa: SIM115
        self.refusal, self.rest, self.stage = status, b"", Stage.COMPLETE
        # Without a body there must be no length either.
        head = _CONNECTION.sub(b"", _CODING.sub(b"", _LENGTH.sub(b"", self.head)))
        self.head = head.removesuffix(b"\r\n") + b"connection: close\r\n\r\n"

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the complete request."""
        yield _EXPECT.sub(b"", self.head)  # answered by this class
        self._body.seek(0)
        while piece := self._body.read(_PIECE_BYTES):
            yield piece

    def head_only(self) -> bytes:
        """Return the head as that of a request without a body."""
        return _EXPECT.sub(b"", _CODING.sub(b"", _LENGTH.sub(b"", self.head)))

    def close(self) -> None:
        """Delete the temporary file."""
        self._body.close()

    def _head_feed(self, data: bytes) -> None:
        searched = max(0, len(self._start) - len(_HEAD_END) + 1)
        self._start += data
        while self._start.startswith(b"\r\n"):  # some clients send an empty line after a body (RFC 9112, section 2.2)
            del self._start[:2]
            searched = 0
        end = self._start.find(_HEAD_END, searched)
        if end < 0:
            if len(self._start) > MOST_HEAD_BYTES:
                self._head_refuse(431)
            elif self._start.count(b"\n") != self._start.count(b"\r\n"):  # with bare line feeds it would never end
                self._head_refuse(400)
            return
        self.head = bytes(self._start[: end + len(_HEAD_END)])
        rest = bytes(self._start[end + len(_HEAD_END) :])
        self._start.clear()
        lengths, codings = _LENGTH.findall(self.head), _CODING.findall(self.head)
        if not lengths and not codings:
            self.stage, self.rest = Stage.COMPLETE, rest
            return
        if not self._is_clear(lengths, codings):
            self.refuse(400)
            return
        limit = self._limit_of(self.path)
        self._most = limit.most
        if codings:
            self._chunks = h11.Connection(h11.SERVER, MOST_HEAD_BYTES)
            self._chunks.receive_data(_CHUNKED_HEAD)
            self._chunks.next_event()
            is_free = limit.most <= limit.free
        else:
            self._length = int(lengths[0].lstrip(b"0")[:20] or b"0")
            if self._length > limit.most:
                self.refuse(413)
                return
            is_free = self._length <= limit.free
        self.rest = rest
        if is_free:
            self.admit()
        else:
            self.stage = Stage.ADMISSION

    def _is_clear(self, lengths: list[bytes], codings: list[bytes]) -> bool:
        """Return whether the head says in one way only how long the body is."""
        if len(lengths) + len(codings) != 1 or _SPACE_BEFORE_COLON.search(self.head):
            return False
        if codings:
            return codings[0].lower() == b"chunked" and not self._is_http_1_0
        return lengths[0].isdigit()

    def _head_refuse(self, status: int) -> None:
        """End a request whose head has no end. Only its first line is kept, if that can be read."""
        first = _FIRST_LINE.match(self._start)
        self.head = (first[0] if first else b"GET / HTTP/1.1") + b"\r\n\r\n"
        self._start.clear()
        self.refuse(status)

    def _body_feed(self, data: bytes) -> None:
        if self._chunks is not None:
            if data:  # for h11, no data is the end of the connection
                self._chunks_feed(data)
            return
        missing = self._length - self._body.tell()
        self._body.write(data[:missing])
        if len(data) >= missing:
            self.stage, self.rest = Stage.COMPLETE, data[missing:]

    def _chunks_feed(self, data: bytes) -> None:
        assert self._chunks is not None
        self._chunks.receive_data(data)
        self._chunks_end = (self._chunks_end + data)[-max(len(data), _LAST_CHUNK_BYTES) - _LAST_CHUNK_BYTES :]
        try:
            while (event := self._chunks.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Data):
                    self._body.write(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    self._chunks_finish(self._chunks.trailing_data[0])
                    return
                if self._body.tell() > self._most:
                    self.refuse(413)
                    return
        except h11.RemoteProtocolError:
            self.refuse(400)

    def _chunks_finish(self, rest: bytes) -> None:
        """End a chunked body. `rest`: what follows it."""
        if not _LAST_CHUNK.search(self._chunks_end[: len(self._chunks_end) - len(rest)]):
            self.refuse(400)
            return
        length = b"\r\ncontent-length: %d" % self._body.tell()
        self.head = _CODING.sub(length, self.head)
        self.stage, self.rest = Stage.COMPLETE, rest

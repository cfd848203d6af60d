"""The end of a request is found however its bytes are cut, and no more is kept than its address allows."""

import itertools

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqs_site.request_limits import BodyLimit
from iqs_site.server.request_buffer import MOST_HEAD_BYTES, RequestBuffer, Stage

LIMIT = BodyLimit(most=200, free=200)
LARGE = BodyLimit(most=200, free=10)


def buffer_with(*pieces: bytes, limit: BodyLimit = LIMIT) -> RequestBuffer:
    buffer = RequestBuffer(lambda path: limit)
    for piece in pieces:
        buffer.feed(piece)
    return buffer


def post(*headers: bytes, path: bytes = b"/x") -> bytes:
    return b"\r\n".join([b"POST " + path + b" HTTP/1.1", b"Host: a", *headers, b"", b""])


def whole(buffer: RequestBuffer) -> bytes:
    return b"".join(buffer.pieces())


@given(
    body=st.binary(max_size=200),
    following=st.binary(max_size=30),
    cuts=st.lists(st.integers(0, 400), max_size=6),
    is_chunked=st.booleans(),
)
def test_a_request_is_the_same_however_its_bytes_are_cut(
    body: bytes, following: bytes, cuts: list[int], is_chunked: bool
) -> None:
    length = b"Content-Length: %d" % len(body)
    if is_chunked:
        client = h11.Connection(h11.CLIENT)
        start = client.send(
            h11.Request(method="POST", target="/x", headers=[("Host", "a"), ("Transfer-Encoding", "chunked")])
        )
        data = client.send(h11.Data(data=body)) if body else b""
        sent = (start or b"") + (data or b"") + (client.send(h11.EndOfMessage()) or b"")
    else:
        sent = post(length) + body
    sent += following
    places = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    buffer = buffer_with(*(sent[begin:end] for begin, end in itertools.pairwise(places)))
    assert (buffer.stage, buffer.refusal) == (Stage.COMPLETE, 0)
    head, _, received = whole(buffer).partition(b"\r\n\r\n")
    assert received == body
    assert length.lower() in head.lower()
    assert b"chunked" not in head
    assert buffer.rest == following


def test_a_request_without_a_body_is_complete_after_its_head() -> None:
    buffer = buffer_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r", b"\nGET /2")
    assert (buffer.stage, whole(buffer), buffer.rest) == (
        Stage.COMPLETE,
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /2",
    )


def test_an_announced_body_over_the_limit_is_refused_before_it_comes() -> None:
    buffer = buffer_with(post(b"Content-Length: 201", b"Connection: keep-alive"))
    assert (buffer.stage, buffer.refusal) == (Stage.COMPLETE, 413)
    assert whole(buffer) == b"POST /x HTTP/1.1\r\nHost: a\r\nconnection: close\r\n\r\n"


def test_a_chunked_body_is_refused_when_it_passes_the_limit() -> None:
    buffer = buffer_with(post(b"Transfer-Encoding: chunked"))
    buffer.feed(b"64\r\n" + b"a" * 100 + b"\r\n")
    buffer.feed(b"64\r\n" + b"a" * 100 + b"\r\n")
    assert buffer.stage is Stage.BODY
    buffer.feed(b"1\r\na\r\n")
    assert (buffer.stage, buffer.refusal) == (Stage.COMPLETE, 413)


def test_damaged_chunks_are_refused() -> None:
    buffer = buffer_with(post(b"Transfer-Encoding: chunked"), b"nonsense\r\n\r\n")
    assert (buffer.stage, buffer.refusal) == (Stage.COMPLETE, 400)


@pytest.mark.parametrize("header", [b"Content-Length: 11", b"Transfer-Encoding: chunked"])
def test_a_long_body_waits_for_an_admission(header: bytes) -> None:
    buffer = buffer_with(post(header, b"Expect: 100-continue"), limit=LARGE)
    assert (buffer.stage, buffer.interim) == (Stage.ADMISSION, b"")
    buffer.admit()
    assert (buffer.stage, buffer.interim) == (Stage.BODY, b"HTTP/1.1 100 Continue\r\n\r\n")
    buffer.feed(b"b\r\nhello world\r\n0\r\n\r\n" if b"chunked" in header else b"hello world")
    assert buffer.stage is Stage.COMPLETE
    assert whole(buffer).endswith(b"\r\n\r\nhello world")
    assert b"100-continue" not in whole(buffer)


def test_a_body_that_came_with_its_head_is_kept_until_the_admission() -> None:
    buffer = buffer_with(post(b"Content-Length: 11") + b"hello world, next", limit=LARGE)
    assert buffer.stage is Stage.ADMISSION
    buffer.admit()
    assert (buffer.stage, buffer.rest) == (Stage.COMPLETE, b", next")


def test_a_refused_request_has_neither_body_nor_length() -> None:
    buffer = buffer_with(post(b"Content-Length: 11") + b"hello", limit=LARGE)
    buffer.refuse(401)
    assert (buffer.stage, buffer.refusal, buffer.rest) == (Stage.COMPLETE, 401, b"")
    assert whole(buffer) == post(b"connection: close")


@pytest.mark.parametrize(
    "headers",
    [
        [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        [b"Content-Length: 5", b"Content-Length: 6"],
        [b"Content-Length: +5"],
        [b"Content-Length: -5"],
        [b"Transfer-Encoding: gzip"],
        [b"Transfer-Encoding: chunked, chunked"],
    ],
)
def test_a_body_of_unclear_length_is_not_read(headers: list[bytes]) -> None:
    buffer = buffer_with(post(*headers) + b"hello")
    assert (buffer.stage, buffer.refusal, buffer.rest) == (Stage.COMPLETE, 400, b"")
    assert whole(buffer) == post(b"connection: close")


def test_an_endless_head_ends() -> None:
    for endless in (b"GET / HTTP/1.1\r\nX: " + b"a" * MOST_HEAD_BYTES, b"GET / HTTP/1.1\nHost: a\n\n"):
        assert buffer_with(endless).stage is Stage.COMPLETE


def test_the_limit_is_that_of_the_decoded_path() -> None:
    asked: list[str] = []
    buffer = RequestBuffer(lambda path: asked.append(path) or LIMIT)  # type: ignore[func-returns-value]
    buffer.feed(post(b"Content-Length: 1", path=b"/a%20b?c=/d"))
    assert asked == ["/a b"]

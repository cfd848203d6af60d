"""The end of a request is where gunicorn's own parser finds it, or the request is refused.

A proxy that finds another end would take a part of one body for the next request, or the other way round.
"""

from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import strategies as st

from iqs_site.request_limits import BodyLimit
from iqs_site.server.request_buffer import RequestBuffer, Stage

LIMIT = BodyLimit(most=10**6, free=10**6)
HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"


def of_gunicorn(pieces: Any) -> tuple[str, str, bytes] | None:
    """Return method, address and body as gunicorn reads them; None if it refuses the request."""
    try:
        request = next(RequestParser(Config(), iter(pieces), ("127.0.0.1", 1)))
        return request.method, request.uri, request.body.read()
    except (Exception, StopIteration):  # its parser has many kinds of errors
        return None


def of_this_server(*pieces: bytes) -> tuple[tuple[str, str, bytes] | None, bytes]:
    """Return what gunicorn reads from the collected request, and what follows it; None for a refused request."""
    buffer = RequestBuffer(lambda path: LIMIT)
    for piece in pieces:
        buffer.feed(piece)
    assert buffer.stage is Stage.COMPLETE
    return (None if buffer.refusal else of_gunicorn(buffer.pieces())), buffer.rest


LENGTHS = [
    *(
        b"5",
        b"05",
        b"0" * 25 + b"5",
        b"0",
        b"0" * 40,
        b"5\t",
        b"",
        b"+5",
        b"-5",
        b"0x5",
        b"5,5",
        b"5, 5",
        b"5 5",
        b"5;",
    ),
    *(b"\x0b5", b"\xa05", b"5_0", b"1e1", b"\xef\xbc\x95"),
]


@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_is_read_as_gunicorn_reads_it(length: bytes) -> None:
    sent = HEAD + b"Content-Length: " + length + b"\r\n\r\nhello" + NEXT
    read, rest = of_this_server(sent)
    assert read == of_gunicorn([sent])
    if read is not None:
        assert read[2] + rest == b"hello" + NEXT


@given(zeros=st.integers(0, 60), length=st.integers(0, 10**22))
def test_leading_zeros_do_not_change_a_length(zeros: int, length: int) -> None:
    buffer = RequestBuffer(lambda path: LIMIT)
    buffer.feed(HEAD + b"Content-Length: " + b"0" * zeros + b"%d\r\n\r\n" % length)
    expected = (Stage.COMPLETE, 413) if length > LIMIT.most else (Stage.BODY if length else Stage.COMPLETE, 0)
    assert (buffer.stage, buffer.refusal) == expected


UNCLEAR = {
    "both": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "both, the length first": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "one length twice": b"Content-Length: 5\r\nContent-Length: 5\r\n",
    "two codings": b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
    "a space before the colon of the coding": b"Transfer-Encoding : chunked\r\n",
    "a space before the colon of the length": b"Content-Length : 5\r\n",
    "another coding below": b"Transfer-Encoding: gzip, chunked\r\n",
    "no coding below": b"Transfer-Encoding: identity, chunked\r\n",
    "chunked twice": b"Transfer-Encoding: chunked, chunked\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n",
    "an empty coding": b"Transfer-Encoding:\r\n",
    "a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n",
    "a folded coding": b"Transfer-Encoding:\r\n chunked\r\n",
    "a folded length": b"Content-Length:\r\n 5\r\n",
    "a length in a folded line": b"X: a\r\n Content-Length: 5\r\n",
    "a length after a bare line feed": b"X: a\nContent-Length: 5\r\n",
    "a length after a bare carriage return": b"X: a\rContent-Length: 5\r\n",
    "a bare carriage return after a length": b"Content-Length: 5\rX: y\r\n",
    "a line without a colon": b"Content-Length\r\n",
}


@pytest.mark.parametrize("headers", UNCLEAR.values(), ids=UNCLEAR)
def test_a_request_of_unclear_length_is_refused_and_nothing_is_left_of_it(headers: bytes) -> None:
    for body in (CHUNKS, b"hello"):
        assert of_this_server(HEAD + headers + b"\r\n" + body + NEXT)[0] is None


def test_names_with_an_underscore_say_nothing_about_the_body() -> None:
    for header in (b"Content_Length: 5\r\n", b"Transfer_Encoding: chunked\r\n"):
        assert of_this_server(HEAD + header + b"\r\n" + NEXT) == (("POST", "/x", b""), NEXT)


def test_chunks_belong_to_http_1_1() -> None:
    sent = b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS
    assert of_this_server(b"POST /x HTTP/1.0\r\n" + sent)[0] is None
    assert of_this_server(b"POST /x HTTP/1.1\r\n" + sent)[0] == ("POST", "/x", b"hello")


CHUNKED = {
    "an extension": (b"5;a=b\r\nhello\r\n0;c\r\n\r\n", True),
    "upper case": (b"A\r\nhellohello\r\n0\r\n\r\n", True),
    "leading zeros": (b"0005\r\nhello\r\n000\r\n\r\n", True),
    "nothing": (b"0\r\n\r\n", True),
    "a trailer": (b"5\r\nhello\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\n", True),
    "a body that looks like an end": (b"c\r\na\r\n0\r\n\r\nb\r\nc\r\n0\r\n\r\n", True),
    "bare line feeds": (b"5\nhello\n0\n\n", False),
    "a bare line feed after the size": (b"5\nhello\r\n0\r\n\r\n", False),
    "a bare line feed after the data": (b"5\r\nhello\n0\r\n\r\n", False),
    "a bare line feed after a trailer": (b"5\r\nhello\r\n0\r\nX: 1\n\r\n", False),
    "a bare line feed at the end": (b"5\r\nhello\r\n0\r\n\n", False),
    "a bare line feed in an extension": (b"5;a\nb\r\nhello\r\n0\r\n\r\n", False),
    "a trailer without a colon": (b"5\r\nhello\r\n0\r\nnonsense\r\n\r\n", False),
    "a folded trailer": (b"5\r\nhello\r\n0\r\nX: 1\r\n 2\r\n\r\n", False),
    "a prefix": (b"0x5\r\nhello\r\n0\r\n\r\n", False),
    "a sign": (b"+5\r\nhello\r\n0\r\n\r\n", False),
    "a negative size": (b"-5\r\nhello\r\n0\r\n\r\n", False),
    "an underscore": (b"1_0\r\nhellohellohellox\r\n0\r\n\r\n", False),
    "a space before the size": (b" 5\r\nhello\r\n0\r\n\r\n", False),
    "no line end after the data": (b"5\r\nhello0\r\n\r\n", False),
    "more data than the size": (b"5\r\nhellohello\r\n0\r\n\r\n", False),
    "other digits": (b"\xb2\r\nhe\r\n0\r\n\r\n", False),
}


@pytest.mark.parametrize(("chunks", "is_taken"), CHUNKED.values(), ids=CHUNKED)
@pytest.mark.parametrize("is_cut", [False, True])
def test_chunks_are_read_as_gunicorn_reads_them(chunks: bytes, is_taken: bool, is_cut: bool) -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    sent = head + chunks + NEXT
    read, rest = of_this_server(*([bytes([byte]) for byte in sent] if is_cut else [sent]))
    assert (read is not None) == is_taken
    if is_taken:
        assert (read, rest) == (of_gunicorn([sent]), NEXT)


def test_empty_lines_before_a_request_are_ignored_however_they_are_cut() -> None:
    sent = b"\r\n\r\n" + HEAD + b"Content-Length: 5\r\n\r\nhello"
    assert of_this_server(sent) == (("POST", "/x", b"hello"), b"")
    assert of_this_server(*[bytes([byte]) for byte in sent]) == (("POST", "/x", b"hello"), b"")


def test_the_limit_is_that_of_the_address_after_an_empty_line() -> None:
    asked: list[str] = []
    buffer = RequestBuffer(lambda path: asked.append(path) or LIMIT)  # type: ignore[func-returns-value]
    buffer.feed(b"\r\n" + HEAD + b"Content-Length: 1\r\n\r\n")
    assert asked == ["/x"]


def test_only_http_1_1_clients_are_told_to_go_on() -> None:
    for version, interim in ((b"1.1", b"HTTP/1.1 100 Continue\r\n\r\n"), (b"1.0", b"")):
        buffer = RequestBuffer(lambda path: LIMIT)
        buffer.feed(b"POST /x HTTP/" + version + b"\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert (buffer.stage, buffer.interim) == (Stage.BODY, interim)


@pytest.mark.parametrize(
    ("sent", "status", "line"),
    [
        (b"GET /x?y HTTP/1.1\r\nX: " + b"a" * 70_000, 431, b"GET /x?y HTTP/1.1"),
        (b"GET /" + b"a" * 70_000, 431, b"GET / HTTP/1.1"),
        (b"GET /x HTTP/1.1\nHost: a\n\n", 400, b"GET /x HTTP/1.1"),
        (b"\x16\x03\x01\n" + b"a" * 100, 400, b"GET / HTTP/1.1"),
        (b"GET /\xc3\xa9 HTTP/1.1\nHost: a\n\n", 400, b"GET / HTTP/1.1"),
    ],
)
def test_a_head_without_an_end_is_refused_in_words(sent: bytes, status: int, line: bytes) -> None:
    buffer = RequestBuffer(lambda path: LIMIT)
    buffer.feed(sent)
    assert (buffer.stage, buffer.refusal, buffer.rest) == (Stage.COMPLETE, status, b"")
    assert b"".join(buffer.pieces()) == line + b"\r\nconnection: close\r\n\r\n"
    assert of_gunicorn(buffer.pieces()) is not None

"""Unusual and malicious requests, byte by byte, on a real web server."""

import contextlib
import re
import socket
import struct
from collections.abc import Iterator

import pytest

from tests.services.test_slow_clients import Site, answer, is_silent, started

pytestmark = [pytest.mark.services, pytest.mark.slow]

HOST = b"Host: localhost\r\n"
HEALTH = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /api/x HTTP/1.1\r\n" + HOST  # an address that does not exist


@pytest.fixture(scope="module")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with started(tmp_path_factory.mktemp("site")) as site:
        yield site


def statuses(site: Site, *pieces: bytes, ends: bool = False) -> list[int]:
    """Send pieces and return the statuses of all answers until the server closes the connection.

    `ends`: say that nothing more will be sent.
    """
    received = b""
    with site.connect() as client:
        for piece in pieces:
            client.sendall(piece)
        if ends:
            client.shutdown(socket.SHUT_WR)
        while piece := client.recv(65536):
            received += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


SMUGGLED = {
    "a length with many zeros": b"Content-Length: " + b"0" * 24 + b"%d\r\n\r\n" % len(HEALTH) + HEALTH,
    "a coding and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HEALTH,
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(HEALTH) + HEALTH,
    "a space before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HEALTH,
    "an end with a bare line feed": b"Transfer-Encoding: chunked\r\n\r\n0\r\n\n" + HEALTH,
    "another coding": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + HEALTH,
}


@pytest.mark.parametrize("sent", SMUGGLED.values(), ids=SMUGGLED)
def test_no_second_request_comes_out_of_one(site: Site, sent: bytes) -> None:
    found = statuses(site, POST + sent, HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    # The bytes were the body of the first request, and the last request is answered; or the first one is refused.
    assert found in ([400], [403, 200])


def test_chunks_of_an_http_1_0_client_are_refused(site: Site) -> None:
    assert statuses(site, b"POST /api/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HEALTH) == [400]


def test_http_1_0_ends_with_the_answer_unless_the_client_asks_to_go_on(site: Site) -> None:
    once = b"GET /health HTTP/1.0\r\n\r\n"
    again = b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    assert statuses(site, once + once) == [200]
    assert statuses(site, again + again + once) == [200, 200, 200]


@pytest.mark.parametrize("address", [b"/health", b"/accounts/login/", b"/nothing-here", b"/static/css/site.css"])
def test_the_answer_to_head_has_no_body(site: Site, address: bytes) -> None:
    close = HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with site.connect() as client:
        client.sendall(b"HEAD " + address + b" HTTP/1.1\r\n" + HOST + b"\r\n" + close)
        received = b""
        while piece := client.recv(65536):
            received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 ")
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")  # the answer to the next request follows at once


def test_a_client_that_will_send_nothing_more_is_still_answered(site: Site) -> None:
    assert statuses(site, HEALTH, ends=True) == [200]
    assert statuses(site, HEALTH[:20], ends=True) == []
    assert statuses(site, POST + b"Content-Length: 10\r\n\r\nabc", ends=True) == []


def test_posts_that_come_together_are_answered_in_their_order(site: Site) -> None:
    post = POST + b"Content-Length: 5\r\n\r\nhello"
    last = HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert statuses(site, post * 3 + b"\r\n" + last) == [403, 403, 403, 200]


def test_a_client_is_told_to_go_on_when_its_body_may_come(site: Site) -> None:
    with site.connect() as client:
        client.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert is_silent(client)
        client.sendall(b"hello")
        assert answer(client)[0] == 403


@pytest.mark.parametrize(("length", "status"), [(5_000_000, 401), (10**12, 413)])
def test_a_client_whose_body_may_not_come_is_not_told_to_go_on(site: Site, length: int, status: int) -> None:
    head = b"POST /score/ HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    assert statuses(site, head % length) == [status]


def test_other_expectations_are_refused(site: Site) -> None:
    assert statuses(site, POST + b"Expect: a-miracle\r\nContent-Length: 5\r\n\r\nhello") == [417]


def test_heads_have_limits(site: Site) -> None:
    get = b"GET /health HTTP/1.1\r\n" + HOST
    assert statuses(site, get + b"X: " + b"a" * 9_000 + b"\r\n\r\n") == [431]
    assert statuses(site, get + b"X: a\r\n" * 150 + b"\r\n") == [431]
    assert statuses(site, get + b"X: " + b"a" * 100_000) == [431]
    assert statuses(site, b"GET /health HTTP/1.1\nHost: localhost\n\n") == [400]
    assert statuses(site, b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n") == [414]


@pytest.mark.parametrize(
    "sent",
    [HEALTH, HEALTH[:20], POST + b"Content-Length: 10\r\n\r\nabc", POST + b"Content-Length: 3\r\n\r\nabc", HEALTH * 50],
    ids=["a whole request", "half a head", "half a body", "a whole body", "many requests"],
)
def test_clients_that_are_gone_in_the_middle_leave_nothing_behind(site: Site, sent: bytes) -> None:
    for _ in range(40):
        with site.connect() as client:
            client.sendall(sent)
            # The connection is reset, not closed.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.ExitStack() as stack:
        for _ in range(16):  # as many as there are threads
            client = stack.enter_context(site.connect())
            client.sendall(HEALTH)
            assert answer(client)[0] == 200
    assert site.process.poll() is None

"""Clients that send or read slowly, or not at all, on a real web server: everybody else is served meanwhile."""

import hashlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection

from iqs_site.instance.supervisor_config import programs

pytestmark = [pytest.mark.services, pytest.mark.slow]

ROOT = Path(settings.BASE_DIR)
LOGIN = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n"
GUARD_SECONDS = 120  # no test waits so long; it ends one that hangs


class Site:
    """A web server that uses the database of the test."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port, self.url = process, port, f"http://127.0.0.1:{port}"

    def connect(self, *, receive_bytes: int = 0) -> socket.socket:
        client = socket.socket()
        if receive_bytes:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        client.settimeout(GUARD_SECONDS)
        client.connect(("127.0.0.1", self.port))
        return client

    def health(self) -> int:
        return httpx.get(f"{self.url}/health", timeout=GUARD_SECONDS).status_code


@contextmanager
def started(folder: Path, worker_class: str = "") -> Iterator[Site]:
    """Start the web server as `make run` does, with another worker class if one is given."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = programs(host="127.0.0.1", port=port)["web"]
    if worker_class:
        command[command.index("--worker-class") + 1] = worker_class
    main, _, query = os.environ["DATABASE_URL"].partition("?")
    address = f"{main.rpartition('/')[0]}/{connection.settings_dict['NAME']}" + (f"?{query}" if query else "")
    environment = os.environ | {"DATABASE_URL": address, "IQS_VAR": str(folder), "ALLOWED_HOSTS": "*"}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            site = Site(process, port)
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:  # until it listens
                assert client.get(f"{site.url}/health", timeout=GUARD_SECONDS).status_code == 200
            yield site
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with started(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def impatient_site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with started(tmp_path_factory.mktemp("site"), "tests.services.impatient_worker.ImpatientWorker") as site:
        yield site


def answer(client: socket.socket) -> tuple[int, bytes]:
    """Return status and body of the next answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(65536)
        assert piece, f"the connection was closed after {received!r}"
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(headers.get(b"content-length", 0)):
        body += client.recv(65536)
    return int(head.split()[1]), body


def is_silent(client: socket.socket) -> bool:
    """Return whether the server has neither answered nor closed the connection."""
    client.setblocking(False)
    try:
        client.recv(1)
    except BlockingIOError:
        return True
    finally:
        client.settimeout(GUARD_SECONDS)
    return False


SLOW = {
    "a body that does not come": LOGIN + b"Content-Length: 100\r\n\r\n",
    "a body that stops in the middle": LOGIN + b"Content-Length: 100\r\n\r\nusername=",
    "chunks that do not come": LOGIN + b"Transfer-Encoding: chunked\r\n\r\n",
    "a chunk that stops in the middle": LOGIN + b"Transfer-Encoding: chunked\r\n\r\nff\r\nuser",
    "a head that stops in the middle": LOGIN + b"X-Slow",
    "nothing at all": b"",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_64_clients_that_send_slowly_hold_nobody_up(site: Site, sent: bytes) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(site.connect()) for _ in range(64)]
        for client in clients:
            client.sendall(sent)
        assert [site.health() for _ in range(20)] == [200] * 20
        assert all(is_silent(client) for client in clients)  # so they were all still waiting


def test_16_clients_with_an_idle_body_are_answered_when_they_go_on(site: Site) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(site.connect()) for _ in range(16)]
        for client in clients:
            client.sendall(SLOW["a body that stops in the middle"])
        assert site.health() == 200
        for client in clients:
            client.sendall(b"a" * 91)
        assert [answer(client)[0] for client in clients] == [403] * 16  # without a CSRF token


def large_static_file() -> tuple[str, bytes]:
    from django.contrib.staticfiles.finders import find

    path = find("bokeh/bokeh.min.js")
    assert isinstance(path, str)
    return "/static/bokeh/bokeh.min.js", Path(path).read_bytes()


def test_64_clients_that_do_not_read_their_answers_hold_nobody_up(site: Site) -> None:
    address, content = large_static_file()
    with ExitStack() as stack:
        clients = [stack.enter_context(site.connect(receive_bytes=4096)) for _ in range(64)]
        for client in clients:
            # So many bytes that the buffers of the operating system cannot take them.
            client.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 20)
        assert [site.health() for _ in range(20)] == [200] * 20
        status, body = answer(clients[-1])  # and who does read gets every byte
        assert (status, hashlib.sha256(body[: len(content)]).digest()) == (200, hashlib.sha256(content).digest())


def test_64_clients_that_leave_their_connections_open_hold_nobody_up(site: Site) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(site.connect()) for _ in range(64)]
        for client in clients:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert [answer(client)[0] for client in clients] == [200] * 64
        assert [site.health() for _ in range(20)] == [200] * 20


@pytest.mark.parametrize("sent", [sent for sent in SLOW.values() if sent], ids=[name for name in SLOW if SLOW[name]])
def test_a_client_that_is_too_slow_gets_408(impatient_site: Site, sent: bytes) -> None:
    with impatient_site.connect() as client:
        client.sendall(sent)
        status, body = answer(client)
        assert (status, b"did not arrive in time" in body) == (408, True)
        assert client.recv(1) == b""  # closed


def test_a_slow_program_gets_408_as_json(impatient_site: Site) -> None:
    with impatient_site.connect() as client:
        client.sendall(b"PUT /api/me/keys HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        status, body = answer(client)
        assert status == 408
        assert "did not arrive in time" in json.loads(body)["detail"]


@pytest.mark.parametrize(
    ("address", "kind"), [("/accounts/login/", b"<html"), ("/api/campaigns/x/leases", b'{"detail":')]
)
def test_a_body_that_is_announced_too_long_is_refused_before_it_is_sent(site: Site, address: str, kind: bytes) -> None:
    with site.connect() as client:
        client.sendall(f"POST {address} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000000\r\n\r\n".encode())
        status, body = answer(client)
        assert (status, kind in body, b"At most 1 MB" in body) == (413, True, True)


def chunked(*, pieces: int) -> Iterator[bytes]:
    for _ in range(pieces):
        yield b"a" * 65536


def test_a_chunked_body_is_refused_when_it_gets_too_long_and_arrives_otherwise(site: Site) -> None:
    with httpx.Client(base_url=site.url, timeout=GUARD_SECONDS) as client:
        assert client.post("/accounts/login/", content=chunked(pieces=32)).status_code == 413
        client.get("/accounts/login/")
        form = {
            "x-csrftoken": client.cookies[settings.CSRF_COOKIE_NAME],
            "content-type": "application/x-www-form-urlencoded",
        }
        refused = client.post("/accounts/login/", content=iter([b"username=a&", b"password=b"]), headers=form)
        assert "Wrong user name or password" in refused.text


def multipart(size: int) -> dict[str, Any]:
    return {"files": ("a.jpg", b"a" * size, "image/jpeg")}


@pytest.mark.django_db(transaction=True)
def test_only_who_is_logged_in_may_send_a_large_body(site: Site, client_of: Any) -> None:
    address, size = "/api/score", 3 * 1024 * 1024
    with site.connect() as client:
        headers = f"Host: localhost\r\nContent-Length: {size}\r\nExpect: 100-continue\r\n\r\n"
        client.sendall(f"POST {address} HTTP/1.1\r\n{headers}".encode())
        assert answer(client)[0] == 401  # and not 100
    with httpx.Client(base_url=site.url, timeout=GUARD_SECONDS) as known:
        known.cookies[settings.SESSION_COOKIE_NAME] = client_of("alice").cookies[settings.SESSION_COOKIE_NAME].value
        known.get("/")
        token = {"x-csrftoken": known.cookies.get(settings.CSRF_COOKIE_NAME, "")}
        answered = known.post(address, files=multipart(size), headers=token)
        assert answered.status_code == 202  # there is no worker to score it
        assert known.post(address, files=multipart(300 * 1024 * 1024), headers=token).status_code == 413


def test_requests_that_come_together_are_answered_in_their_order(site: Site) -> None:
    login = b"GET /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
    health = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with site.connect() as client:
        client.sendall(login + health)
        received = b""
        while piece := client.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.endswith(b'{"ok": true}')


def test_a_damaged_request_gets_400(site: Site) -> None:
    for sent in (b"nonsense\r\n\r\n", LOGIN + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n\r\n"):
        with site.connect() as client:
            client.sendall(sent)
            assert answer(client)[0] == 400


def test_a_server_that_is_told_to_stop_ends_what_it_has_begun(django_db_setup: None, tmp_path: Path) -> None:
    address, content = large_static_file()
    with started(tmp_path) as site, site.connect(receive_bytes=65536) as client:
        client.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        received = client.recv(1)
        site.process.terminate()
        while piece := client.recv(65536):
            received += piece
        assert received.endswith(content)
        assert site.process.wait(GUARD_SECONDS) == 0

"""Requests are answered while the broker hangs, and the sweep finds what they wanted."""

import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from celery import current_app
from django.db import connection
from django.test import Client

from annotation.models import Campaign, ImportBatch
from annotation.services.batches import batches_claimable, upload_begin
from iqs_site import broker_gate, celery, workers
from iqs_site.instance import embedded
from tests.opinions_and_predictions import images_make
from tests.waiting import SECONDS, wait_for

# Ends a test that hangs. The brokers below are silent until the answers are there.
pytestmark = pytest.mark.timeout(120)

Broker = Callable[[str], Any]


class SilentBroker:
    """A server that accepts connections, sends the beginning of an answer or nothing, and waits for the end."""

    def __init__(self, beginning: bytes) -> None:
        self.beginning, self.connections = beginning, []  # type: ignore[var-annotated]
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._server.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.connections.append(client)
            client.sendall(self.beginning)

    def close(self) -> None:
        self._server.close()
        for client in self.connections:
            client.close()


def _pools_forget() -> None:
    current_app._pool = None
    current_app.amqp._producer_pool = None


@pytest.fixture
def use_broker(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """Return a function that makes the site use another broker. No timeout of a socket ends a wait in these tests."""

    def use(url: str) -> None:
        settings.REDIS_URL = url
        monkeypatch.setattr(current_app.conf, "broker_url", embedded.celery_broker(url))
        monkeypatch.setitem(current_app.conf.broker_transport_options, "socket_timeout", 3600)
        monkeypatch.setattr(workers, "_TIMEOUT", 3600)
        _pools_forget()

    fresh = broker_gate.BrokerGate(request_seconds=0.2)
    for module in (celery, workers):
        monkeypatch.setattr(module, "gate", fresh)
    broker_gate.request_started.connect(fresh.request_begin)
    broker_gate.request_finished.connect(fresh.request_end)
    _pools_forget()
    yield use
    broker_gate.request_started.disconnect(fresh.request_begin)
    broker_gate.request_finished.disconnect(fresh.request_end)
    _pools_forget()


@pytest.fixture(params=[b"", b"+O", b"%7\r\n$6\r\nserv"], ids=["nothing", "a part of OK", "a part of a greeting"])
def silent(request: pytest.FixtureRequest, use_broker: Broker) -> Iterator[SilentBroker]:
    broker = SilentBroker(request.param)
    use_broker(broker.url)
    yield broker
    broker.close()


def upload_with_a_file(campaign: Campaign) -> ImportBatch:
    return upload_begin(campaign=campaign, by=None)


@pytest.mark.django_db(transaction=True)
def test_work_is_accepted_while_the_broker_is_silent_and_the_sweep_finds_it(
    silent: SilentBroker, client_of: Callable[[str], Client], campaign: Campaign
) -> None:
    batch = upload_with_a_file(campaign)
    assert client_of("ada").post(f"/campaigns/watches/imports/{batch.pk}/finish").status_code == 302
    wait_for(lambda: silent.connections, "The broker was not asked.")  # and it has not answered
    assert batches_claimable() == [batch.pk]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", ["/workers", "/campaigns/watches/status", "/campaigns/watches/"])
def test_pages_say_that_the_broker_does_not_answer(
    silent: SilentBroker, client_of: Callable[[str], Client], page: str
) -> None:
    response = client_of("rita").get(page)
    assert response.status_code == 200
    wait_for(lambda: silent.connections, "The broker was not asked.")
    assert "broker" in response.text.lower()


@pytest.mark.django_db(transaction=True)
def test_a_request_that_sends_and_asks_is_answered(
    silent: SilentBroker, client_of: Callable[[str], Client], campaign: Campaign
) -> None:
    images_make(campaign, 1)
    headers = {"HX-Request": "true"}
    response = client_of("ada").post("/campaigns/watches/work/features/cancel", headers=headers)
    assert response.status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("message", [b"", None], ids=["hangs", "refuses"])
def test_requests_that_send_do_not_wait_for_the_broker(
    message: bytes | None, use_broker: Broker, client_of: Callable[[str], Client], campaign: Campaign
) -> None:
    """A request has no time to wait in this test, and no limit of time could end a wait."""
    broker = SilentBroker(b"")
    use_broker(broker.url)
    if message is None:
        broker.close()
    celery.gate._request_seconds = 3600.0
    waited: list[object] = []
    ask = celery.gate.run
    celery.gate.run = lambda *args, **kwargs: waited.append(args) or ask(*args, **kwargs)  # type: ignore[method-assign]
    batch = upload_with_a_file(campaign)
    assert client_of("ada").post(f"/campaigns/watches/imports/{batch.pk}/finish").status_code == 302
    assert waited == []
    assert batches_claimable() == [batch.pk]
    broker.close()


def test_only_tasks_send_without_announce() -> None:
    """`announce` is where a request hands a message over; views that send by themselves would wait or fail."""
    sends = re.compile(r"\.(delay|apply_async|send_task)\(")
    apps = [path for app in ("annotation", "inference", "training", "iqs_site") for path in Path(app).rglob("*.py")]
    found = {str(path) for path in apps if path.name != "tasks.py" and sends.search(path.read_text())}
    assert found == {"iqs_site/celery.py"}


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


@pytest.mark.django_db(transaction=True)
def test_a_real_broker_that_is_stopped_and_goes_on(
    use_broker: Broker, client_of: Callable[[str], Client], campaign: Campaign, tmp_path: Path
) -> None:
    import redis

    with ExitStack() as stack:
        before = set(psutil.Process().children(recursive=True))
        url = stack.enter_context(embedded.valkey_running(tmp_path))
        (server,) = [child for child in psutil.Process().children(recursive=True) if child not in before]
        use_broker(url)
        workers.gate._request_seconds = SECONDS  # the server answers, but a busy machine may need a while
        client, broker = client_of("ada"), stack.enter_context(redis.Redis.from_url(url))
        finish = "/campaigns/watches/imports/{}/finish"
        first, second, third = (upload_with_a_file(campaign) for _ in range(3))
        assert client.post(finish.format(first.pk)).status_code == 302
        wait_for(lambda: broker.llen("default") == 1, "The message was not sent.")
        assert "does not answer" not in client.get("/workers").text
        workers.gate._request_seconds = 0.2
        with stopped(server):
            assert client.post(finish.format(second.pk)).status_code == 302
            assert client.get("/workers").status_code == 200
            assert batches_claimable() == [first.pk, second.pk]
        workers.gate._request_seconds = SECONDS
        assert client.post(finish.format(third.pk)).status_code == 302
        # The messages of the first and the third, perhaps of the second too.
        wait_for(lambda: broker.llen("default") >= 2, "The message was not sent.")
    connection.close()

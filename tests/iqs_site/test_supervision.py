"""What a start refuses, and what an instance runs. Starting real ones is in tests/services."""

import socket
from pathlib import Path

import pytest

from iqs_site.supervision import Instance, InstanceError, _port_checked, programs
from tests.iqs_site.test_containers import words


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InstanceError, match=rf"port {port} .* choose another with PORT="):
            _port_checked("127.0.0.1", port)


def test_port_zero_takes_a_free_one() -> None:
    assert _port_checked("127.0.0.1", 0) > 0


def test_a_database_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(InstanceError, match="DATABASE_URL names does not answer"), Instance(tmp_path):
        pass


def test_a_broker_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(InstanceError, match="REDIS_URL names does not answer"), Instance(tmp_path):
        pass


@pytest.mark.parametrize("name", ["worker-inference", "worker-training"])
def test_workers_take_the_same_queues_and_threads_here_as_in_containers(name: str) -> None:
    here = programs(host="127.0.0.1", port=8000)[name]
    there = words(name)
    for option in ("--queues", "--pool", "--concurrency", "--hostname"):
        assert here[here.index(option) + 1] == there[there.index(option) + 1]


def test_the_web_server_runs_the_same_here_as_in_containers() -> None:
    here, there = programs(host="0.0.0.0", port=8000)["web"], words("web")
    for option in ("--bind", "--worker-class", "--workers", "--threads"):
        assert here[here.index(option) + 1] == there[there.index(option) + 1]

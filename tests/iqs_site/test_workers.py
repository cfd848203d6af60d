import json
from typing import Any

from iqs_site.instance import embedded
from iqs_site.workers import ALIVE_SECONDS, WorkerState, broker_alive, workers_alive


def test_a_stopped_broker_has_no_workers(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert not broker_alive()
    assert workers_alive() == []


def test_workers_with_a_heartbeat_are_listed(settings: Any, tmp_path: Any) -> None:
    import redis

    with embedded.valkey_running(tmp_path) as url:
        settings.REDIS_URL = url
        assert broker_alive()
        assert workers_alive() == []
        with redis.Redis.from_url(url) as client:
            state = {"name": "inference@here", "queues": ["inference"], "pid": 7}
            client.set("iqs:worker:inference@here", json.dumps(state), ex=ALIVE_SECONDS)
        assert workers_alive() == [WorkerState("inference@here", ("inference",), 7)]

"""Which workers are alive: each worker writes a heartbeat into Redis, a key that expires soon, and pages read the keys.

Celery's own `inspect ping` waits a second for replies, which is too long for a page that asks every few seconds.
"""

import json
import logging
import os
import threading
from dataclasses import dataclass
from typing import Any

import redis
from celery import signals
from django.conf import settings

from iqs_site.broker_gate import gate

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5
ALIVE_SECONDS = 16  # three missed heartbeats
_PREFIX = "iqs:worker:"
_TIMEOUT = 0.3
_ANSWER_SECONDS = 0.5  # for all commands of one question


@dataclass(frozen=True)
class WorkerState:
    """A worker with a heartbeat in the last ALIVE_SECONDS."""

    name: str
    queues: tuple[str, ...]
    pid: int


def broker_alive() -> bool:
    """Return whether the broker answers soon. Never raises."""
    try:
        return gate.run(_ping, seconds=_ANSWER_SECONDS)
    except (redis.RedisError, OSError):
        return False


def workers_alive() -> list[WorkerState]:
    """Return the workers that are alive, sorted by name; empty when the broker does not answer. Never raises."""
    try:
        values = gate.run(_heartbeats_read, seconds=_ANSWER_SECONDS)
    except (redis.RedisError, OSError):
        return []
    states = [json.loads(value) for value in values if value]
    return [WorkerState(state["name"], tuple(state["queues"]), state["pid"]) for state in states]


def _ping() -> bool:
    with _client() as client:
        return bool(client.ping())


def _heartbeats_read() -> list[Any]:
    with _client() as client:
        keys = sorted(client.scan_iter(match=f"{_PREFIX}*", count=100))
        return list(client.mget(keys)) if keys else []


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT)


@signals.worker_ready.connect
def _heartbeats_start(sender: Any, **kwargs: Any) -> None:
    """Start the heartbeats when the worker is ready for tasks."""
    queues = sorted(sender.app.amqp.queues.consume_from)
    state = WorkerState(str(sender.hostname), tuple(queues), os.getpid())
    threading.Thread(target=_heartbeats_write, args=(state,), name="heartbeat", daemon=True).start()


def _heartbeats_write(state: WorkerState) -> None:
    value = json.dumps({"name": state.name, "queues": state.queues, "pid": state.pid})
    stopped = threading.Event()
    signals.worker_shutting_down.connect(lambda **kwargs: stopped.set(), weak=False)
    key = f"{_PREFIX}{state.name}"
    while True:
        try:
            with _client() as client:
                if stopped.is_set():
                    client.delete(key)
                    return
                client.set(key, value, ex=ALIVE_SECONDS)
        except (redis.RedisError, OSError) as error:
            # The broker may be restarting; the next heartbeat tries again.
            logger.debug("the heartbeat could not be written: %s", error)
        stopped.wait(HEARTBEAT_SECONDS)

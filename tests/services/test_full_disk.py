"""A whole instance whose disk becomes full while its programs die, and has room again."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
import redis

from iqs_site.instance import embedded
from iqs_site.instance.postgres_server import postmaster
from iqs_site.instance.supervisor import Instance
from iqs_site.workers import workers_alive
from tests.iqs_site.instance.small_disk import fill, small_disk
from tests.services.test_instance import eventually

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(autouse=True)
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("IQS_SWEEP_SECONDS", "2")  # the test waits for tasks of beat


def succeeds(work: Callable[[], Any]) -> bool:
    """Return whether a request to a server gets an answer that is true."""
    with suppress(psycopg.Error, redis.RedisError, httpx.HTTPError, OSError):
        return bool(work())
    return False


def test_an_instance_comes_back_when_its_full_disk_has_room(tmp_path: Path, settings: Any) -> None:
    with small_disk(tmp_path, 220), Instance(tmp_path / "var") as instance:
        database, broker = instance.environment["DATABASE_URL"], instance.environment["REDIS_URL"]
        settings.REDIS_URL = broker

        def row_write() -> bool:
            with psycopg.connect(database, connect_timeout=30) as connection:
                # Large enough that it does not fit into space that is free inside the files.
                connection.execute(
                    "INSERT INTO written SELECT repeat(md5(n::text), 200) FROM generate_series(1, 3000) n"
                )
            return True

        def key_write() -> bool:
            with redis.Redis.from_url(broker, socket_timeout=30) as client:
                return bool(client.set("key", "x" * 100_000))

        def page() -> bool:
            return httpx.get(f"{instance.url}/ready", timeout=60).status_code == 200

        with psycopg.connect(database) as connection:
            connection.execute("CREATE TABLE written (text TEXT); CREATE TABLE kept AS SELECT 7 AS number")
        assert row_write()
        warning = httpx.get(f"{instance.url}/ready").json()["warnings"]
        assert any("MB are left on the disk" in sentence for sentence in warning)

        filler = tmp_path / "filler"

        def is_full() -> bool:
            fill(filler)  # takes what the programs have freed
            return not succeeds(row_write) and not succeeds(key_write)

        assert eventually(is_full)
        assert succeeds(page), "pages are still served"

        # Everything dies, so that everything has to start on the full disk.
        running = postmaster(instance.folder / "postgres")
        assert running is not None
        names = ("web", "broker", "worker-inference", "worker-training", "beat")
        for pid in (running.pid, *(pid for name in names for pid in instance.pids(name))):
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()
        log = instance.folder / "log" / "postgres.log"
        assert eventually(lambda: fill(filler) or not embedded.postgres_is_running(instance.folder))
        assert log.exists()
        for _ in range(5):
            fill(filler)
            assert not eventually(lambda: not instance.is_running(), seconds=1), "the supervisor has ended"
        assert not succeeds(row_write)

        filler.unlink()
        assert eventually(lambda: instance.failed_start() or (succeeds(row_write) and succeeds(key_write)))
        assert eventually(lambda: instance.failed_start() or succeeds(page))
        assert eventually(lambda: {one.name.partition("@")[0] for one in workers_alive()} >= {"inference", "training"})
        with psycopg.connect(database) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
    assert not embedded.postgres_is_running(tmp_path / "var")

"""A temporary database and broker for one run: embedded, or on the servers of DATABASE_URL and REDIS_URL."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from iqs_site.instance import embedded

REDIS_DATABASES = 16  # the default of a Redis server


class ServerError(RuntimeError):
    """The server of DATABASE_URL or REDIS_URL cannot be used; the message says why."""


@contextmanager
def temporary_database(folder: Path) -> Iterator[str]:
    """Yield the address of an empty database.

    With DATABASE_URL it is created on that server and dropped at the end; other databases stay unchanged. Without
    it, an embedded server in `folder` is started. Raises ServerError when the server refuses.
    """
    given = os.environ.get("DATABASE_URL")
    if not given:
        try:
            yield embedded.postgres_attach(folder)
        finally:
            embedded.postgres_detach(folder)  # before the folder is deleted
        return
    name = f"iqs_smoke_{secrets.token_hex(4)}"
    try:
        with psycopg.connect(given, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise ServerError(f"DATABASE_URL: no database can be created on that server ({_line(error)}).") from error
    parts = urlsplit(given)
    try:
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(given, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def temporary_broker(folder: Path) -> Iterator[str]:
    """Yield the address of an empty broker.

    With REDIS_URL it is an empty database number of that server, which is emptied again at the end. Without it, an
    embedded broker is started. Raises ServerError when the server does not answer or has no empty number.
    """
    given = os.environ.get("REDIS_URL")
    if not given:
        with embedded.valkey_running(folder) as url:
            yield url
        return
    url = _empty_number(given)
    try:
        yield url
    finally:
        with redis.Redis.from_url(url) as client:
            client.flushdb()


def _empty_number(given: str) -> str:
    for number in reversed(range(REDIS_DATABASES)):
        url = _numbered(given, number)
        try:
            with redis.Redis.from_url(url, socket_connect_timeout=5) as client:
                if client.dbsize() == 0:
                    return url
        except redis.ResponseError:
            continue  # a server with fewer databases
        except redis.RedisError as error:
            raise ServerError(f"REDIS_URL: the server does not answer ({_line(error)}).") from error
    raise ServerError("REDIS_URL: no database number of that server is empty; empty one, or use another server.")


def _numbered(given: str, number: int) -> str:
    parts = urlsplit(given)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"
    return urlunsplit(parts._replace(path=f"/{number}"))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())

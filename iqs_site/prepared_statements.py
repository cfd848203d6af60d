"""Prepares the statements of the most frequent requests in the database, and of no others.

A prepared statement is planned once, and planning is most of what the database does for a claim and a save. But from
the sixth time on, PostgreSQL may keep one plan for all values ('generic plan'). It then assumes an average campaign and
cannot use an index of a few states: beside a campaign of a million photos, pages of a small one took .2 to .9 s for
what an index finds in .1 ms. Claims and saves find few rows with every value; other statements may not.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import connection
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse

_FREQUENT = re.compile(r"/api/campaigns/[^/]+/(?:leases|annotations)")
_AFTER = 5  # executions

_thread = threading.local()


class PreparedStatementsMiddleware:
    """Prepare the statements of claims and saves. Comes before everything that asks the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response unchanged."""
        with statements_prepared() if _FREQUENT.fullmatch(request.path) else nullcontext():
            return self.get_response(request)


@contextmanager
def statements_prepared() -> Iterator[None]:
    """Prepare the statements of this thread that run often, during the block."""
    _threshold_set(_AFTER)
    try:
        yield
    finally:
        _threshold_set(None)


def new_connections_follow() -> None:
    """From now on, let a connection that a frequent request opens prepare its statements too."""
    connection_created.connect(_connection_set)


def _threshold_set(threshold: int | None) -> None:
    _thread.threshold = threshold
    if connection.connection is not None:
        _connection_set(connection=connection)


def _connection_set(*, connection: Any, **kwargs: Any) -> None:
    # An attribute of psycopg's connection: it costs no statement, and with None even a prepared one is planned anew.
    connection.connection.prepare_threshold = getattr(_thread, "threshold", None)

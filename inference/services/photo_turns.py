"""Whose photos a worker claims next: campaigns take turns, and within a campaign its imports do.

A turn is one claim: the photos that a worker can process in about a second. So with N campaigns in the queue, each gets
a turn after N - 1 others, however many photos they have. Each worker process gives turns by itself, and needs no table
for it: a lookup in the index of queued photos finds the campaign after the last one.
"""

import threading
from typing import Any

from django.db import connection
from psycopg import sql

from inference.selectors import WorkQueue

# The first value after the last one, or else the first of all. The second part runs only if the first finds nothing.
_NEXT = sql.SQL("""
(SELECT {turn} FROM {table} WHERE {column} = %(key)s AND state = 'queued' AND {within} AND {turn} > %(last)s
 ORDER BY {turn} LIMIT 1)
UNION ALL
(SELECT {turn} FROM {table} WHERE {column} = %(key)s AND state = 'queued' AND {within} ORDER BY {turn} LIMIT 1)
LIMIT 1
""")
_KEPT = 1000  # campaigns whose last import is remembered

Turn = tuple[int, int]
"""Ids of a campaign and of one of its imports; 0 for photos without an import."""


class PhotoTurns:
    """The turns that one worker process gives in one queue. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._campaign = -1
        self._imports: dict[int, int] = {}

    def next(self, queue: WorkQueue[Any]) -> Turn | None:
        """Return whose turn it is, or None when no photo is queued (two queries)."""
        with self._lock:
            campaign = _following(queue, "turn_campaign", self._campaign)
            if campaign is None:
                return None
            batch = _following(queue, "turn_import", self._imports.pop(campaign, -1), campaign)
            if batch is None:  # another worker has just claimed the last photos
                batch = 0
            self._campaign, self._imports[campaign] = campaign, batch
            if len(self._imports) > _KEPT:
                del self._imports[next(iter(self._imports))]
            return campaign, batch


_turns: dict[tuple[str, str | int], PhotoTurns] = {}


def turns_of(queue: WorkQueue[Any]) -> PhotoTurns:
    """Return the turns of this process in a queue."""
    return _turns.setdefault((queue.model._meta.db_table, queue.key), PhotoTurns())


def _following(queue: WorkQueue[Any], turn: str, last: int, campaign: int | None = None) -> int | None:
    """Return the campaign after `last`, or the import after `last` in a campaign; None when no photo is queued."""
    statement = _NEXT.format(
        table=sql.Identifier(queue.model._meta.db_table),
        column=sql.Identifier(queue.column),
        turn=sql.Identifier(turn),
        within=sql.SQL("true" if campaign is None else "turn_campaign = %(campaign)s"),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"key": queue.key, "last": last, "campaign": campaign})
        row = cursor.fetchone()
    return None if row is None else int(row[0])

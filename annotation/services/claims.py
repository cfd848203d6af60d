"""Claims of work that a row stands for: one worker at a time, and another one when it gives no sign for a minute.

The row has a `state` with the values "queued" and "running", and `heartbeat_at`. `Heartbeat` also writes `step`, `done`
and `total`, for the pages.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Generic, TypeVar

from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

STALE = timedelta(seconds=60)  # a row without a heartbeat for this long may be claimed by another worker
_REPORT_SECONDS = 1.0

Report = Callable[[str, int, int], None]
"""Called with the present step, how much of it is done, and its total."""
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Claims(Generic[Row]):
    """Claims of the rows of one model."""

    model: type[Row]

    def claimable(self) -> QuerySet[Row]:
        """Return the queued and the stale rows, oldest first."""
        stale = Q(state="running", heartbeat_at__lt=timezone.now() - STALE)
        return self.model._default_manager.filter(Q(state="queued") | stale).order_by("pk")

    def claimable_ids(self) -> list[int]:
        """Return the ids of the queued and the stale rows, oldest first (one query)."""
        return list(self.claimable().values_list("pk", flat=True))

    def claim(self, pk: int) -> Row | None:
        """Claim a queued or stale row, and return it with its campaign. None when it is neither."""
        claimed = self.claimable().filter(pk=pk).update(state="running", heartbeat_at=timezone.now(), message="")
        return self.model._default_manager.select_related("campaign").get(pk=pk) if claimed else None


class Heartbeat:
    """Writes how far a claimed row has come, once a second, over a connection of its own.

    The work may be one transaction, and what that writes is not visible before its end. Used with `with`; yields the
    function to report with.
    """

    def __init__(self, row: Model, report: Report | None = None) -> None:
        self._rows = type(row)._default_manager.filter(pk=row.pk)
        self._report = report
        self._now = ("", 0, 0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, name="heartbeat", daemon=True)

    def tell(self, step: str, done: int, total: int) -> None:
        """Note how far the work has come."""
        self._now = (step, done, total)
        if self._report is not None:
            self._report(step, done, total)

    def _write(self) -> None:
        try:
            while not self._ended.wait(_REPORT_SECONDS):
                step, done, total = self._now
                self._rows.update(step=step, done=done, total=total, heartbeat_at=timezone.now())
        finally:
            connection.close()

    def __enter__(self) -> Report:
        self._thread.start()
        return self.tell

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

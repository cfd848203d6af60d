"""Whose import is next, so that the imports of one user do not keep the others waiting.

A user has one running import at a time. Among the users without one, the one whose last import is longest ago is next.
A worker process runs at most IQS_IMPORTS_AT_ONCE imports, so that it has threads left for its other tasks.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import F, Max, OuterRef, Subquery
from django.utils import timezone

from annotation.models import ImportBatch
from annotation.services.batches import batch_claim, batches_claimable
from annotation.services.claims import STALE


class Slots:
    """How many tasks of one kind run in this process at the same time. Safe to use from several threads."""

    def __init__(self) -> None:
        self._used = 0
        self._lock = threading.Lock()

    @contextmanager
    def one(self, most: int) -> Iterator[bool]:
        """Hold a slot during the block if fewer than `most` are held. Yields whether it got one; never waits."""
        with self._lock:
            is_free = self._used < most
            self._used += is_free
        try:
            yield is_free
        finally:
            with self._lock:
                self._used -= is_free


def turn_lock(name: str) -> None:
    """Wait until no other transaction has this lock, and hold it until the present transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])


@transaction.atomic
def batch_claim_next() -> ImportBatch | None:
    """Claim the import whose turn it is. None when there is none, or all waiting users have a running import."""
    turn_lock("iqs imports")
    batch_id = batch_next_id()
    return None if batch_id is None else batch_claim(batch_id=batch_id)


def batch_next_id() -> int | None:
    """Return the id of the import whose turn it is, or None."""
    live = timezone.now() - STALE
    running = ImportBatch.objects.filter(
        state=ImportBatch.State.RUNNING, heartbeat_at__gte=live, created_by__isnull=False
    )
    served = ImportBatch.objects.filter(created_by=OuterRef("created_by")).order_by().values("created_by")
    return (
        ImportBatch.objects.filter(pk__in=batches_claimable())
        .exclude(created_by__in=running.values("created_by"))
        .annotate(served_at=Subquery(served.annotate(newest=Max("finished_at")).values("newest")))
        .order_by(F("served_at").asc(nulls_first=True), "pk")
        .values_list("pk", flat=True)
        .first()
    )

"""Work on photos, whatever the algorithm: rows of a `WorkQueue` are queued, claimed, finished, cancelled, tried again.

A row says what became of one photo, so work is never lost: a worker claims rows before it looks, and
rows of a worker that fell silent go to the next who asks.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from psycopg import sql

from annotation.models import Campaign
from inference.models import Distortion, Feature, PhotoWork
from inference.scoring.pipeline import BATCH, Sight
from inference.selectors import WorkQueue

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# What was seen is written when so many photos are held, or after so long: few writes, and little to lose.
STORE_PHOTOS = 32
STORE_SECONDS = 1.0
# So many photos are claimed at a time as take about a second.
_CLAIM_MOST = 32
_CLAIM_SECONDS = (0.5, 2.0)

_Work = TypeVar("_Work", Feature, Distortion)
Seen = list[tuple[_Work, Sight]]
Look = Callable[[Iterable[Sequence[_Work]]], Iterator[list[tuple[_Work, Sight]]]]
Store = Callable[[list[tuple[_Work, Sight]]], None]

_ENQUEUE = sql.SQL("""
INSERT INTO {table} (image_id, {columns})
SELECT image.id, {values} FROM annotation_image image
WHERE {which} AND NOT EXISTS (SELECT FROM {table} work WHERE work.image_id = image.id AND work.{column} = %(key)s)
ON CONFLICT DO NOTHING
""")

# One statement: of many workers, each gets rows of its own and none waits for another.
_CLAIM = sql.SQL("""
UPDATE {table} SET state = 'running', claimed_at = %(now)s, attempts = attempts + 1
WHERE id IN (
  SELECT id FROM {table}
  WHERE {column} = %(key)s AND state = 'queued'
  ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) RETURNING id
""")
_CLAIM_SILENT = sql.SQL("""
UPDATE {table} SET claimed_at = %(now)s, attempts = attempts + 1
WHERE id IN (
  SELECT id FROM {table}
  WHERE {column} = %(key)s AND state = 'running' AND claimed_at < %(stale)s
  ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id
""")
_FINISH = sql.SQL("UPDATE {table} SET {changes} WHERE id = %(id)s AND state = 'running'")


def work_enqueue(*, queue: WorkQueue[_Work], campaign: Campaign | None = None, state: str = "queued") -> int:
    """Put every photo (of the campaign) that has no row yet into the queue; return how many. One statement."""
    # Django keeps most defaults to itself, so a fresh row tells what the other columns hold.
    row = queue.model(**{queue.column: queue.key, "state": state})
    columns = [field.attname for field in row._meta.concrete_fields if field.attname not in ("id", "image_id")]
    which = sql.SQL("image.campaign_id = {}").format(campaign.pk) if campaign else sql.SQL("true")
    statement = _statement(
        _ENQUEUE,
        queue,
        which=which,
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(map(sql.Placeholder, columns)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"key": queue.key, **{name: getattr(row, name) for name in columns}})
        return int(cursor.rowcount)


def work_claim(*, queue: WorkQueue[_Work], limit: int = BATCH) -> list[_Work]:
    """Claim up to `limit` queued photos, those first that were queued first."""
    return _claimed(_CLAIM, queue, limit=limit)


def work_claim_silent(*, queue: WorkQueue[_Work]) -> _Work | None:
    """Claim a photo whose worker has been silent for `IQS_CLAIM_SECONDS`.

    One at a time: its worker may have died on this very photo, which then takes no other down with it.
    """
    return next(iter(_claimed(_CLAIM_SILENT, queue)), None)


def work_do(
    *, queue: WorkQueue[_Work], look: Look[_Work], store: Store[_Work], seconds: float, stop: Callable[[], bool]
) -> int:
    """Work on the queue until it is empty or the time is over; return how many photos were finished.

    `look` sees batches and asks for the next when it has time for it: nothing is claimed before.
    `store` writes what was seen, in one transaction. Photos of silent workers come last and alone.
    """
    until = time.monotonic() + seconds

    def over() -> bool:
        return time.monotonic() >= until or stop()

    finished = 0
    while not over():
        finished += _see_and_store(look(_batches(queue, over)), store)
        row = None if over() else work_claim_silent(queue=queue)
        if row is None:
            break
        if row.attempts > MAX_ATTEMPTS:
            # Whatever kills a worker three times will do it again.
            store(
                [(row, Sight(None, None, f"Given up after {MAX_ATTEMPTS} attempts: each time the worker died on it."))]
            )
            finished += 1
        else:
            finished += _see_and_store(look([[row]]), store)
    return finished


def work_finish(*, queue: WorkQueue[_Work], rows: Sequence[_Work], columns: Sequence[str] = ()) -> None:
    """Write state, reason and `columns` of claimed rows.

    A row that another worker has finished meanwhile, since this one was silent for long, stays as it is.
    """
    names = ["state", "reason", *columns]
    changes = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in names
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            _statement(_FINISH, queue, changes=changes),
            [{"id": row.pk, **{name: getattr(row, name) for name in names}} for row in rows],
        )


@transaction.atomic
def work_cancel(*, queue: WorkQueue[_Work], campaign: Campaign) -> int:
    """Take the campaign's waiting photos out of the queue; return how many. Those a worker is at are finished.

    Photos that no sweep has seen yet are cancelled too; those imported later are not.
    """
    # Two who cancel and resume at the same time take turns; claims skip what is locked.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    unseen = work_enqueue(queue=queue, campaign=campaign, state=PhotoWork.State.CANCELLED)
    return unseen + _of(queue, campaign, PhotoWork.State.QUEUED).update(state=PhotoWork.State.CANCELLED)


def work_resume(*, queue: WorkQueue[_Work], campaign: Campaign) -> int:
    """Put the campaign's cancelled photos back into the queue; return how many."""
    return _requeue(queue, campaign, PhotoWork.State.CANCELLED)


def work_retry(*, queue: WorkQueue[_Work], campaign: Campaign) -> int:
    """Put the campaign's failed photos back, for instance after their files were restored; return how many."""
    return _requeue(queue, campaign, PhotoWork.State.FAILED)


@transaction.atomic
def _requeue(queue: WorkQueue[_Work], campaign: Campaign, state: str) -> int:
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    rows = _of(queue, campaign, state)
    return rows.update(state=PhotoWork.State.QUEUED, reason="", attempts=0, claimed_at=None)


def _of(queue: WorkQueue[_Work], campaign: Campaign, state: str) -> QuerySet[_Work]:
    """Return the campaign's rows in a state.

    Without a join: an UPDATE that had to wait for another looks again at its own table's columns only.
    """
    return queue.rows.filter(image__in=campaign.images.values("pk"), state=state)


def _statement(template: sql.SQL, queue: WorkQueue[_Work], **parts: sql.Composable) -> sql.Composed:
    return template.format(
        table=sql.Identifier(queue.model._meta.db_table), column=sql.Identifier(queue.column), **parts
    )


def _claimed(template: sql.SQL, queue: WorkQueue[_Work], **values: Any) -> list[_Work]:
    now = timezone.now()
    stale = now - timedelta(seconds=settings.IQS_CLAIM_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(_statement(template, queue), {"key": queue.key, "now": now, "stale": stale, **values})
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return []
    return list(queue.model._default_manager.filter(pk__in=ids).select_related("image").order_by("pk"))


def _batches(queue: WorkQueue[_Work], over: Callable[[], bool]) -> Iterator[Sequence[_Work]]:
    """Claim photos as they are asked for: more at a time while they go fast, fewer when they are huge."""
    limit = 2 * BATCH
    while not over():
        begun = time.monotonic()
        rows = work_claim(queue=queue, limit=limit)
        if not rows:
            return
        for start in range(0, len(rows), BATCH):
            yield rows[start : start + BATCH]
        took = time.monotonic() - begun
        if took < _CLAIM_SECONDS[0]:
            limit = min(2 * limit, _CLAIM_MOST)
        elif took > _CLAIM_SECONDS[1]:
            limit = max(limit // 2, BATCH)


def _see_and_store(seen: Iterable[list[tuple[_Work, Sight]]], store: Store[_Work]) -> int:
    held: list[tuple[_Work, Sight]] = []
    count, since = 0, time.monotonic()
    for batch in seen:
        held += batch
        if len(held) >= STORE_PHOTOS or time.monotonic() - since >= STORE_SECONDS:
            store(held)
            count, held, since = count + len(held), [], time.monotonic()
    if held:
        store(held)
    return count + len(held)

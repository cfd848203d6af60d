"""Work queues of photos: rows of a `WorkQueue` are queued, claimed, finished, cancelled and requeued.

A row holds the state of one photo. A worker claims rows before it opens the photos. A claim that is older than
`IQS_CLAIM_SECONDS` is stale, and the next worker claims the row again, so no work is lost.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_noop
from psycopg import sql

from annotation.models import Campaign, Image
from inference.models import Distortion, Feature, PhotoWork
from inference.scoring.pipeline import BATCH, PhotoResult
from inference.selectors import WorkQueue
from inference.services.photo_turns import turns_of

logger = logging.getLogger(__name__)

_GIVEN_UP = gettext_noop("Given up after %(attempts)s attempts: the worker died each time.")
MAX_ATTEMPTS = 3
# Results are written after this many photos or seconds: few writes, and little is lost in a crash.
STORE_PHOTOS = 32
STORE_SECONDS = 1.0
# A worker claims as many photos at a time as it can process in about a second.
_CLAIM_MOST = 32
_CLAIM_SECONDS = (0.5, 2.0)
# While the queue is long, photos with a stale claim get this much time, this often.
_STALE_SECONDS, _STALE_EVERY = 5.0, 20.0

_Work = TypeVar("_Work", Feature, Distortion)
# A processor turns batches of claimed rows into results; a store writes rows with their results.
Processor = Callable[[Iterable[Sequence[_Work]]], Iterator[list[tuple[_Work, PhotoResult]]]]
Store = Callable[[list[tuple[_Work, PhotoResult]]], None]

_ENQUEUE = sql.SQL("""
INSERT INTO {table} (image_id, turn_campaign, turn_import, {columns})
SELECT image.id, image.campaign_id, coalesce(image.batch_id, 0), {values} FROM annotation_image image
WHERE {which} AND image.withdrawn_at IS NULL AND image.original_deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM {table} work WHERE work.image_id = image.id AND work.{column} = %(key)s)
ON CONFLICT DO NOTHING
""")

_FROM_THE_PHOTO = {"id", "image_id", "turn_campaign", "turn_import"}

# SKIP LOCKED: concurrent workers get different rows and do not wait for each other. MATERIALIZED: in some plans,
# PostgreSQL would otherwise run the inner query once for each row, and claim all of them.
_CLAIM = sql.SQL("""
WITH chosen AS MATERIALIZED (
  SELECT id FROM {table}
  WHERE {column} = %(key)s AND state = 'queued' AND turn_campaign = %(campaign)s AND turn_import = %(import)s
  ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE {table} work SET state = 'running', claimed_at = %(now)s, attempts = attempts + 1
FROM chosen WHERE work.id = chosen.id RETURNING work.id
""")
_CLAIM_STALE = sql.SQL("""
WITH chosen AS MATERIALIZED (
  SELECT id FROM {table}
  WHERE {column} = %(key)s AND state = 'running' AND claimed_at < %(stale)s
  ORDER BY claimed_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE {table} work SET claimed_at = %(now)s, attempts = attempts + 1
FROM chosen WHERE work.id = chosen.id RETURNING work.id
""")
_FINISH = sql.SQL("UPDATE {table} SET {changes} WHERE id = %(id)s AND state = 'running'")


def work_enqueue(*, queue: WorkQueue[_Work], campaigns: Collection[int] | None = None, state: str = "queued") -> int:
    """Put every photo (of the campaigns with these ids) that has no row yet into the queue; return how many.

    One statement.
    """
    # Most column defaults exist in Django only, so they are read from a new model instance.
    row = queue.model(**{queue.column: queue.key, "state": state})
    columns = [field.attname for field in row._meta.concrete_fields if field.attname not in _FROM_THE_PHOTO]
    which = sql.SQL("true" if campaigns is None else "image.campaign_id = ANY(%(campaigns)s)")
    statement = _statement(
        _ENQUEUE,
        queue,
        which=which,
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(map(sql.Placeholder, columns)),
    )
    parameters = {"key": queue.key, "campaigns": list(campaigns or ())}
    with connection.cursor() as cursor:
        cursor.execute(statement, {**parameters, **{name: getattr(row, name) for name in columns}})
        return int(cursor.rowcount)


def work_claim(*, queue: WorkQueue[_Work], limit: int = BATCH) -> list[_Work]:
    """Claim up to `limit` queued photos of the campaign and import whose turn it is, oldest first."""
    turns, seen = turns_of(queue), set()
    while (turn := turns.next(queue)) is not None and turn not in seen:
        if rows := _claimed(_CLAIM, queue, limit=limit, **{"campaign": turn[0], "import": turn[1]}):
            return rows
        seen.add(turn)  # other workers are claiming its last photos
    return []


def work_claim_stale(*, queue: WorkQueue[_Work]) -> _Work | None:
    """Claim a photo whose claim is stale: older than `IQS_CLAIM_SECONDS`.

    One at a time: the worker may have died because of this photo, and other photos must not share its attempts.
    """
    return next(iter(_claimed(_CLAIM_STALE, queue)), None)


def queue_process(
    *,
    queue: WorkQueue[_Work],
    processor: Processor[_Work],
    store: Store[_Work],
    seconds: float,
    stop: Callable[[], bool],
) -> int:
    """Process the queue until it is empty or the time is over; return how many photos were finished.

    `processor` gets batches of rows and yields each with its results. Rows are claimed when it asks for the next
    batch. `store` writes results in one transaction. Photos with a stale claim are processed one at a time, after the
    others, but in a long queue at least every `_STALE_EVERY` seconds.
    """
    until = time.monotonic() + seconds

    def over() -> bool:
        return time.monotonic() >= until or stop()

    finished = 0
    while not over():
        batches = _batches(queue, over, seconds=_STALE_EVERY)
        count = _process_and_store(processor(batches), store) + _stale_process(queue, processor, store, over)
        if not count:
            break
        finished += count
    return finished


def _stale_process(
    queue: WorkQueue[_Work], processor: Processor[_Work], store: Store[_Work], over: Callable[[], bool]
) -> int:
    """Process photos with a stale claim, one at a time, for some seconds; return how many were finished."""
    finished, until = 0, time.monotonic() + _STALE_SECONDS
    while not over() and time.monotonic() < until:
        row = work_claim_stale(queue=queue)
        if row is None:
            break
        if row.attempts > MAX_ATTEMPTS:
            # The photo probably kills its worker, so it is not tried again.
            reason = gettext_noop("Given up after %(attempts)s attempts: the worker died each time.") % {
                "attempts": MAX_ATTEMPTS
            }
            store([(row, PhotoResult(None, None, reason))])
            finished += 1
        else:
            finished += _process_and_store(processor([[row]]), store)
    return finished


def work_finish(*, queue: WorkQueue[_Work], rows: Sequence[_Work], columns: Sequence[str] = ()) -> None:
    """Write state, reason and `columns` of claimed rows.

    A row that is no longer running stays as it is: its claim became stale and another worker has finished it.
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
    """Cancel the campaign's queued photos; return how many. Photos that are already claimed are still finished.

    Photos that no sweep has queued yet are cancelled too. Photos imported later are not.
    """
    # Concurrent calls to cancel and resume wait for each other; claims skip locked rows.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    never_queued = work_enqueue(queue=queue, campaigns=[campaign.pk], state=PhotoWork.State.CANCELLED)
    return never_queued + _of(queue, campaign, PhotoWork.State.QUEUED).update(state=PhotoWork.State.CANCELLED)


def work_resume(*, queue: WorkQueue[_Work], campaign: Campaign) -> int:
    """Requeue the campaign's cancelled photos; return how many."""
    return _requeue(queue, campaign, PhotoWork.State.CANCELLED)


def work_retry(*, queue: WorkQueue[_Work], campaign: Campaign) -> int:
    """Requeue the campaign's failed photos, for instance after their files were restored; return how many."""
    return _requeue(queue, campaign, PhotoWork.State.FAILED)


def work_retry_photos(*, image_ids: Collection[int]) -> int:
    """Requeue the failed work on these photos, of every backbone and detector; return how many rows."""
    failed = {"image__in": image_ids, "state": PhotoWork.State.FAILED}
    return sum(_again(model._default_manager.filter(**failed)) for model in (Feature, Distortion))


def work_repeat_photos(*, image_ids: Collection[int]) -> int:
    """Requeue the finished work on these photos, of every backbone and detector; return how many rows.

    What was computed before stays until the new results are stored. Work that was cancelled stays so.
    """
    of_photos = [model._default_manager.filter(image__in=image_ids) for model in (Feature, Distortion)]
    return sum(_again(rows.exclude(state=PhotoWork.State.CANCELLED)) for rows in of_photos)


@transaction.atomic
def _requeue(queue: WorkQueue[_Work], campaign: Campaign, state: str) -> int:
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    return _again(_of(queue, campaign, state))


def _again(rows: QuerySet[Any]) -> int:
    """Put rows back into the queue, and return how many there were."""
    photo = Image.objects.filter(pk=OuterRef("image"))
    return rows.update(
        state=PhotoWork.State.QUEUED,
        reason="",
        attempts=0,
        claimed_at=None,
        turn_campaign=Subquery(photo.values("campaign")),
        turn_import=Subquery(photo.values(batch_or_none=Coalesce("batch", 0))),
    )


def _of(queue: WorkQueue[_Work], campaign: Campaign, state: str) -> QuerySet[_Work]:
    """Return the campaign's rows in a state.

    No join: after an UPDATE waited for another one, PostgreSQL rechecks only the columns of its own table.
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


def _batches(queue: WorkQueue[_Work], over: Callable[[], bool], *, seconds: float) -> Iterator[Sequence[_Work]]:
    """Claim photos on demand and yield batches for some seconds. The number claimed at once adapts to the speed."""
    limit, until = 2 * BATCH, time.monotonic() + seconds
    while not over() and time.monotonic() < until:
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


def _process_and_store(processed: Iterable[list[tuple[_Work, PhotoResult]]], store: Store[_Work]) -> int:
    unwritten: list[tuple[_Work, PhotoResult]] = []
    count, since = 0, time.monotonic()
    for batch in processed:
        unwritten += batch
        if len(unwritten) >= STORE_PHOTOS or time.monotonic() - since >= STORE_SECONDS:
            store(unwritten)
            count, unwritten, since = count + len(unwritten), [], time.monotonic()
    if unwritten:
        store(unwritten)
    return count + len(unwritten)

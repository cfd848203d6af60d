"""Leases: which annotator is asked about which photo. Claim, renew, return and expire them.

A photo has `votes_needed` slots. For every photo, at every commit,

    open_slots = votes_needed - annotators with a standing answer - live leases

Hidden repeats count in none of these: they do not change the counters. A rated photo is leased only while
open_slots > 0, so a photo never has more leases and votes than it needs. Only two things make open_slots negative:
answers that arrive after their lease expired, and gold photos, which every annotator gets. An annotator has at most one
live lease of a photo, because the repeat comes after the first answer. One rule keeps this true under concurrency:
**code that changes an assignment or records an answer must hold the row lock of its image**, and must take it before
any lock on an assignment.
"""

import random
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from annotation.answers import vote_sql
from annotation.models import Assignment, Campaign, Image, User
from annotation.services.queue_lanes import ClaimDraws, Draw

LEASES_PER_ANNOTATOR = 50  # limit of live leases per campaign, so that one annotator cannot take the whole queue
MOST_HELD = 200  # limit for people who work without a connection
_SWEEP_BATCH = 500
_REBUILD_BATCH = 5000

# Photos that this annotator has leased, or leased earlier and did not answer. The latter come before new photos:
# otherwise reloading the page would be a way to avoid a photo without skipping it.
_UNANSWERED = """
SELECT assignment.image_id, assignment.state = 'leased', assignment.is_repeat
FROM annotation_assignment assignment JOIN annotation_image image ON image.id = assignment.image_id
WHERE assignment.annotator_id = %(annotator)s AND assignment.campaign_id = %(campaign)s
  AND assignment.state IN ('leased', 'expired', 'returned')
  AND (assignment.state = 'leased' OR image.open_slots > 0 OR assignment.is_repeat OR image.role = 'gold')
  AND image.problem = '' AND image.role IN ('rated', 'gold') AND NOT image.id = ANY(%(known)s)
ORDER BY assignment.state = 'leased' DESC, assignment.leased_at, assignment.id
LIMIT %(count)s
FOR NO KEY UPDATE OF image SKIP LOCKED
"""

# The columns of a lease that the page needs. The photo's other fields are loaded on access.
_LEASE_COLUMNS = (
    "assignment.*, image.name AS photo_name, image.width AS photo_width, image.height AS photo_height, "
    "image.byte_size AS photo_bytes"
)

# One statement, so that exactly the photos whose assignment became a lease lose a slot. A photo that comes back keeps
# the lane, the reason and the probability of its draw.
_LEASE = f"""
WITH assignment AS (
  INSERT INTO annotation_assignment
    (campaign_id, image_id, annotator_id, state, lane, reason, acquisition_probability, saw_prediction, is_repeat,
     is_anchored, leased_at, expires_at)
  SELECT %(campaign)s, image_id, %(annotator)s, 'leased', lane, reason, probability, false, is_repeat, is_anchored,
    %(now)s, %(expires_at)s
  FROM unnest(%(images)s::bigint[], %(lanes)s::text[], %(reasons)s::text[], %(probabilities)s::float8[],
              %(repeats)s::boolean[], %(anchored)s::boolean[])
    AS fresh (image_id, lane, reason, probability, is_repeat, is_anchored)
  ON CONFLICT (image_id, annotator_id, is_repeat) DO UPDATE
    SET state = 'leased', leased_at = EXCLUDED.leased_at, expires_at = EXCLUDED.expires_at
    WHERE annotation_assignment.state IN ('expired', 'returned')
  RETURNING *
), counted AS (
  UPDATE annotation_image SET open_slots = open_slots - 1
  FROM assignment WHERE annotation_image.id = assignment.image_id AND NOT assignment.is_repeat
)
SELECT {_LEASE_COLUMNS} FROM assignment JOIN annotation_image image ON image.id = assignment.image_id
"""  # noqa: S608  # made of constants
_EXTEND = f"""
UPDATE annotation_assignment assignment SET expires_at = %(expires_at)s FROM annotation_image image
WHERE image.id = assignment.image_id AND assignment.annotator_id = %(annotator)s
  AND assignment.image_id = ANY(%(images)s) AND assignment.state = 'leased'
RETURNING {_LEASE_COLUMNS}
"""  # noqa: S608  # made of constants

_OPEN = """
SELECT count(*) FROM (
  SELECT FROM annotation_image
  WHERE campaign_id = %(campaign)s AND problem = '' AND role = 'rated' AND open_slots > 0 LIMIT %(most)s
) open
"""

_LIVE = """
SELECT assignment.id
FROM annotation_assignment assignment JOIN annotation_image image ON image.id = assignment.image_id
WHERE assignment.annotator_id = %(annotator)s AND assignment.campaign_id = %(campaign)s
  AND assignment.state = 'leased' AND assignment.image_id = ANY(%(images)s)
ORDER BY image.id  -- the same order in all calls prevents deadlocks
FOR NO KEY UPDATE OF image
"""

_OVERDUE = """
SELECT assignment.id
FROM annotation_assignment assignment JOIN annotation_image image ON image.id = assignment.image_id
WHERE assignment.state = 'leased' AND assignment.expires_at < %(before)s
ORDER BY assignment.expires_at LIMIT %(count)s
FOR NO KEY UPDATE OF image SKIP LOCKED
"""

_END = """
WITH ended AS (
  UPDATE annotation_assignment SET state = %(state)s
  WHERE id = ANY(%(leases)s) AND state = 'leased'
    AND (%(before)s::timestamptz IS NULL OR expires_at < %(before)s)
  RETURNING image_id, is_repeat
), freed AS (
  UPDATE annotation_image SET open_slots = open_slots + slots.n
  FROM (SELECT image_id, count(*) AS n FROM ended WHERE NOT is_repeat GROUP BY image_id) slots
  WHERE id = slots.image_id
)
SELECT count(*) FROM ended
"""

_REBUILD = f"""
UPDATE annotation_image image
SET vote_count = votes.n, open_slots = image.votes_needed - votes.n - leases.n
FROM unnest(%(images)s) AS one(id)
CROSS JOIN LATERAL (
  SELECT count(*) AS n FROM annotation_annotation answer
  WHERE answer.image_id = one.id AND {vote_sql("answer")}
) votes
CROSS JOIN LATERAL (
  SELECT count(*) AS n FROM annotation_assignment assignment
  WHERE assignment.image_id = one.id AND assignment.state = 'leased' AND NOT assignment.is_repeat
) leases
WHERE image.id = one.id
  AND (image.vote_count, image.open_slots) IS DISTINCT FROM (votes.n, image.votes_needed - votes.n - leases.n)
"""  # noqa: S608  # made of constants


@transaction.atomic
def leases_claim(
    *,
    campaign: Campaign,
    annotator: User,
    count: int,
    known: Collection[int] = (),
    hold: int = LEASES_PER_ANNOTATOR,
    rng: random.Random | None = None,
) -> list[Assignment]:
    """Lease up to `count` photos to the annotator and return the assignments, in the order to show them.

    `known` holds the ids of images that the page already has or has answered. The order is:

    1. The annotator's live leases that are not in `known`, so that a reload gives the same photos and uses no new slot.
    2. Photos whose earlier lease ended without an answer.
    3. New photos. Each is drawn independently from the queue lanes, the hidden repeats or the gold photos, by the
       shares of the campaign (`annotation.services.queue_lanes`). The assignment stores the lane, the reason and the
       probability of the draw.

    The returned leases expire `campaign.lease_seconds` from now. Leases in `known` do not change.

    `hold` is how many photos the page wants to hold in all. More than `LEASES_PER_ANNOTATOR` are for work without a
    connection: at most `MOST_HELD`, and at most half of the open photos and those in `known`: others need photos too.

    Returns fewer leases, or none, when no more photos are open to this annotator or the campaign is not active;
    `annotation.selectors.progress.queue_status` tells the reason. `rng` decides all draws.
    """
    if campaign.state != Campaign.State.ACTIVE:
        return []
    rng = rng or random.Random()  # noqa: S311  # an order of photos, not a secret
    now = timezone.now()
    expires_at = now + timedelta(seconds=campaign.lease_seconds)
    whose = {"campaign": campaign.pk, "annotator": annotator.pk}
    known = list(known)
    with connection.cursor() as cursor:
        cursor.execute(_UNANSWERED, {**whose, "known": known, "count": count})
        unanswered: list[tuple[int, bool, bool]] = cursor.fetchall()
        live = [image_id for image_id, is_live, _ in unanswered if is_live]
        fresh = [Draw(image_id, is_repeat=is_repeat) for image_id, is_live, is_repeat in unanswered if not is_live]
        most = LEASES_PER_ANNOTATOR
        if hold > most and len(known) + count > most:
            most = max(most, min(hold, MOST_HELD, (_open_photos(cursor, campaign) + len(known)) // 2))
        room = min(count, most - len(known)) - len(unanswered)
        if room > 0:
            taken = [*known, *(image_id for image_id, _, _ in unanswered)]
            fresh += ClaimDraws(cursor, campaign=campaign, whose=whose, taken=taken, rng=rng).photos_draw(room)
    leases: list[Assignment] = []
    if live:
        leases += _leases_write(_EXTEND, {**whose, "images": live, "expires_at": expires_at})
    if fresh:
        drawn: dict[str, list[Any]] = {
            "images": [one.image_id for one in fresh],
            "lanes": [one.lane for one in fresh],
            "reasons": [one.reason for one in fresh],
            "probabilities": [one.probability for one in fresh],
            "repeats": [one.is_repeat for one in fresh],
            "anchored": [one.is_anchored for one in fresh],
        }
        leases += _leases_write(_LEASE, {**whose, **drawn, "now": now, "expires_at": expires_at})
    order = {image_id: place for place, image_id in enumerate([*live, *(one.image_id for one in fresh)])}
    return sorted(leases, key=lambda lease: order[lease.image_id])


def _open_photos(cursor: Any, campaign: Campaign) -> int:
    """Return how many photos have an open slot. Counting stops where more would change nothing."""
    cursor.execute(_OPEN, {"campaign": campaign.pk, "most": 2 * MOST_HELD})
    return int(cursor.fetchone()[0])


def _leases_write(statement: str, parameters: dict[str, Any]) -> Iterator[Assignment]:
    """Run a statement that writes leases and returns `_LEASE_COLUMNS`. Yield the leases with their photos."""
    lease: Any
    for lease in Assignment.objects.raw(statement, parameters):
        # `from_db` takes values in the order of the model's fields, not of the names.
        photo = [lease.image_id, lease.photo_name, lease.photo_bytes, lease.photo_width, lease.photo_height]
        lease.image = Image.from_db(lease._state.db, ["id", "name", "byte_size", "width", "height"], photo)
        yield lease


def leases_renew(*, campaign: Campaign, annotator: User, image_ids: Collection[int]) -> int:
    """Extend the annotator's live leases of these photos to `lease_seconds` from now. Return how many are live."""
    return Assignment.objects.filter(
        campaign=campaign, annotator=annotator, image__in=image_ids, state=Assignment.State.LEASED
    ).update(expires_at=timezone.now() + timedelta(seconds=campaign.lease_seconds))


def leases_return(*, campaign: Campaign, annotator: User, image_ids: Collection[int]) -> int:
    """Return the annotator's live leases of these photos to the queue. Return how many there were."""
    whose = {"campaign": campaign.pk, "annotator": annotator.pk, "images": list(image_ids)}
    return _leases_end(_LIVE, whose, state=Assignment.State.RETURNED)


def leases_expire() -> int:
    """End the overdue leases of every campaign. Return how many there were.

    Photos whose rows are locked at this moment are left for the next call.
    """
    now, expired = timezone.now(), 0
    while batch := _leases_end(_OVERDUE, {"count": _SWEEP_BATCH}, state=Assignment.State.EXPIRED, before=now):
        expired += batch
    return expired


@transaction.atomic
def _leases_end(
    query: str, parameters: dict[str, Any], *, state: Assignment.State, before: datetime | None = None
) -> int:
    """End the leases that `query` selects, if they are still live and `before` (if given) is after they expire."""
    with connection.cursor() as cursor:
        cursor.execute(query, {**parameters, "before": before})
        leases = [row[0] for row in cursor.fetchall()]
        if not leases:
            return 0
        cursor.execute(_END, {"leases": leases, "state": state.value, "before": before})
        return int(cursor.fetchone()[0])


def counters_rebuild(*, campaign: Campaign) -> int:
    """Recompute votes and open slots of every photo from annotations and leases. Return how many were wrong.

    Safe while annotators work: each batch of photos is locked while it is counted.
    """
    corrected, last = 0, 0
    while True:
        with transaction.atomic():
            batch = campaign.images.filter(pk__gt=last).order_by("pk").select_for_update(no_key=True)
            image_ids = list(batch.values_list("pk", flat=True)[:_REBUILD_BATCH])
            if not image_ids:
                return corrected
            with connection.cursor() as cursor:
                cursor.execute(_REBUILD, {"images": image_ids})
                corrected += cursor.rowcount
        last = image_ids[-1]

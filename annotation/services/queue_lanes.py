"""Choosing the photos of new leases: queue lanes, hidden repeats, gold photos, the anchoring experiment.

Each new lease is an independent draw with two steps.

1. The kind of photo: hidden repeat, gold photo or rated photo, by `repeat_share` and `gold_share`. When the
   draw says repeat or gold and there is none, the annotator gets a rated photo. A repeat or gold photo always replaces
   a rated photo: an annotator without open rated photos gets none.
2. The photo. For a rated photo, the campaign's `lane_shares` give the probability of each lane:

   * the lane `random` takes the first photo at or after a uniformly random queue position, and continues from the
     start of the queue after its end;
   * every other lane takes the photo with the highest priority that workers wrote for it. When a lane has no photo
     for this annotator, `random` takes its place, so that photos without a priority are reached too.

The acquisition probability of a draw
    `acquisition_probability` is the probability that this draw gives this photo to this annotator, given the kind of
    photo (step 1), the queue at that moment, and the photos that the same claim drew before. It sums to 1 over all
    photos of the kind that were open to the annotator.

    For a rated photo it is the total over all lanes, not only over the lane that was drawn:

        p(photo) = sum over lanes of share(lane) * p(photo | lane)

    where p(photo | random) is the gap between the queue positions of the previous open photo and this one, on a circle
    of length 1, and p(photo | other lane) is 1 for the lane's first photo and 0 for the rest (or p(photo | random) when
    the lane has no photo). Importance weights need this total: LURE (Farquhar, Gal and Rainforth, 2021,
    "On Statistical Bias In Active Learning", arXiv:2101.11665) weights by the probability that the m-th draw takes a
    photo out of those that remain. The probability within the drawn lane alone would ignore that the other lanes could
    have given the same photo. The probability of the kind is left out, because repeats and gold photos are not draws
    from the photos to rate.

    For a gold photo it is 1 / (gold photos that the annotator has not had). For a hidden repeat, the draw takes the
    first repeatable answer at or after a uniformly random place in the annotator's history; the probability is the
    length of the gap before that answer, as a part of the history.

    Claims skip photos that other claims have locked at the same moment. The probability does not take this into
    account.
"""

import random
from collections.abc import Iterable
from typing import Any, NamedTuple

from annotation.answers import vote_sql
from annotation.models import Campaign
from annotation.selectors.first_of_lanes import IS_OPEN, LaneHead, first_of_lanes
from annotation.services.lane_registry import RANDOM, lane_reason, lane_shares_known

# Minimum number of answers between an answer and its hidden repeat. Working memory holds about seven items, and after
# half a minute people still remember the score that they gave. With a much larger number, short sessions would have no
# repeats.
REPEAT_AFTER = 10

REPEAT, GOLD = "repeat", "gold"  # values of `Assignment.lane` that are not in the registry

# How many rows of a lane a claim reads to find photos that its annotator has not had yet. This limits the cost of a
# claim. When none of these rows fits, the annotator gets a random photo.
_LANE_ROWS = 200
# Extra candidates per claim, because other claims may have locked some of them at the same moment.
_SPARE = 8

_FOUND = "image.id, image.queue_position, image.vote_count, image.votes_needed"

# The first open photo at or after a position (continuing from the start), by the partial index image_open: the cost
# does not grow with the campaign. The query skips photos that are locked by another claim instead of waiting for them.
_PROBE_HALF = f"""
SELECT * FROM (
  SELECT {_FOUND} FROM annotation_image image WHERE {IS_OPEN} AND image.queue_position {{side}} %(start)s
  ORDER BY image.queue_position LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
) {{name}}
"""  # noqa: S608  # made of constants
# The last open photo before a position (continuing from the end), by the same index.
_BEFORE_HALF = f"""
SELECT * FROM (
  SELECT image.queue_position FROM annotation_image image
  WHERE {IS_OPEN} AND image.queue_position {{side}} {{position}}
  ORDER BY image.queue_position DESC LIMIT 1
) {{name}}
"""  # noqa: S608  # made of constants


def _wrap_around(half: str, first: str, second: str, **fields: str) -> str:
    """Return SQL that runs `half` on one side of a position, and on the other side if the first finds nothing."""
    first, second = half.format(side=first, name="one", **fields), half.format(side=second, name="other", **fields)
    return f"{first} UNION ALL {second} LIMIT 1"


_PROBE = f"""
SELECT found.*, before.queue_position
FROM ({_wrap_around(_PROBE_HALF, ">=", "<")}) found
CROSS JOIN ({_wrap_around(_BEFORE_HALF, "<", ">=", position="%(start)s")}) before
"""  # noqa: S608  # made of constants

_LOCK_CANDIDATE = f"""
SELECT found.*, before.queue_position FROM (
  SELECT {_FOUND} FROM unnest(%(candidates)s::bigint[]) WITH ORDINALITY AS candidate (image_id, place)
  JOIN annotation_image image ON image.id = candidate.image_id
  WHERE {IS_OPEN} ORDER BY candidate.place LIMIT 1 FOR NO KEY UPDATE OF image SKIP LOCKED
) found CROSS JOIN LATERAL ({_wrap_around(_BEFORE_HALF, "<", ">=", position="found.queue_position")}) before
"""  # noqa: S608  # made of constants

# Delete the priorities of leased photos from all lanes: they do not take the new lease into account. Workers write new
# ones later. The query skips rows that a worker is replacing at this moment instead of waiting for them.
_DELETE_PRIORITIES = """
DELETE FROM annotation_queuepriority WHERE id IN (
  SELECT id FROM annotation_queuepriority WHERE image_id = ANY(%(images)s) FOR UPDATE SKIP LOCKED
)
"""

# The annotator's answer at or after a random place in their history (continuing from the start), by the index
# annotation_history: the cost does not grow with the history. Photos whose standing answer was given after seeing the
# prediction are left out, because the second answer would only repeat the prediction.
_REPEATABLE = f"""
FROM annotation_annotation answer JOIN annotation_image image ON image.id = answer.image_id
WHERE answer.campaign_id = %(campaign)s AND answer.annotator_id = %(annotator)s
  AND answer.id < draw.last AND answer.id {{side}} draw.answer_id
  AND answer.is_blind AND {vote_sql("answer")}
  AND image.problem = '' AND image.role = 'rated' AND NOT image.id = ANY(%(taken)s)
  AND NOT EXISTS (SELECT FROM annotation_assignment repeat WHERE repeat.is_repeat
                  AND repeat.image_id = answer.image_id AND repeat.annotator_id = %(annotator)s)
"""
_REPEAT_HALF = f"""
SELECT * FROM (SELECT answer.image_id, answer.id {_REPEATABLE}
               ORDER BY answer.id LIMIT 1 FOR NO KEY UPDATE OF image SKIP LOCKED) {{name}}
"""  # noqa: S608  # made of constants
_REPEAT_BEFORE_HALF = f"""
SELECT * FROM (SELECT answer.id {_REPEATABLE} ORDER BY answer.id DESC LIMIT 1) {{name}}
"""  # noqa: S608  # made of constants
_REPEAT = f"""
WITH recent AS (
  SELECT id FROM annotation_annotation
  WHERE campaign_id = %(campaign)s AND annotator_id = %(annotator)s AND supersedes_id IS NULL AND skip_reason = ''
  ORDER BY id DESC LIMIT %(apart)s
), span AS (
  SELECT min(id) AS last,
    (SELECT id FROM annotation_annotation WHERE campaign_id = %(campaign)s AND annotator_id = %(annotator)s
     ORDER BY id LIMIT 1) AS first
  FROM recent HAVING count(*) = %(apart)s
)
SELECT found.image_id, found.id, before.id, draw.last - draw.first
FROM (SELECT *, first + floor(%(start)s * (last - first))::bigint AS answer_id FROM span) draw
CROSS JOIN LATERAL ({_wrap_around(_REPEAT_HALF, ">=", "<")}) found
CROSS JOIN LATERAL ({_wrap_around(_REPEAT_BEFORE_HALF, "<", ">=")}) before
"""  # noqa: S608  # made of constants

# There are few gold photos (index image_special), so the query reads all of them.
_GOLD = """
SELECT image.id FROM annotation_image image
WHERE image.campaign_id = %(campaign)s AND image.role = 'gold' AND image.problem = ''
  AND NOT image.id = ANY(%(taken)s)
  AND NOT EXISTS (SELECT FROM annotation_assignment assignment
                  WHERE assignment.image_id = image.id AND assignment.annotator_id = %(annotator)s)
ORDER BY image.id
"""
_GOLD_LOCK = (
    "SELECT id FROM annotation_image WHERE id = %s AND role = 'gold' AND problem = '' FOR NO KEY UPDATE SKIP LOCKED"
)


class Draw(NamedTuple):
    """A photo to lease, and why it was chosen."""

    image_id: int
    lane: str = RANDOM
    reason: str = ""
    probability: float | None = None
    is_repeat: bool = False
    is_anchored: bool = False


class ClaimDraws:
    """The draws of one claim. The photos that it returns are locked until the transaction ends.

    Number of queries: one or two per hidden repeat or gold photo, two per claim for lanes with priorities, and one per
    photo for the lane `random`.
    """

    def __init__(
        self, cursor: Any, *, campaign: Campaign, whose: dict[str, int], taken: Iterable[int], rng: random.Random
    ) -> None:
        """`whose` holds the ids "campaign" and "annotator". `taken`: photos to leave out. `rng` decides all draws."""
        self._cursor = cursor
        self._campaign = campaign
        self._whose = whose
        self._taken = list(taken)
        self._rng = rng
        self._shares = lane_shares_known(campaign.lane_shares)
        self._first_of_lanes: dict[str, list[LaneHead]] = {}
        self._golds: list[int] | None = None
        self._has_repeats = True

    def photos_draw(self, count: int) -> list[Draw]:
        """Lock up to `count` photos and return them in order. Fewer when no more are open to the annotator."""
        self._first_of_lanes_read(count)
        draws: list[Draw] = []
        for kind in _kinds_draw(self._campaign, count, self._rng):
            # Also where a repeat or gold photo was drawn: these only come while there are rated photos.
            rated = self._rated_draw()
            if rated is None:
                break
            special = self._repeat_draw() if kind == REPEAT else self._gold_draw() if kind == GOLD else None
            if special is None:
                special = rated._replace(is_anchored=_is_anchored_draw(self._campaign, self._rng))
            draws.append(special)
            self._taken.append(special.image_id)
        if self._first_of_lanes and draws:
            self._cursor.execute(_DELETE_PRIORITIES, {"images": [draw.image_id for draw in draws]})
        return draws

    @property
    def _priority_lanes(self) -> list[str]:
        return [name for name in self._shares if name != RANDOM]

    def _first_of_lanes_read(self, count: int) -> None:
        """Read the first photos of each lane with priorities, enough for `count` draws."""
        if not self._priority_lanes:
            return
        self._first_of_lanes = first_of_lanes(
            self._cursor,
            self._campaign,
            self._priority_lanes,
            count=count + _SPARE,
            rows=_LANE_ROWS,
            annotator=self._whose["annotator"],
            taken=self._taken,
        )

    def _rated_draw(self) -> Draw | None:
        """Draw a lane by the shares and lock its photo. None when no rated photo is open to the annotator."""
        first = {
            lane: [candidate for candidate in candidates if candidate.image_id not in self._taken]
            for lane, candidates in self._first_of_lanes.items()
        }
        lane, found = RANDOM, None
        if self._priority_lanes:
            (lane,) = self._rng.choices(list(self._shares), list(self._shares.values()))
            if candidates := first.get(lane, []):
                found = self._find(_LOCK_CANDIDATE, candidates=[one.image_id for one in candidates])
                # Other claims have locked the candidates before the one found.
                first[lane] = [one for one in candidates if found and one.image_id == found[0]]
        if found is None:
            lane, found = RANDOM, self._find(_PROBE, start=self._rng.random())
        if found is None:
            return None
        image_id, position, votes, votes_needed, before = found
        probability = _mixture_probability(
            self._shares,
            {name: candidates[0].image_id for name, candidates in first.items() if candidates},
            image_id=image_id,
            gap=_gap(before, position, 1.0),
        )
        head = first[lane][0] if lane != RANDOM else LaneHead(RANDOM, image_id)
        reason = lane_reason(lane, votes=votes, votes_needed=votes_needed, priority=head.priority, stored=head.reason)
        return Draw(image_id, lane, reason, probability)

    def _find(self, statement: str, **parameters: Any) -> tuple[int, float, int, int, float] | None:
        """Lock a photo. Return its id, queue position, votes, votes needed, and the previous queue position."""
        self._cursor.execute(statement, {**self._whose, "taken": self._taken, **parameters})
        found: tuple[int, float, int, int, float] | None = self._cursor.fetchone()
        return found

    def _repeat_draw(self) -> Draw | None:
        """Lock a photo that the annotator answered once, at least `REPEAT_AFTER` answers ago. None without one."""
        if not self._has_repeats:
            return None
        parameters = {**self._whose, "taken": self._taken, "start": self._rng.random(), "apart": REPEAT_AFTER}
        self._cursor.execute(_REPEAT, parameters)
        if (found := self._cursor.fetchone()) is None:
            self._has_repeats = False
            return None
        image_id, answer_id, before_id, span = found
        return Draw(image_id, REPEAT, "hidden repeat", _gap(before_id, answer_id, span) / span, is_repeat=True)

    def _gold_draw(self) -> Draw | None:
        """Lock one of the gold photos that the annotator has not had, each with equal probability. None without one."""
        if self._golds is None:
            self._cursor.execute(_GOLD, {**self._whose, "taken": self._taken})
            self._golds = [image_id for (image_id,) in self._cursor.fetchall()]
        if not self._golds:
            return None
        probability = 1 / len(self._golds)
        image_id = self._golds.pop(self._rng.randrange(len(self._golds)))
        self._cursor.execute(_GOLD_LOCK, [image_id])
        return Draw(image_id, GOLD, "gold photo", probability) if self._cursor.fetchone() else None


def _kinds_draw(campaign: Campaign, count: int, rng: random.Random) -> list[str]:
    """Return the kind of each of `count` new leases: REPEAT, GOLD, or '' for a rated photo."""
    if not (campaign.repeat_share or campaign.gold_share):
        return [""] * count
    shares = [campaign.repeat_share, campaign.gold_share]
    return rng.choices([REPEAT, GOLD, ""], [*shares, 1 - sum(shares)], k=count)


def _is_anchored_draw(campaign: Campaign, rng: random.Random) -> bool:
    """Return whether the lease joins the anchoring experiment. Never in prelabel mode, where all show it."""
    if not campaign.anchoring_share or campaign.mode == Campaign.Mode.PRELABEL:
        return False
    return rng.random() < campaign.anchoring_share


def _gap(before: float, position: float, length: float) -> float:
    """Return the distance from `before` up to `position` on a circle of this length; the length when they are equal."""
    return (position - before) % length or length


def _mixture_probability(shares: dict[str, float], first: dict[str, int], *, image_id: int, gap: float) -> float:
    """Return the probability that one draw gives the photo (see the module docstring).

    `first`: {lane: id of its first photo}, without lanes that have none. `gap`: in (0, 1], the photo's probability
    in the lane `random`.
    """
    return sum(share * (float(first[lane] == image_id) if lane in first else gap) for lane, share in shares.items())

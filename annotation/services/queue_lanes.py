"""What is mixed in among fresh photos, unmarked: hidden repeats, gold photos, the anchoring experiment.

Each share of the campaign is the probability that one fresh lease becomes such a lease; every
lease is drawn by itself. Where a repeat or a gold photo is drawn and there is none, the annotator
gets an ordinary photo. Repeats and gold photos only ever take the place of an ordinary photo: when
no ordinary photo is left for somebody, they are done.
"""

import random
from collections.abc import Collection
from typing import Any

from annotation.answers import independent_vote_sql
from annotation.models import Campaign

# So many answers lie between an answer and its hidden repeat, at least. Working memory holds about seven
# things, and a photo of half a minute ago is recognised by its score and not judged again; many more
# would keep short sessions from ever having a repeat.
REPEAT_AFTER = 10

ORDINARY, REPEAT, GOLD = "random", "repeat", "gold"  # the acquisitions of leases

# The annotator's answer at or after a random place in their history (and round the end), along the
# index annotation_history, so that the cost does not grow with the history. Answers given after a
# look at the prediction are left out: the second one would only repeat the prediction.
_REPEAT_HALF = f"""
SELECT image_id FROM (
  SELECT answer.image_id FROM annotation_annotation answer JOIN annotation_image image ON image.id = answer.image_id
  WHERE answer.campaign_id = %(campaign)s AND answer.annotator_id = %(annotator)s
    AND answer.id < span.before AND answer.id {{side}} draw.answer_id
    AND {independent_vote_sql("answer")}
    AND image.problem = '' AND image.role = 'rated' AND NOT image.id = ANY(%(known)s)
    AND NOT EXISTS (SELECT FROM annotation_assignment repeat WHERE repeat.is_repeat
                    AND repeat.image_id = answer.image_id AND repeat.annotator_id = %(annotator)s)
  ORDER BY answer.id LIMIT 1 FOR UPDATE OF image SKIP LOCKED
) {{name}}
"""  # noqa: S608  # made of constants
_REPEATS = f"""
WITH recent AS (
  SELECT id FROM annotation_annotation
  WHERE campaign_id = %(campaign)s AND annotator_id = %(annotator)s AND supersedes_id IS NULL AND skip_reason = ''
  ORDER BY id DESC LIMIT %(apart)s
), span AS (
  SELECT min(id) AS before,
    (SELECT id FROM annotation_annotation WHERE campaign_id = %(campaign)s AND annotator_id = %(annotator)s
     ORDER BY id LIMIT 1) AS first
  FROM recent HAVING count(*) = %(apart)s
)
SELECT candidate.image_id
FROM span CROSS JOIN LATERAL (
  SELECT place, span.first + floor(start * (span.before - span.first))::bigint AS answer_id
  FROM unnest(%(starts)s::float8[]) WITH ORDINALITY AS random (start, place)
) draw CROSS JOIN LATERAL (
  {_REPEAT_HALF.format(side=">=", name="after")} UNION ALL {_REPEAT_HALF.format(side="<", name="before")} LIMIT 1
) candidate
ORDER BY draw.place
"""  # noqa: S608  # nothing but the constant above is put in

# Gold photos are few (index image_special), so all of them are looked at.
_GOLD = """
SELECT image.id FROM annotation_image image
WHERE image.campaign_id = %(campaign)s AND image.role = 'gold' AND image.problem = ''
  AND NOT image.id = ANY(%(known)s)
  AND NOT EXISTS (SELECT FROM annotation_assignment assignment
                  WHERE assignment.image_id = image.id AND assignment.annotator_id = %(annotator)s)
ORDER BY image.queue_position < %(start)s, image.queue_position LIMIT %(count)s
FOR UPDATE SKIP LOCKED
"""


def acquisitions_draw(*, campaign: Campaign, count: int, rng: random.Random) -> list[str]:
    """Return for each of `count` fresh leases whether it is ORDINARY, REPEAT or GOLD, as the shares have it."""
    if not (campaign.repeat_share or campaign.gold_share):
        return [ORDINARY] * count
    shares = [campaign.repeat_share, campaign.gold_share]
    return rng.choices([REPEAT, GOLD, ORDINARY], [*shares, 1 - sum(shares)], k=count)


def is_anchored_draw(*, campaign: Campaign, rng: random.Random) -> bool:
    """Return whether an ordinary lease shows its prediction first; in prelabel campaigns all do, so none is drawn."""
    if not campaign.anchoring_share or campaign.mode == Campaign.Mode.PRELABEL:
        return False
    return rng.random() < campaign.anchoring_share


def repeats_lock(cursor: Any, *, whose: dict[str, int], known: Collection[int], starts: list[float]) -> list[int]:
    """Lock a photo for each of `starts` (in [0, 1), places in the annotator's history) and return their ids.

    They are photos that the annotator has answered `REPEAT_AFTER` answers ago or earlier and has not
    been asked about twice; fewer than asked for when two places lead to one photo, or there are none.
    `whose` holds the ids "campaign" and "annotator".
    """
    cursor.execute(_REPEATS, {**whose, "known": list(known), "starts": starts, "apart": REPEAT_AFTER})
    return list(dict.fromkeys(row[0] for row in cursor.fetchall()))


def gold_lock(cursor: Any, *, whose: dict[str, int], known: Collection[int], count: int, start: float) -> list[int]:
    """Lock up to `count` gold photos that the annotator has not had, from the queue position `start`; return ids."""
    cursor.execute(_GOLD, {**whose, "known": list(known), "count": count, "start": start})
    return [row[0] for row in cursor.fetchall()]

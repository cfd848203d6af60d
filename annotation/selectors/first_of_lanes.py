"""The first photos of each queue lane that are open to an annotator. Claims and the page Next photos read them."""

from collections.abc import Collection
from typing import Any, NamedTuple

from annotation.models import Campaign

#: In place of an annotator's id: somebody who has not been asked about any photo.
NOBODY = 0

#: A photo open to the annotator, as SQL about `image` with the parameters `campaign`, `annotator` and `taken` (ids to
#: leave out). A photo with any assignment of this annotator is excluded: `_UNANSWERED` in `annotation.services.queue`
#: has already returned the unanswered ones.
IS_OPEN = """
image.campaign_id = %(campaign)s AND image.open_slots > 0 AND image.problem = '' AND image.role = 'rated'
    AND NOT image.id = ANY(%(taken)s)
    AND NOT EXISTS (SELECT FROM annotation_assignment assignment
                    WHERE assignment.image_id = image.id AND assignment.annotator_id = %(annotator)s)
"""

# By the index priority_order. The query does not lock the photos: the claim needs to know the first photo of every
# lane, but takes a photo of one lane. The inner LIMIT 1 makes the planner check one photo after the other in this
# order. Without it, the planner reads and sorts all photos of a campaign of 10,000.
_FIRST_OF_LANES = f"""
SELECT lane.name, candidate.image_id, candidate.priority, lane.reason
FROM annotation_queuelane lane CROSS JOIN LATERAL (
  SELECT head.image_id, head.priority FROM (
    SELECT image_id, priority FROM annotation_queuepriority
    WHERE lane_id = lane.id ORDER BY priority DESC LIMIT %(lane_rows)s
  ) head CROSS JOIN LATERAL (
    SELECT FROM annotation_image image WHERE image.id = head.image_id AND {IS_OPEN} LIMIT 1
  ) open_photo
  ORDER BY head.priority DESC LIMIT %(count)s
) candidate
WHERE lane.campaign_id = %(campaign)s AND lane.name = ANY(%(lanes)s)
ORDER BY lane.name, candidate.priority DESC
"""  # noqa: S608  # made of constants


class LaneHead(NamedTuple):
    """A photo that a lane may hand out."""

    lane: str
    image_id: int
    priority: float = 0.0
    reason: str = ""
    """A format string of the lane's row, '' for its own."""


def first_of_lanes(
    cursor: Any,
    campaign: Campaign,
    lanes: Collection[str],
    *,
    count: int,
    rows: int,
    annotator: int = NOBODY,
    taken: Collection[int] = (),
) -> dict[str, list[LaneHead]]:
    """Return up to `count` photos of each lane that has any, those with the highest priority first (one query).

    rows: how many of its first rows are searched for them. taken: photos to leave out.
    """
    parameters = {"campaign": campaign.pk, "annotator": annotator, "taken": list(taken)}
    cursor.execute(_FIRST_OF_LANES, {**parameters, "lanes": list(lanes), "count": count, "lane_rows": rows})
    found: dict[str, list[LaneHead]] = {}
    for row in cursor.fetchall():
        head = LaneHead(*row)
        found.setdefault(head.lane, []).append(head)
    return found

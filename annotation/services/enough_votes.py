"""Photos stop when they have enough votes, and other photos get the votes that these do not need.

Workers do it after each refresh of the consensus. The rule and the plan are in `annotation.consensus.enough_votes`. It
takes rated photos of the training split without a problem: votes on the holdout evaluate models, and a number of votes
that depends on the votes would choose photos on which people happened to agree.

A photo for which a reviewer has asked for more votes (`annotation.services.vote_requests`) gets them and does not stop.

The plan depends only on the present votes, leases, requests and settings. So other settings change it back:
`campaign_update` gives every photo its usual number, and the next refresh plans again.
"""

import numpy as np
from django.db import connection, transaction

from annotation.consensus.enough_votes import votes_plan
from annotation.models import Campaign
from annotation.selectors.enough_votes import photos_to_stop, stop_rule

_BATCH = 2000

# Photos that are locked or have changed since they were read wait for the next refresh. The change of `open_slots`
# keeps the equation of `annotation.services.queue`.
_SET = """
WITH locked AS (
  SELECT image.id FROM annotation_image image
  JOIN unnest(%(images)s::bigint[], %(votes)s::bigint[], %(slots)s::bigint[]) AS seen (id, votes, slots)
    ON image.id = seen.id AND image.vote_count = seen.votes AND image.open_slots = seen.slots
  WHERE image.campaign_id = %(campaign)s ORDER BY image.id FOR NO KEY UPDATE OF image SKIP LOCKED
)
UPDATE annotation_image image
SET votes_needed = plan.needed, open_slots = image.open_slots + plan.needed - image.votes_needed
FROM unnest(%(images)s::bigint[], %(needed)s::bigint[]) AS plan (id, needed), locked
WHERE image.id = plan.id AND locked.id = plan.id
"""


def votes_needed_plan(*, campaign: Campaign) -> int:
    """Give each photo of an active campaign the votes that it needs by the campaign's targets; return how many changed.

    Does nothing without a target.
    """
    rule = stop_rule(campaign)
    if not rule.is_on or campaign.state != Campaign.State.ACTIVE:
        return 0
    photos = photos_to_stop(campaign)
    reached = photos.reached(rule)
    needed = votes_plan(
        rule,
        votes=photos.votes,
        leases=photos.leases,
        usual=photos.usual(campaign),
        reached=reached,
        errors=photos.errors,
    )
    places = np.flatnonzero(needed != photos.needed)
    changed = 0
    for start in range(0, len(places), _BATCH):
        part = places[start : start + _BATCH]
        columns = {
            "images": photos.image_ids[part].tolist(),
            "votes": photos.votes[part].tolist(),
            "slots": (photos.needed - photos.votes - photos.leases)[part].tolist(),
            "needed": needed[part].tolist(),
        }
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_SET, {**columns, "campaign": campaign.pk})
            changed += cursor.rowcount
    return changed

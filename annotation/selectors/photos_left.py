"""How many photos are left for a person: what can still be handed out to them now."""

from collections.abc import Collection

from django.db import connection

from annotation.models import Campaign, User

#: Counting stops here, because nobody plans by the difference between 2,000 and 200,000 photos.
MOST = 2_000

# Of each campaign: photos with an open slot that the person has neither answered, skipped nor leased, and the person's
# own leases. Hidden repeats and gold photos are left out: they come in between, and the person must not notice them.
_LEFT = """
SELECT campaign.id,
  (SELECT count(*) FROM (
     SELECT FROM annotation_image image
     WHERE image.campaign_id = campaign.id AND image.problem = '' AND image.role = 'rated' AND image.open_slots > 0
       AND NOT EXISTS (
         SELECT FROM annotation_assignment mine
         WHERE mine.image_id = image.id AND mine.annotator_id = %(annotator)s AND NOT mine.is_repeat
           AND mine.state IN ('done', 'skipped', 'leased'))
     LIMIT %(most)s) open)
  + (SELECT count(*) FROM annotation_assignment mine JOIN annotation_image image ON image.id = mine.image_id
     WHERE mine.campaign_id = campaign.id AND mine.annotator_id = %(annotator)s AND mine.state = 'leased'
       AND NOT mine.is_repeat AND image.problem = '' AND image.role = 'rated')
FROM annotation_campaign campaign WHERE campaign.id = ANY(%(campaigns)s) AND campaign.state = 'active'
"""


def photos_left(campaign: Campaign, annotator: User) -> int:
    """Return how many photos are left for the person in the campaign, at most `MOST` (one query)."""
    return photos_left_of([campaign.pk], annotator)[campaign.pk]


def photos_left_of(campaign_ids: Collection[int], annotator: User) -> dict[int, int]:
    """Return {campaign id: photos left for the person, at most `MOST`} (one query). Paused and closed ones have 0."""
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, {"campaigns": list(campaign_ids), "annotator": annotator.pk, "most": MOST})
        found = {campaign: min(count, MOST) for campaign, count in cursor.fetchall()}
    return {campaign: found.get(campaign, 0) for campaign in campaign_ids}


def photos_left_text(count: int) -> str:
    """Return the number for people: 1,234, or 2,000+ where counting has stopped."""
    return f"{count:,}+" if count >= MOST else f"{count:,}"

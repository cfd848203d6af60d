"""The last answers of one annotator, for the overview."""

from annotation.models import Annotation, Campaign, User
from annotation.selectors.votes import own_standing


def last_answers(campaign: Campaign, annotator: User, *, count: int) -> list[Annotation]:
    """Return up to `count` standing answers and skips with their photos, newest first (one query)."""
    rows = own_standing(campaign, annotator).filter(image__withdrawn_at=None).select_related("image")
    return list(rows.order_by("-pk")[:count])

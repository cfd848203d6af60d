"""How many photos are left for one annotator. The home page, the overview and the annotate page say the same number."""

from collections.abc import Mapping

from django.db.models import Count, F

from annotation.models import Assignment, Campaign, Image, User
from annotation.selectors.progress import Progress, campaign_progress


def photos_left(annotator: User, progress: Mapping[int, Progress]) -> dict[int, int]:
    """Return {campaign id: photos left} from the progress of the campaigns (one query, over the annotator's own work).

    These are the rated photos that still need votes, without those that the annotator has answered or skipped. Other
    annotators may answer some of them first, so it is the most that can come.
    """
    own = (
        Assignment.objects.filter(
            annotator=annotator,
            campaign__in=list(progress),
            state__in=[Assignment.State.DONE, Assignment.State.SKIPPED],
            is_repeat=False,
            image__problem="",
            image__role=Image.Role.RATED,
            image__withdrawn_at=None,
            image__vote_count__lt=F("image__votes_needed"),
        )
        .order_by()
        .values_list("campaign_id")
        .annotate(Count("pk"))
    )
    done = dict(own)
    return {pk: max(one.images - one.complete_images - done.get(pk, 0), 0) for pk, one in progress.items()}


def photos_left_of(campaign: Campaign, annotator: User) -> int:
    """Return how many photos of one campaign are left for the annotator (two queries at most)."""
    return photos_left(annotator, {campaign.pk: campaign_progress(campaign)})[campaign.pk]

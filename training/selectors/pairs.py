"""Whether a comparison of two versions is still up to date."""

from django.db.models import Count, Q

from annotation.models import Image
from annotation.selectors.votes import votes_of
from training.evaluation.findings import evaluation_age
from training.models import VersionComparison


def votes_since(comparison: VersionComparison) -> str:
    """Return how the holdout votes have changed since a comparison, as a sentence; '' if they have not (one query)."""
    if comparison.made_at is None:
        return ""
    counts = votes_of(comparison.campaign, split=Image.Split.HOLDOUT, for_evaluation=True).aggregate(
        now=Count("pk"), newer=Count("pk", filter=Q(created_at__gt=comparison.made_at))
    )
    return evaluation_age(
        newer=counts["newer"], counted_then=comparison.result["vote_count"], counted_now=counts["now"]
    )

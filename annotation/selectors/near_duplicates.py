"""What the comparison of photos has found in a campaign."""

from dataclasses import dataclass

from django.db.models import Count, Max, Q

from annotation.models import Campaign, DuplicateLink, Image, SplitChange


@dataclass(frozen=True)
class DuplicatesSummary:
    """Near-duplicates that were found after the import, and what followed."""

    joined: int
    """Groups that became part of another one."""
    to_holdout: int
    """Photos that went from train to the holdout."""
    to_neither: int
    """Photos that went to neither split."""
    newest: object
    """When the last photo changed its split; None if none has."""


def duplicates_summary(campaign: Campaign) -> DuplicatesSummary:
    """Count the joined groups and the photos that changed their split (two queries)."""
    changes = SplitChange.objects.filter(image__campaign=campaign).aggregate(
        to_holdout=Count("pk", filter=Q(after=Image.Split.HOLDOUT)),
        to_neither=Count("pk", filter=Q(after=Image.Split.NEITHER)),
        newest=Max("at"),
    )
    return DuplicatesSummary(
        joined=DuplicateLink.objects.filter(image__campaign=campaign).count(),
        to_holdout=changes["to_holdout"],
        to_neither=changes["to_neither"],
        newest=changes["newest"],
    )

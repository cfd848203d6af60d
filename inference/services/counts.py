"""Counts of large campaigns by this app, which workers make (`annotation.services.kept_counts`)."""

from annotation.models import Campaign
from annotation.services.kept_counts import Count, KeptCounts, count_register
from inference.selectors import Backlog, WorkCounts, backlog, distortions_queue, work_counts
from inference.services.near_duplicates import photos_to_compare
from inference.serving.model_check import backbone_problem


def _backlog(campaign: Campaign, *, backbone: str, problem: str) -> Backlog:
    return backlog(campaign)


def _distortions(campaign: Campaign) -> WorkCounts:
    return work_counts(campaign, distortions_queue())


def _to_compare(campaign: Campaign) -> int:
    return photos_to_compare(campaign).count()


BACKLOG = count_register(Count("backlog", Backlog, _backlog))
DISTORTIONS = count_register(Count("distortions", WorkCounts, _distortions))
TO_COMPARE = count_register(Count("to-compare", int, _to_compare))


def backlog_of(kept: KeptCounts) -> Backlog | None:
    """Return the counts of the features queue. A problem with the backbone needs a new count, and its end too."""
    campaign = kept.campaign
    return kept.get(BACKLOG, backbone=campaign.backbone, problem=backbone_problem(campaign.backbone))

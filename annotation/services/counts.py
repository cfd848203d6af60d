"""Counts of large campaigns by this app, which workers make (`kept_counts`)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from annotation.models import LIVE, Annotation, Campaign, Image, PhotoConsensus, StoredCount
from annotation.selectors.adjudications import DisputedPhotos, disputed_counts, disputed_photos
from annotation.selectors.enough_votes import Forecast, stop_rule, votes_still_needed
from annotation.selectors.progress import STORED_NAME, Progress, progress_count
from annotation.services.kept_counts import LARGE, Count, KeptCounts, count_register, kept_counts_of

# In a closed campaign only an admin changes something. Pages use a progress of up to ten minutes.
_CLOSED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class ExportRows:
    """How many rows the large exports of a campaign have."""

    answers: int
    photos: int
    rated: int
    """Photos with votes."""


def _forecast(campaign: Campaign, *, targets: str) -> Forecast:
    return votes_still_needed(campaign)


def _export_rows(campaign: Campaign) -> ExportRows:
    return ExportRows(
        answers=Annotation.objects.filter(campaign=campaign).count(),
        photos=campaign.images.filter(LIVE).count(),
        rated=PhotoConsensus.objects.filter(campaign=campaign).count(),
    )


def _progress(campaign: Campaign) -> Progress:
    return progress_count([campaign.pk]).get(campaign.pk, Progress())


FORECAST = count_register(Count("forecast", Forecast, _forecast))
DISPUTED = count_register(Count("disputed", DisputedPhotos, disputed_photos))
EXPORT_ROWS = count_register(Count("export-rows", ExportRows, _export_rows))
PROGRESS = count_register(Count(STORED_NAME, Progress, _progress))


def forecast_of(kept: KeptCounts) -> Forecast | None:
    """Return the votes that a campaign still needs. Other targets need a new count."""
    return kept.get(FORECAST, targets=str(stop_rule(kept.campaign)))


def disputed_of(campaigns: Collection[Campaign], *, large: Collection[int]) -> tuple[dict[int, int], list[KeptCounts]]:
    """Return {campaign id: disputed photos} without zeros, and the counts to announce (three queries).

    large: ids of campaigns with more than `LARGE` photos. They are left out before a worker has counted.
    """
    found = disputed_counts([one for one in campaigns if one.pk not in large])
    kept = kept_counts_of([one for one in campaigns if one.pk in large])
    found |= {one.campaign.pk: photos.count for one in kept if (photos := one.get(DISPUTED)) and photos.count}
    return found, kept


def counts_of(campaign: Campaign) -> KeptCounts:
    """Return the counts of a page (one query)."""
    return KeptCounts(campaign, is_large=_is_large(campaign))


def progress_ask() -> None:
    """Queue the progress of large campaigns where it is old, for the sweep. Pages do not ask for it themselves.

    Two queries, and one for each campaign whose progress is old.
    """
    stored = StoredCount.objects.filter(name=PROGRESS.name)
    fresh = stored.filter(campaign__state=Campaign.State.CLOSED, made_at__gt=timezone.now() - _CLOSED_AFTER)
    one_too_many = Image.objects.filter(campaign=OuterRef("pk")).order_by().values("pk")[LARGE : LARGE + 1]
    large = Q(pk__in=stored.values("campaign_id")) | Exists(one_too_many)
    for kept in kept_counts_of(Campaign.objects.filter(large).exclude(pk__in=fresh.values("campaign_id"))):
        kept.get(PROGRESS)


def _is_large(campaign: Campaign) -> bool:
    return campaign.images.order_by().values("pk")[LARGE : LARGE + 1].exists()

"""Photos whose files are missing or damaged, by the last check."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf

from annotation.models import HAS_ORIGINAL, Campaign, Image, PhotoFile

# Few files are damaged, and the index `photo_file_damaged` finds them. The photos are found by campaign and SHA-256.
_COUNTS = """
SELECT image.campaign_id, count(*) FILTER (WHERE file.finding <> ''), count(*) FILTER (WHERE file.finding = '')
FROM annotation_photofile file JOIN annotation_image image ON image.sha256 = file.sha256
WHERE (file.finding <> '' OR file.thumbnail_finding <> '') AND image.campaign_id = ANY(%s)
  AND image.withdrawn_at IS NULL AND image.original_deleted_at IS NULL
GROUP BY image.campaign_id
"""


@dataclass(frozen=True)
class DamagedCounts:
    """Numbers of photos with a finding about their files."""

    originals: int = 0
    """Photos whose original is missing or damaged; annotators do not get them."""
    thumbnails: int = 0
    """Other photos whose thumbnail is missing or damaged."""

    @property
    def total(self) -> int:
        """Return how many photos there are."""
        return self.originals + self.thumbnails


def damaged_counts(campaign_ids: Collection[int]) -> dict[int, DamagedCounts]:
    """Return {campaign id: counts} of these campaigns; those without damaged files are left out (one query)."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [list(campaign_ids)])
        return {campaign: DamagedCounts(originals, thumbnails) for campaign, originals, thumbnails in cursor.fetchall()}


def photo_file(image: Image) -> PhotoFile | None:
    """Return the last check of a photo's files, None if there was none (one query)."""
    return PhotoFile.objects.filter(sha256=image.sha256).first()


def file_finding() -> Coalesce:
    """Return an expression for photos: what is wrong with the original, else with the thumbnail, or ""."""
    files = PhotoFile.objects.filter(sha256=OuterRef("sha256"))
    sentence = files.values_list(Coalesce(NullIf("finding", Value("")), "thumbnail_finding"))
    return Coalesce(Subquery(sentence), Value(""))


def damaged_photos(campaign: Campaign) -> QuerySet[Any, Any]:
    """Return the campaign's photos with a finding, each with `finding`, oldest first."""
    files = PhotoFile.objects.filter(~Q(finding="") | ~Q(thumbnail_finding="")).values("sha256")
    return campaign.images.filter(HAS_ORIGINAL, sha256__in=files).annotate(finding=file_finding()).order_by("pk")

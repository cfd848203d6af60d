"""Near-duplicates by features: finds the copies that no hash shows, when workers have looked at the photos.

Each photo is compared once with all photos of its campaign that were compared before, in matrix products of a few
thousand photos. Then the groups of near photos are joined (`annotation.services.photo_groups`).
"""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from annotation.models import Campaign
from annotation.photos.near_duplicates import Limits, Link, Photos, Rows, duplicate_links, unit_rows
from annotation.services.photo_groups import JoinedGroups, groups_join
from annotation.services.turns import turn_lock
from inference.models import ComparedPhoto, Feature
from inference.networks.config import WeightsMissing, without_sizes
from inference.selectors import backbone_key, features_unpack
from inference.services.similarity import pooled_part
from inference.serving import runtime

#: Increase it when the rule changes. Then all photos are compared again.
RULE = 1
#: From which cosine photos are near-duplicates, by backbone: of features minus the mean of the campaign, and, while
#: fewer than `FEWEST` photos have features, of the features themselves. Chosen by `benchmarks/near_duplicates.py`.
LIMITS = {
    "efficientnet_lite0": (Limits(0.8, 0.5), Limits(0.85, 0.6)),
    "efficientnet_lite2": (Limits(0.86, 0.5), Limits(0.88, 0.6)),
}
#: For backbones that nobody has measured: the hashes decide.
_BY_HASH = Limits(2.0, -1.0)
FEWEST = 100
_SAMPLE = 2000  # photos for the mean
_PHOTOS = 2048
_OTHERS = 8192


@dataclass(frozen=True)
class Compared:
    """What a comparison has done."""

    photos: int = 0
    """Photos that were compared."""
    links: int = 0
    """Pairs of near-duplicates found."""
    joined: JoinedGroups = field(default_factory=JoinedGroups)


def comparison_key(backbone: str) -> str:
    """Return the key of the present rule: backbone key and version. Raises WeightsMissing as `backbone_key` does."""
    return f"{backbone_key(backbone)}/{RULE}"


def photos_to_compare(campaign: Campaign) -> QuerySet[Feature]:
    """Return the features of the campaign's photos that were not compared yet, without withdrawn photos."""
    return _features(campaign).exclude(_is_compared(campaign.backbone))


def campaigns_to_compare() -> list[int]:
    """Return the ids of the campaigns with photos that were not compared yet.

    While more photos of a campaign wait for their features, it is left out until there are enough for one comparison:
    each comparison reads the features of the whole campaign. A backbone whose weights are missing is left out.
    """
    found: list[int] = []
    for backbone in Campaign.objects.order_by("backbone").values_list("backbone", flat=True).distinct():
        with suppress(WeightsMissing):  # the sweep of the inference app logs it
            found += _campaigns_of(backbone)
    return found


def _campaigns_of(backbone: str) -> list[int]:
    work = Feature.objects.filter(
        image__campaign=OuterRef("pk"), image__withdrawn_at=None, backbone=backbone_key(backbone)
    )
    unfinished = work.filter(state__in=[Feature.State.QUEUED, Feature.State.RUNNING])
    waiting = work.filter(state=Feature.State.DONE).exclude(_is_compared(backbone))
    campaigns = Campaign.objects.filter(Exists(waiting), backbone=backbone).annotate(has_more=Exists(unfinished))
    return [one.pk for one in campaigns.order_by("pk") if not one.has_more or photos_to_compare(one).count() >= _PHOTOS]


def comparisons_forget(*, campaign: Campaign) -> None:
    """Forget which photos of a campaign were compared, so that all are compared again. Joined groups stay."""
    ComparedPhoto.objects.filter(image__campaign=campaign).delete()


def near_duplicates_join(
    *,
    campaign: Campaign,
    learned_from: Callable[[Collection[int]], Collection[int]],
    seconds: float = float("inf"),
    stop: Callable[[], bool] = lambda: False,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Compared:
    """Compare the photos that were not compared yet, and join the groups of near-duplicates.

    Ends after `seconds` or when `stop` says so; another call goes on. May run twice, also at the same time. `report`
    gets the number of compared photos and of all photos to compare. `learned_from`: see `groups_join`. Raises
    WeightsMissing.
    """
    key = comparison_key(campaign.backbone)
    # A photo that is put back later is compared again, with the photos that came meanwhile.
    ComparedPhoto.objects.filter(image__in=campaign.images.filter(withdrawn_at__isnull=False)).delete()
    waiting = photos_to_compare(campaign)
    total, done = waiting.count(), 0
    links = 0
    until = time.monotonic() + seconds
    joined = JoinedGroups()
    report(0, total)
    centre = _centre(campaign) if total else None
    while time.monotonic() < until and not stop():
        with transaction.atomic():
            # Two calls at the same time would not compare their photos with each other's.
            turn_lock(f"near-duplicates {campaign.pk}")
            photos = _read(waiting.order_by("image")[:_PHOTOS], centre, campaign.backbone)
            if not len(photos.ids):
                break
            ComparedPhoto.objects.bulk_create(ComparedPhoto(image_id=pk, key=key) for pk in photos.ids.tolist())
            found = _links(campaign, photos, centre)
            joined += groups_join(campaign=campaign, links=found, learned_from=learned_from)
        links += len(found)
        done += len(photos.ids)
        report(done, max(done, total))
    return Compared(done, links, joined)


def _links(campaign: Campaign, photos: Photos, centre: Rows | None) -> list[Link]:
    """Compare some photos with all compared photos of the campaign, and with each other."""
    with_mean, without_mean = LIMITS.get(
        without_sizes(runtime.backbone_chosen(campaign.backbone).name), (_BY_HASH, _BY_HASH)
    )
    compared = _features(campaign).filter(_is_compared(campaign.backbone)).order_by("image")
    links: list[Link] = []
    last = 0
    while True:
        others = _read(compared.filter(image__gt=last)[:_OTHERS], centre, campaign.backbone)
        if not len(others.ids):
            return links
        links += duplicate_links(photos, others, without_mean if centre is None else with_mean)
        last = int(others.ids[-1])


def _centre(campaign: Campaign) -> Rows | None:
    """Return the mean features [P] of at most 2,000 photos of the campaign; None if fewer than `FEWEST` have some."""
    sample = _features(campaign).order_by("image__queue_position", "image")[:_SAMPLE]
    pooled = list(sample.annotate(pooled=pooled_part(campaign.backbone)).values_list("pooled", flat=True))
    return features_unpack(pooled).mean(axis=0) if len(pooled) >= FEWEST else None


def _features(campaign: Campaign) -> QuerySet[Feature]:
    return Feature.objects.filter(
        image__campaign=campaign,
        image__withdrawn_at=None,
        backbone=backbone_key(campaign.backbone),
        state=Feature.State.DONE,
    )


def _is_compared(backbone: str) -> Exists:
    return Exists(ComparedPhoto.objects.filter(image=OuterRef("image"), key=comparison_key(backbone)))


def _read(rows: QuerySet[Feature], centre: Rows | None, backbone: str) -> Photos:
    found = list(rows.annotate(pooled=pooled_part(backbone)).values_list("image_id", "image__phash", "pooled"))
    numbers = np.array([row[:2] for row in found], dtype=np.int64).reshape(-1, 2)
    if not found:
        return Photos(numbers[:, 0], numbers[:, 1], np.zeros((0, 0), dtype=np.float32))
    return Photos(numbers[:, 0], numbers[:, 1], unit_rows(features_unpack([row[2] for row in found]), centre))

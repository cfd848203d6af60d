"""Priorities of the queue lanes. Workers write them; claims in `annotation.services.queue_lanes` read them."""

import random
import time
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import Campaign, QueueLane
from annotation.services.lane_registry import RANDOM, Lane, lane_register, lane_shares_known
from inference.acquisition.reasons import CHAMPION_UNSURE, start_reason
from inference.acquisition.registry import STRATEGIES
from inference.acquisition.strategy import Pool, Strategy
from inference.models import DecisionRule
from inference.postgres.copy import rows_write
from inference.services.queue_pool import QueuePool

# Minimum time between two refreshes of a lane, and the largest share of a worker's time for it.
_REFRESH_AFTER = timedelta(seconds=30)
_SHARE_OF_TIME = 0.05

#: Photos of a lane that get a priority, the first ones. When they are used up, the lane `random` takes its place.
MOST_PHOTOS = 10_000


def lanes_register() -> None:
    """Register every strategy as a queue lane that campaigns can use; `RANDOM` is registered already."""
    for strategy in STRATEGIES.values():
        if strategy.name != RANDOM:
            lane_register(Lane(strategy.name, strategy.label, strategy.description, strategy.reason))


def campaigns_due() -> Iterator[int]:
    """Yield the ids of active campaigns with a lane whose priorities are missing or may be stale."""
    rows: dict[int, list[QueueLane]] = {}
    for row in QueueLane.objects.filter(campaign__state=Campaign.State.ACTIVE):
        rows.setdefault(row.campaign_id, []).append(row)
    for campaign in Campaign.objects.filter(state=Campaign.State.ACTIVE).only("id", "lane_shares"):
        stored = {row.name: row for row in rows.get(campaign.pk, [])}
        names = {strategy.name for strategy in strategies_of(campaign)}
        if stored.keys() != names or any(_is_due(row) for row in stored.values()):
            yield campaign.pk


def strategies_of(campaign: Campaign) -> list[Strategy]:
    """Return the strategies with a share of the campaign's queue, without `RANDOM`, which needs no priorities."""
    return [
        STRATEGIES[name] for name in lane_shares_known(campaign.lane_shares) if name in STRATEGIES.keys() - {RANDOM}
    ]


def priorities_refresh(*, campaign: Campaign) -> int:
    """Write the priorities of the campaign's lanes, each lane in one transaction; return how many were written.

    A lane is skipped if its inputs have not changed and no photo was claimed from it, or if another worker is writing
    it. The rows of lanes that the campaign no longer uses are deleted. Until the commit, claims use the old priorities.
    """
    strategies = strategies_of(campaign)
    QueueLane.objects.filter(campaign=campaign).exclude(name__in=[strategy.name for strategy in strategies]).delete()
    if not strategies:
        return 0
    start = time.monotonic()
    pool = QueuePool(campaign, np.random.default_rng(random.SystemRandom().getrandbits(62)))
    reading = time.monotonic() - start
    if pool.decided[0]:
        DecisionRule.objects.filter(campaign=campaign, left_queue_at=None).update(left_queue_at=timezone.now())
    return sum(_lane_write(campaign, strategy, pool, reading) for strategy in strategies)


def _is_due(lane: QueueLane) -> bool:
    if lane.refreshed_at is None:
        return True
    pause = max(_REFRESH_AFTER, timedelta(seconds=lane.seconds / _SHARE_OF_TIME))
    return lane.refreshed_at + pause <= timezone.now()


@transaction.atomic
def _lane_write(campaign: Campaign, strategy: Strategy, photos: QueuePool, reading: float) -> int:
    start = time.monotonic()
    QueueLane.objects.get_or_create(campaign=campaign, name=strategy.name)
    lane = QueueLane.objects.select_for_update(skip_locked=True).filter(campaign=campaign, name=strategy.name).first()
    if lane is None:  # another worker is writing it
        return 0
    fingerprint = photos.fingerprint(strategy)
    lane.decided_photos, lane.decided_votes = photos.decided
    if lane.fingerprint == fingerprint and lane.priorities.count() == lane.photos:
        lane.refreshed_at = timezone.now()
        lane.save(update_fields=["refreshed_at", "decided_photos", "decided_votes"])
        return 0
    pool = photos.pool(strategy)
    lane.seed = random.SystemRandom().getrandbits(62)
    priorities = strategy.priorities(pool, np.random.default_rng(lane.seed))
    if priorities.shape != (len(pool),) or not np.isfinite(priorities).all():
        raise ValueError(
            gettext("The strategy %(name)s must give one finite number for each photo.")
            % {"name": f"{strategy.name!r}"}
        )
    kept = np.arange(len(pool))
    if len(pool) > MOST_PHOTOS:
        kept = np.argpartition(-priorities, MOST_PHOTOS)[:MOST_PHOTOS]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotation_queuepriority WHERE lane_id = %s", [lane.pk])
    rows_write(
        "annotation_queuepriority",
        {
            "lane_id": np.full(len(kept), lane.pk),
            "image_id": pool.image_ids[kept],
            "priority": priorities[kept].astype(np.float64),
        },
    )
    lane.refreshed_at, lane.seconds = timezone.now(), reading + time.monotonic() - start
    lane.photos, lane.fingerprint, lane.reason = len(kept), fingerprint, _reason(strategy, pool, photos)
    lane.save()
    return len(kept)


def _reason(strategy: Strategy, pool: Pool, photos: QueuePool) -> str:
    """Return why the photos of the lane are chosen: '' for the strategy's own reason, or what it starts with."""
    if strategy.score_column is None:
        return ""
    if getattr(pool, strategy.score_column) is not None:
        is_of_champion = strategy.score_column == "watch_probability" and photos.is_watch_of_champion
        return CHAMPION_UNSURE if is_of_champion else ""
    order = "typical_first" if pool.features is not None else "fewest_votes"
    return start_reason(STRATEGIES[order].reason, strategy.score_column)

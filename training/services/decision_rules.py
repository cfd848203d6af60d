"""How a new version decides: what its watch threshold is chosen for, and how its predicted means become classes."""

from typing import Literal

import numpy as np

from annotation.measures.distribution import mean_score
from annotation.models import LIVE, Campaign
from inference.selectors import feature_matrix
from training.learning.class_spread import class_spread
from training.learning.dataset import RatedImages
from training.learning.quality_data import predicted
from training.learning.recipe import FittedHeads
from training.learning.watch_thresholds import WatchAim

_SPREAD_PHOTOS = 1000


def watch_aim_of(campaign: Campaign) -> WatchAim:
    """Return what the watch threshold of a version is chosen for."""
    names: dict[str, Literal["fixed", "f1", "cost", "misses"]] = {
        Campaign.WatchAim.FIXED: "fixed",
        Campaign.WatchAim.F1: "f1",
        Campaign.WatchAim.COST: "cost",
        Campaign.WatchAim.MISSES: "misses",
    }
    return WatchAim(
        campaign.watch_threshold, names[campaign.watch_aim], cost=campaign.watch_miss_cost, misses=campaign.watch_misses
    )


def class_spread_of(campaign: Campaign, fitted: FittedHeads, rated: RatedImages, backbone: str) -> tuple[float, float]:
    """Return stretch and shift of the predicted means, from up to 1,000 photos that were not learned from."""
    others = campaign.images.filter(LIVE).exclude(pk__in=rated.image_ids.tolist()).order_by("sha256")
    _, features = feature_matrix(list(others.values_list("pk", flat=True)[:_SPREAD_PHOTOS]), backbone)
    if not len(features):
        return 1.0, 0.0
    means = mean_score(predicted(fitted.heads, features), lowest=campaign.scale_min)
    return class_spread(np.asarray(means), rated.part(rated.has_scores), lowest=campaign.scale_min)

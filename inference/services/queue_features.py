"""The main directions of photos' features, for queue strategies. Kept in the memory of a worker between refreshes."""

import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.models import Campaign
from inference.networks.config import WeightsMissing
from inference.postgres.copy import pooled_read
from inference.selectors import backbone_key
from inference.serving import runtime

Directions = NDArray[np.float32]

#: Directions that the quick models of the queue learn from, and how many of them strategies compare photos by.
DIRECTIONS, COMPARED = 256, 64
# Photos that the directions are fitted to. They are fitted again when photos were twice as many.
_FITTED = 2000
_CHUNK = 5000
# Campaigns that one worker remembers: 50,000 photos take about 50 MB.
_CAMPAIGNS = 3


@dataclass(frozen=True)
class _Projection:
    """Standardised features on their principal components, with a mean squared length of 1."""

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    """[P, D], divided by the standard deviations of the features and by the length."""
    photos: int
    """Photos that were known when it was fitted."""

    @classmethod
    def fit(cls, features: NDArray[np.float32], photos: int) -> "_Projection":
        from sklearn.decomposition import PCA  # loads SciPy, which web processes must not

        mean, deviation = features.mean(axis=0), features.std(axis=0)
        spread = np.where(deviation > 0, deviation + 1e-3, 1).astype(np.float32)
        inputs = (features - mean) / spread
        count = min(DIRECTIONS, *inputs.shape)
        components: NDArray[np.floating] = PCA(count, svd_solver="randomized", random_state=0).fit(inputs).components_.T
        length = float(np.sqrt(((inputs @ components) ** 2).sum(axis=1).mean()))
        return cls(
            mean.astype(np.float32), (components / spread[:, None] / max(length, 1e-9)).astype(np.float32), photos
        )

    def __call__(self, features: NDArray[np.float16]) -> Directions:
        return np.asarray((features.astype(np.float32) - self.mean) @ self.components, dtype=np.float32)


class _CampaignFeatures:
    """What a worker remembers of one campaign: the projection, and the rows of photos seen so far."""

    def __init__(self) -> None:
        self.projection: _Projection | None = None
        self.ids = np.zeros(0, dtype=np.int64)
        self.rows = np.zeros((0, 0), dtype=np.float32)

    def keep(self, ids: NDArray[np.int64], rows: Directions) -> None:
        """Add rows, and keep the ids ascending."""
        together = np.concatenate([self.ids, ids])
        order = np.argsort(together)
        self.ids = together[order]
        self.rows = (np.concatenate([self.rows, rows]) if len(self.ids) > len(ids) else rows)[order]


_remembered: OrderedDict[tuple[int, str], _CampaignFeatures] = OrderedDict()
_lock = threading.Lock()


def directions_of(campaign: Campaign, image_ids: NDArray[np.int64]) -> Directions | None:
    """Return the directions [N, D] of these photos; rows of NaN without features. None if fewer than 2 have features.

    `image_ids` [N], without repeats. Reads only the vectors that this worker has not seen yet. Photos that are not
    asked for are forgotten, so the memory stays as large as the request.
    """
    with suppress(WeightsMissing):  # pages say so
        key = backbone_key(campaign.backbone)
        with _lock:
            return _directions(campaign, key, np.asarray(image_ids, dtype=np.int64))
    return None


def _directions(campaign: Campaign, key: str, image_ids: NDArray[np.int64]) -> Directions | None:
    known = _remembered.setdefault((campaign.pk, key), _CampaignFeatures())
    _remembered.move_to_end((campaign.pk, key))
    while len(_remembered) > _CAMPAIGNS:
        _remembered.popitem(last=False)
    config = runtime.backbone_chosen(campaign.backbone)
    part = {"start": config.pooled_start, "size": config.pooled_size}
    if known.projection is None or len(known.ids) > 2 * known.projection.photos:
        sample = np.random.default_rng(campaign.pk).permutation(image_ids)[:_FITTED]
        found, vectors = pooled_read(sample, key, **part)
        if len(found) < 2:
            return None
        seen = int(len(found) / max(len(sample), 1) * len(image_ids))
        known.projection = _Projection.fit(vectors.astype(np.float32)[np.argsort(found)], seen)
        known.ids, known.rows = np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float32)
    is_wanted = np.isin(known.ids, image_ids)
    known.ids, known.rows = known.ids[is_wanted], known.rows[is_wanted]
    missing = np.setdiff1d(image_ids, known.ids)
    for start in range(0, len(missing), _CHUNK):
        ids, vectors = pooled_read(missing[start : start + _CHUNK], key, **part)
        if len(ids):
            known.keep(ids, known.projection(vectors))
    if len(known.ids) < 2:
        return None
    places = np.minimum(np.searchsorted(known.ids, image_ids), len(known.ids) - 1)
    rows = known.rows[places]
    rows[known.ids[places] != image_ids] = np.nan
    return rows

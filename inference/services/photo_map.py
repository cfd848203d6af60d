"""The map of a campaign's photos: asked for by its page, made by a worker from stored features, and stored.

A page gets the stored map at once. When photos with features have come or gone since, a worker makes another one.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db.models import Count, Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from numpy.typing import NDArray

from annotation.models import Campaign, PhotoMap
from annotation.services.claims import Claims, Report
from annotation.services.figures_rows import claimed_compute, row_queue
from inference.models import Feature
from inference.networks.config import WeightsMissing
from inference.projection.layout import Components, clusters_of, grid_places, landmark_layout
from inference.selectors import backbone_key, backbone_of, champion, features_unpack, is_computed
from inference.services.similarity import pooled_part

CLAIMS = Claims(PhotoMap)
State = PhotoMap.State
#: With fewer photos, the gallery shows all of them at a glance.
FEWEST = 20
#: Changes when the places would be others for the same features.
_VERSION = 1
# The principal components are fitted to this many photos.
_FITTED = 20_000
_CHUNK = 2_000
# Least time between two maps, and the largest share of a worker's time for them.
_AGAIN_AFTER, _SHARE_OF_TIME = timedelta(minutes=2), 0.05
_SEED = 0


@dataclass(frozen=True)
class RequestedMap:
    """The stored map and how new it is."""

    row: PhotoMap
    photos: int
    """Photos with features now. Without a map, `FEWEST` of them are needed."""
    is_newest: bool


@dataclass(frozen=True)
class PlacedPhotos:
    """A stored map, as columns [N] by ascending image id."""

    image_ids: NDArray[np.int64]
    places: NDArray[np.uint16]
    """[N, 2], whole numbers 0 … `inference.projection.layout.SIDE`."""
    clusters: NDArray[np.uint8]


def photo_map_request(*, campaign: Campaign) -> RequestedMap:
    """Return the stored map, and ask for a newer one when it is old. The caller announces it when the row is queued.

    Two queries, and some more when there is something to do.
    """
    row, _ = PhotoMap.objects.get_or_create(campaign=campaign)
    features = _features(campaign)
    fingerprint, photos = _fingerprint(features)
    is_newest = row.fingerprint == fingerprint
    last = row.heartbeat_at if row.state == State.FAILED else row.made_at
    pause = max(_AGAIN_AFTER, timedelta(seconds=row.seconds / _SHARE_OF_TIME))
    if not is_newest and photos >= FEWEST and (last is None or last + pause <= timezone.now()):
        row_queue(row)
    return RequestedMap(row, photos, is_newest)


def photo_map_make(*, row: PhotoMap, report: Report | None = None) -> PhotoMap:
    """Make the map now, store and return it. Raises ValueError with fewer than `FEWEST` photos with features."""
    began = time.monotonic()
    tell = report or (lambda step, done, total: None)
    features = _features(row.campaign)
    fingerprint, photos = _fingerprint(features)
    if photos < FEWEST:
        raise ValueError(gettext("A map needs %(fewest)s photos with features.") % {"fewest": FEWEST})
    pks = np.array(features.order_by("image_id").values_list("pk", flat=True), dtype=np.int64)
    fitted = np.random.default_rng(_SEED).choice(pks, min(_FITTED, len(pks)), replace=False)
    backbone = _backbone(row.campaign)
    components = Components(
        np.concatenate(
            [vectors for _, vectors in _read(backbone, np.sort(fitted), gettext_noop("reading a sample"), tell)]
        )
    )
    ids, reduced = [], []
    for image_ids, vectors in _read(backbone, pks, gettext_noop("reading features"), tell):
        ids.append(image_ids)
        reduced.append(components.reduce(vectors))
    image_ids, table = np.concatenate(ids), np.concatenate(reduced)
    order = np.argsort(image_ids)
    image_ids, table = image_ids[order], table[order]
    points = landmark_layout(table, seed=_SEED, tell=lambda step: tell(step, 0, 0))
    tell(gettext_noop("finding clusters"), 0, 0)
    clusters = clusters_of(table, seed=_SEED)
    PhotoMap.objects.filter(pk=row.pk).update(
        state=State.IDLE,
        step="",
        message="",
        fingerprint=fingerprint,
        photos=len(image_ids),
        image_ids=image_ids.astype("<i8").tobytes(),
        places=grid_places(points).astype("<u2").tobytes(),
        clusters=clusters.astype("u1").tobytes(),
        made_at=timezone.now(),
        seconds=time.monotonic() - began,
    )
    row.refresh_from_db()
    return row


def claimed_photo_map_make(*, row: PhotoMap) -> bool:
    """Make the map of a claimed row, with a heartbeat. Return whether it worked; log and store a failure."""
    return claimed_compute(row, lambda tell: photo_map_make(row=row, report=tell))


def placed_photos(row: PhotoMap) -> PlacedPhotos:
    """Return the stored places."""
    return PlacedPhotos(
        image_ids=np.frombuffer(row.image_ids, "<i8").astype(np.int64),
        places=np.frombuffer(row.places, "<u2").astype(np.uint16).reshape(-1, 2),
        clusters=np.frombuffer(row.clusters, "u1"),
    )


def _backbone(campaign: Campaign) -> str:
    """Return the backbone whose features the map uses; '' if there is none.

    It is the campaign's, or the champion's while the campaign's has no features yet.
    """
    names = [campaign.backbone]
    version = champion(campaign)
    if version is not None and is_computed(version.backbone):
        names.append(backbone_of(version.backbone))
    for name in names:
        with suppress(WeightsMissing):
            if _done(campaign, name).exists():
                return name
    return ""


def _features(campaign: Campaign) -> QuerySet[Feature]:
    name = _backbone(campaign)
    return _done(campaign, name) if name else Feature.objects.none()


def _done(campaign: Campaign, backbone: str) -> QuerySet[Feature]:
    """Return the features of photos that are not withdrawn. Raises WeightsMissing."""
    return Feature.objects.filter(
        image__campaign=campaign,
        image__withdrawn_at=None,
        backbone=backbone_key(backbone),
        state=Feature.State.DONE,
    )


def _fingerprint(features: QuerySet[Feature]) -> tuple[str, int]:
    """Return the SHA-256 of what the map depends on, and the number of photos (one query)."""
    found = features.order_by().aggregate(count=Count("pk"), newest=Max("pk"), photo=Max("image_id"))
    text = f"{_VERSION}|{found['count']}|{found['newest']}|{found['photo']}"
    return hashlib.sha256(text.encode()).hexdigest(), found["count"]


def _read(
    backbone: str, pks: NDArray[np.int64], step: str, tell: Report
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield image ids and pooled features of these rows, some thousand at a time."""
    pooled = Feature.objects.annotate(pooled=pooled_part(backbone)).order_by("pk")
    for start in range(0, len(pks), _CHUNK):
        tell(step, start, len(pks))
        rows = list(pooled.filter(pk__in=pks[start : start + _CHUNK].tolist()).values_list("image_id", "pooled"))
        yield np.array([pk for pk, _ in rows], dtype=np.int64), features_unpack([vector for _, vector in rows])

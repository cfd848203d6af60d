"""Whether the choice of photos pays, how much of the pool it has covered, and how many votes are still needed.

It takes seconds, so a worker computes it (`training.services.stored_choices`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from django.db.models import F
from django.utils.translation import gettext_noop
from numpy.typing import NDArray

from annotation.measures.votes import VoteTable
from annotation.models import LIVE, QUEUED, Assignment, Campaign, Image, PhotoMap
from annotation.selectors.enough_votes import Forecast, votes_still_needed
from annotation.selectors.votes import vote_table
from annotation.services.claims import Report
from annotation.services.lane_registry import RANDOM
from annotation.services.queue_lanes import GOLD, REPEAT
from inference.models import Feature
from inference.networks.config import WeightsMissing
from inference.projection.coverage import Coverage, coverage
from inference.selectors import backbone_key, features_unpack
from inference.services.photo_map import placed_photos
from inference.services.similarity import pooled_part
from training.evaluation.order_curve import OrderCurve, OrderedAnswers, OrderTask, order_curve

#: A cluster is covered when it has this many rated photos.
RATED_PER_CLUSTER = 3
FEWEST_COVERED = 20
"""Below this number of photos with features, coverage says nothing."""
# Memory: features of more photos than this are not read at once.
_MOST_PHOTOS, _MOST_LEARNED = 20_000, 20_000
_CHUNK = 2_000


@dataclass(frozen=True)
class ClusterShare:
    """A cluster of the map of the photos."""

    number: int
    photos: int
    rated: int


@dataclass(frozen=True)
class ChoiceFigures:
    """The figures of the page Next photos that a worker computes."""

    score: OrderCurve | None
    score_missing: str
    """Why there is no curve, as a sentence."""
    watch: OrderCurve | None
    watch_missing: str
    coverage: Coverage | None
    clusters: list[ClusterShare]
    """Empty without a map."""
    pool: int
    """Photos in the queue."""
    rated: int
    """Those with a vote."""
    forecast: Forecast
    missing_photos: int
    """Photos that have not reached the campaign's targets, or that miss votes if there is no target."""

    @property
    def covered_clusters(self) -> int:
        """Return how many clusters have enough rated photos."""
        return sum(one.rated >= min(RATED_PER_CLUSTER, one.photos) for one in self.clusters)


def choice_figures(campaign: Campaign, tell: Report) -> tuple[ChoiceFigures, VoteTable]:
    """Return the figures and the votes that they come from; reads the features of up to 20,000 photos."""
    tell("reading votes", 0, 0)
    votes = vote_table(campaign, split=Image.Split.TRAIN, for_evaluation=True)
    curves: dict[OrderTask, OrderCurve | None] = {}
    missing: dict[OrderTask, str] = {}
    lanes = _lanes_of(campaign)
    features, ids, groups = _learned_features(campaign, votes)
    steps = (
        (OrderTask.SCORE, gettext_noop("comparing orders, scores")),
        (OrderTask.WATCH, gettext_noop("comparing orders, watches")),
    )
    for task, step in steps:
        curves[task], missing[task] = None, ""
        try:
            answers = _ordered(votes, lanes, task, ids, features, groups)
            curves[task] = order_curve(answers, task, seed=campaign.seed, progress=_progress(tell, step))
        except ValueError as error:
            missing[task] = str(error)
    tell("measuring coverage", 0, 0)
    pool = np.array(
        list(
            Image.objects.filter(LIVE, QUEUED, campaign=campaign)
            .order_by("pk")
            .values_list("pk", "vote_count", F("votes_needed") - F("vote_count"))
        ),
        dtype=np.int64,
    ).reshape(-1, 3)
    rated = pool[pool[:, 1] > 0, 0]
    forecast = votes_still_needed(campaign)
    figures = ChoiceFigures(
        score=curves[OrderTask.SCORE],
        score_missing=missing[OrderTask.SCORE],
        watch=curves[OrderTask.WATCH],
        watch_missing=missing[OrderTask.WATCH],
        coverage=_coverage(campaign, pool[:, 0], rated),
        clusters=_clusters(campaign, rated),
        pool=len(pool),
        rated=len(rated),
        forecast=forecast,
        missing_photos=forecast.photos - forecast.stopped if forecast.is_by_target else int((pool[:, 2] > 0).sum()),
    )
    return figures, votes


def _progress(tell: Report, step: str) -> Callable[[int, int], None]:
    return partial(tell, step)


def _lanes_of(campaign: Campaign) -> dict[tuple[int, int], str]:
    """Return {(photo, annotator): lane} of all answered leases (one query)."""
    rows = Assignment.objects.filter(campaign=campaign, is_repeat=False, state=Assignment.State.DONE)
    return {(image, annotator): lane for image, annotator, lane in rows.values_list("image", "annotator", "lane")}


def _ordered(
    votes: VoteTable,
    lanes: dict[tuple[int, int], str],
    task: OrderTask,
    ids: NDArray[np.int64],
    features: NDArray[np.float32],
    groups: NDArray[np.int64],
) -> OrderedAnswers:
    known = np.isin(votes.image_ids, ids)
    if task == OrderTask.WATCH:
        known &= votes.watch >= 0
    images, people = votes.image_ids[known], votes.annotator_ids[known]
    lane = np.array([lanes.get(key, "") for key in zip(images.tolist(), people.tolist(), strict=True)], dtype="U40")
    values = votes.watch[known] if task == OrderTask.WATCH else votes.scores[known]
    return OrderedAnswers(
        photos=np.searchsorted(ids, images),
        values=values.astype(np.float64),
        is_random=lane == RANDOM,
        is_chosen=~np.isin(lane, ["", RANDOM, REPEAT, GOLD]),
        features=features,
        groups=groups,
    )


def _learned_features(
    campaign: Campaign, votes: VoteTable
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return features [N, D], ids (ascending) and groups of the first photos with votes that have features."""
    first, place = np.unique(votes.image_ids, return_index=True)
    chosen = np.sort(first[np.argsort(place, kind="stable")][:_MOST_LEARNED])
    ids, features = _features(campaign, chosen)
    rows = Image.objects.filter(pk__in=ids.tolist()).order_by("pk").values_list("group", flat=True)
    _, groups = np.unique(np.array([str(group) for group in rows], dtype="U36"), return_inverse=True)
    return features, ids, groups.astype(np.int64)


def _coverage(campaign: Campaign, pool: NDArray[np.int64], rated: NDArray[np.int64]) -> Coverage | None:
    if len(pool) > _MOST_PHOTOS:
        pool = np.sort(np.random.default_rng(campaign.seed).choice(pool, _MOST_PHOTOS, replace=False))
    ids, features = _features(campaign, pool)
    if len(ids) < FEWEST_COVERED:
        return None
    return coverage(features, np.isin(ids, rated), seed=campaign.seed)


def _clusters(campaign: Campaign, rated: NDArray[np.int64]) -> list[ClusterShare]:
    row = PhotoMap.objects.filter(campaign=campaign).exclude(made_at=None).first()
    if row is None:
        return []
    placed = placed_photos(row)
    is_rated = np.isin(placed.image_ids, rated)
    return [
        ClusterShare(number, int((placed.clusters == number).sum()), int(is_rated[placed.clusters == number].sum()))
        for number in np.unique(placed.clusters).tolist()
    ]


def _features(campaign: Campaign, image_ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return ids (ascending) and pooled features of these photos; none when the backbone's weights are missing."""
    try:
        parts = list(_features_read(campaign.backbone, image_ids))
    except WeightsMissing:
        parts = []
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float32)
    return np.concatenate([ids for ids, _ in parts]), np.concatenate([vectors for _, vectors in parts])


def _features_read(
    backbone: str, image_ids: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    done = Feature.objects.filter(backbone=backbone_key(backbone), state=Feature.State.DONE)
    done = done.annotate(pooled=pooled_part(backbone)).order_by("image_id")
    for start in range(0, len(image_ids), _CHUNK):
        chunk = image_ids[start : start + _CHUNK].tolist()
        if rows := list(done.filter(image__in=chunk).values_list("image_id", "pooled")):
            yield np.array([pk for pk, _ in rows], dtype=np.int64), features_unpack([vector for _, vector in rows])

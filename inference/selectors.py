"""Queries on the tables of the inference app. Nothing here writes or loads a network."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

import numpy as np
from django.db.models import Case, Count, F, FilteredRelation, Min, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone
from django.utils.translation import gettext
from numpy.typing import NDArray

from annotation.models import HAS_ORIGINAL, LIVE, Campaign, Image, synset_name
from inference.distortion.combine import ALGORITHM_VERSION
from inference.models import Distortion, Feature, ModelVersion, PhotoWork, Prediction
from inference.networks.config import WeightsMissing
from inference.postgres.copy import predictions_read
from inference.serving import runtime
from inference.serving.model_check import backbone_problem

_Work = TypeVar("_Work", Feature, Distortion)
# The speed is estimated from the photos finished within this time.
_RATE_WINDOW = timedelta(minutes=3)
_RATE_PHOTOS = 8  # no estimate from fewer photos
_CLASSES_NAMED = 5  # in a sentence


@dataclass(frozen=True)
class WorkQueue(Generic[_Work]):
    """The work queue of one algorithm: the rows of `model` whose `column` is `key`."""

    model: type[_Work]
    column: str
    key: str | int

    @property
    def rows(self) -> QuerySet[_Work]:
        """Return the rows of all campaigns, in every state."""
        return self.model._default_manager.filter(**{self.column: self.key})

    def has_queued(self) -> bool:
        """Return whether a photo is queued (one query on an index)."""
        return self.rows.filter(state=PhotoWork.State.QUEUED).exists()

    def has_unfinished(self) -> bool:
        """Return whether a photo is queued, or claimed with a claim that may be stale."""
        # Two queries, because each state has an index of its own.
        return self.has_queued() or self.rows.filter(state=PhotoWork.State.RUNNING).exists()


@dataclass(frozen=True)
class WorkCounts:
    """Number of photos of a campaign in each state of a work queue."""

    queued: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    seconds_left: float | None = None
    """Estimated from the speed of the last minutes; None if nothing is left or too few photos were finished."""

    @property
    def waiting(self) -> int:
        """Return how many photos are queued or claimed."""
        return self.queued + self.running

    @property
    def time_left(self) -> str:
        """Return the time left in words, or ''."""
        if self.seconds_left is None:
            return ""
        if self.seconds_left < 60:
            return gettext("less than a minute")
        minutes = round(self.seconds_left / 60)
        if minutes < 90:
            return gettext("about %(minutes)s min") % {"minutes": minutes}
        return gettext("about %(hours)s h") % {"hours": round(minutes / 60)}


@dataclass(frozen=True)
class Backlog(WorkCounts):
    """Counts of the features queue, and the number of the champion's predictions."""

    predicted: int = 0
    problem: str = ""
    """Why features cannot be computed, in one sentence, or ''."""


@dataclass(frozen=True)
class PredictionTable:
    """Predictions of one version as columns [N], ordered by image id."""

    image_ids: NDArray[np.int64]
    quality_mean: NDArray[np.float64]
    quality_std: NDArray[np.float64]
    watch_probability: NDArray[np.float64]
    distribution: NDArray[np.float64]
    """[N, K], lowest score first."""

    def __len__(self) -> int:
        return len(self.image_ids)


def backbone_key(backbone: str) -> str:
    """Return the key under which features of the backbone with this name are stored (`Campaign.backbone`).

    Raises WeightsMissing if the backbone or its weight file does not exist.
    """
    return runtime.features_key(backbone)


def backbone_of(key: str) -> str:
    """Return the name of the backbone whose features are stored under `key`; '' if the key names none."""
    return key.rpartition("@")[0]


def is_computed(key: str) -> bool:
    """Return whether this site can compute features for this key: the same backbone, weights and precision."""
    name = backbone_of(key)
    try:
        return bool(name) and backbone_key(name) == key
    except WeightsMissing:
        return False


def backbones_needed() -> dict[str, set[int]]:
    """Return {name of a backbone: ids of the campaigns whose photos need its features} (one query).

    They are the campaign's backbone and, after it was changed, that of the champion, which goes on serving.
    """
    champions = ModelVersion.objects.filter(campaign=OuterRef("pk"), is_champion=True).values("backbone")[:1]
    rows = Campaign.objects.order_by("pk").values_list("pk", "backbone", Subquery(champions))
    needed: dict[str, set[int]] = {}
    for campaign, name, key in rows:
        needed.setdefault(name, set()).add(campaign)
        if key and backbone_of(key) != name and is_computed(key):
            needed.setdefault(backbone_of(key), set()).add(campaign)
    return needed


def champion(campaign: Campaign) -> ModelVersion | None:
    """Return the version whose predictions the campaign shows, or None before the prior is installed."""
    version = ModelVersion.objects.filter(campaign=campaign, is_champion=True).first()
    if version is not None:
        version.campaign = campaign
    return version


def newest_prediction() -> Subquery:
    """Return, for a query of versions, the id of the newest prediction of each; NULL without one.

    Predictions never change, so it tells cheaply whether there are new ones. Counting them would read all of them.
    """
    rows = Prediction.objects.filter(model_version=OuterRef("pk")).order_by("-pk")
    return Subquery(rows.values("pk")[:1])


def deployed_threshold(version: ModelVersion) -> float:
    """Return the watch probability above which the version decides 'watch'.

    It is the version's own, so a promotion or a rollback moves model and threshold together. The campaign's counts
    when a person has fixed it (`watch_aim`), and for versions without their own. No query when the campaign is loaded.
    """
    campaign = version.campaign
    if version.watch_threshold is None or campaign.watch_aim == Campaign.WatchAim.FIXED:
        return campaign.watch_threshold
    return version.watch_threshold


def shown_threshold(campaign: Campaign, version: ModelVersion | None) -> float:
    """Return the threshold that pages of the campaign show with this version, or the campaign's without a version."""
    if version is None:
        return campaign.watch_threshold
    version.campaign = campaign  # saves a query
    return deployed_threshold(version)


def deployed_threshold_sql() -> Case:
    """Return `deployed_threshold` as an expression in a query of model versions."""
    own = Q(watch_threshold__isnull=False) & ~Q(campaign__watch_aim=Campaign.WatchAim.FIXED)
    return Case(When(own, then=F("watch_threshold")), default=F("campaign__watch_threshold"))


def class_limits(campaign: Campaign, version: ModelVersion | None) -> tuple[float, float]:
    """Return the predicted means up to which the version says 'rejected' and 'pending'.

    They are the campaign's class limits, moved as far as its predicted means are less spread than mean opinion scores.
    """
    if version is None:
        return campaign.reject_at, campaign.pending_at
    shift, stretch = version.class_shift, version.class_stretch
    return (campaign.reject_at - shift) / stretch, (campaign.pending_at - shift) / stretch


def watch_interval(version: ModelVersion, probability: float) -> tuple[float, float] | None:
    """Return the lowest and highest watch probability that the labels of people allow where the version says this one.

    From the table that training stored with the version; None for versions without one.
    """
    table = (version.figures.get("watch") or {}).get("intervals")
    if not table:
        return None
    low, high = (float(np.interp(probability, table["probability"], table[end])) for end in ("low", "high"))
    return low, high


def fits_scale(version: ModelVersion, campaign: Campaign) -> bool:
    """Return whether the version predicts scores of the campaign's scale. True if its scale is unknown."""
    lowest = version.recipe.get("scale_min", campaign.scale_min)
    return (lowest, version.bins or campaign.bins) == (campaign.scale_min, campaign.bins)


def version_misfit(version: ModelVersion, campaign: Campaign) -> str:
    """Return why a version does not fit the campaign's present scale or classes, as a sentence; '' if it does.

    Such a version cannot become champion. The order of the classes does not matter.
    """
    if not fits_scale(version, campaign):
        ends = {"low": campaign.scale_min, "high": campaign.scale_max}
        return gettext("It was made for another scale than the campaign's, %(low)s to %(high)s.") % ends
    own, present = set(version.synsets), set(campaign.synsets)
    if not own or own == present:
        return ""
    parts = [(gettext("without %(classes)s"), present - own), (gettext("with %(classes)s"), own - present)]
    words = gettext(" and ").join(
        text % {"classes": synsets_text(sorted(synsets))} for text, synsets in parts if synsets
    )
    return gettext("It was made for other classes than the campaign has now: %(differences)s.") % {"differences": words}


def features_misfit(version: ModelVersion) -> str:
    """Return why the version cannot predict new photos: the site computes other features. '' if it can, or unknown."""
    try:
        key = backbone_key(version.campaign.backbone)
    except WeightsMissing:  # the overview says so
        return ""
    if version.backbone == key or is_computed(version.backbone):
        return ""
    return gettext(
        "It needs features of %(own)s, and the site now computes %(present)s: new photos get no prediction."
    ) % {"own": version.backbone, "present": key}


def synsets_text(synsets: Sequence[int]) -> str:
    """Return the names of some classes, with the number of the others if there are many."""
    names = [synset_name(synset) for synset in synsets[:_CLASSES_NAMED]]
    more = len(synsets) - len(names)
    return ", ".join(names) + (gettext(" and %(more)s more") % {"more": more} if more else "")


def features_queue(backbone: str) -> WorkQueue[Feature]:
    """Return the work queue of the backbone with this name. Raises WeightsMissing as `backbone_key` does."""
    return WorkQueue(Feature, "backbone", backbone_key(backbone))


def features_are_ready(campaign: Campaign) -> bool:
    """Return whether workers have finished all photos of the campaign with its backbone (one query).

    Photos that failed count as finished, and cancelled ones do not. Raises WeightsMissing.
    """
    counts = work_counts(campaign, features_queue(campaign.backbone))
    return not (counts.waiting or counts.cancelled)


def distortions_queue() -> WorkQueue[Distortion]:
    """Return the work queue of the current distortion detectors."""
    return WorkQueue(Distortion, "version", distortion_version())


def backlog(campaign: Campaign) -> Backlog:
    """Count the campaign's photos by the state of their features (two queries). Never raises WeightsMissing."""
    withdrawn = campaign.images.filter(withdrawn_at__isnull=False)  # few, and found by an index
    predicted = (
        Prediction.objects.filter(model_version__campaign=campaign, model_version__is_champion=True)
        .exclude(image__in=withdrawn.values("pk"))
        .count()
    )
    try:
        counts = work_counts(campaign, features_queue(campaign.backbone))
    except WeightsMissing as error:
        return Backlog(queued=campaign.images.filter(HAS_ORIGINAL).count(), predicted=predicted, problem=str(error))
    return Backlog(**asdict(counts), predicted=predicted, problem=backbone_problem(campaign.backbone))


def work_counts(campaign: Campaign, queue: WorkQueue[Any]) -> WorkCounts:
    """Count the campaign's photos by their state in a queue (one query). Photos without a row count as queued."""
    now = timezone.now()
    related = queue.model._meta.get_field("image").remote_field.related_name
    recent = Q(work__state=PhotoWork.State.DONE, work__claimed_at__gte=now - _RATE_WINDOW)
    states = (
        Image.objects.filter(LIVE, campaign=campaign)
        .annotate(work=FilteredRelation(related, condition=Q(**{f"{related}__{queue.column}": queue.key})))
        .filter(Q(original_deleted_at=None) | Q(work__isnull=False))  # the others get no row any more
        .order_by()
        .values_list("work__state")
        .annotate(
            Count("pk"), recent=Count("pk", filter=recent), since=Min("work__claimed_at", filter=recent, default=now)
        )
    )
    counts: dict[str, int] = dict.fromkeys(PhotoWork.State.values, 0)
    finished, since = 0, now
    for state, count, finished_now, first in states:
        counts[state or PhotoWork.State.QUEUED] += count
        if finished_now:
            finished, since = finished_now, first
    waiting = counts[PhotoWork.State.QUEUED] + counts[PhotoWork.State.RUNNING]
    seconds_left = (now - since).total_seconds() * waiting / finished if waiting and finished >= _RATE_PHOTOS else None
    return WorkCounts(**counts, seconds_left=seconds_left)


def feature_matrix(
    image_ids: Collection[int] | NDArray[np.int64], backbone: str
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return ids [M] (ascending) and features [M, D] of the given photos that have features (one query)."""
    rows = list(
        Feature.objects.filter(
            image__in=[int(image_id) for image_id in image_ids], backbone=backbone, state=Feature.State.DONE
        )
        .order_by("image_id")
        .values_list("image_id", "vector")
    )
    ids = np.array([image_id for image_id, _ in rows], dtype=np.int64)
    return ids, features_unpack([vector for _, vector in rows])


def features_unpack(vectors: Collection[bytes | memoryview | None]) -> NDArray[np.float32]:
    """Return stored vectors as float32 [N, D]; an empty collection gives [0, 0]."""
    if not vectors:
        return np.zeros((0, 0), dtype=np.float32)
    return np.stack([np.frombuffer(vector, dtype="<f2") for vector in vectors if vector is not None]).astype(np.float32)


def percentile_of(prediction: Prediction) -> float:
    """Return the photo's percentile within its campaign, 0 … 100: the share of photos with a lower predicted mean.

    Ties count half, including the photo itself, so the median photo has 50. One query on an index.
    """
    counts = Prediction.objects.filter(model_version=prediction.model_version_id).aggregate(
        lower=Count("quality_mean", filter=Q(quality_mean__lt=prediction.quality_mean)),
        tied=Count("quality_mean", filter=Q(quality_mean=prediction.quality_mean)),
        total=Count("*"),
    )
    return float(100 * (counts["lower"] + counts["tied"] / 2) / max(counts["total"], 1))


def distortion_version() -> int:
    """Return the version of the installed distortion detectors."""
    return ALGORITHM_VERSION


def distortion_of(image: Image) -> Distortion | None:
    """Return the photo's row for the current detectors, in any state; None if it was never queued."""
    return Distortion.objects.filter(image=image, version=distortion_version()).first()


def prediction_table(
    version: ModelVersion, image_ids: Collection[int] | NDArray[np.int64] | None = None
) -> PredictionTable:
    """Return a version's predictions for the given photos, or for all (one query).

    Predictions for another scale than the campaign's are left out.
    """
    chosen = None if image_ids is None else np.asarray([int(image_id) for image_id in image_ids], dtype=np.int64)
    if not fits_scale(version, version.campaign):
        chosen = np.zeros(0, dtype=np.int64)
    ids, numbers, distributions = predictions_read(version.pk, chosen)
    return PredictionTable(
        image_ids=ids,
        quality_mean=numbers[:, 0],
        quality_std=numbers[:, 1],
        watch_probability=numbers[:, 2],
        distribution=distributions if len(ids) else np.zeros((0, version.campaign.bins)),
    )

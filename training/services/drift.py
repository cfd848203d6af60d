"""Drift checks: whether this week's photos and their scores are like those that the champion has learned from."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from numpy.typing import NDArray

from annotation.measures.intervals import mean_interval
from annotation.models import SOUND_PROBLEMS, Annotation, Campaign, Image
from inference.models import ModelVersion, Prediction
from inference.selectors import champion, feature_matrix, fits_scale
from training.evaluation.drift import NEW_MOST, OLD_MOST, Drift, drift_test
from training.models import DriftCheck, TrainingRun

WEEK = timedelta(days=7)
EVERY = timedelta(days=1)
WEEKS_SHOWN = 12
_SEED = 1


def campaigns_to_check() -> list[int]:
    """Return the ids of campaigns whose champion has learned from answers, with photos of this week (one query).

    Those that were checked within a day with the same champion are left out.
    """
    now = timezone.now()
    checks = DriftCheck.objects.filter(model_version=OuterRef("pk"), made_at__gt=now - EVERY)
    new = Image.objects.filter(campaign=OuterRef("campaign"), created_at__gt=now - WEEK, withdrawn_at=None)
    runs = TrainingRun.objects.filter(challenger=OuterRef("pk"))
    due = ModelVersion.objects.filter(Exists(runs), Exists(new), ~Exists(checks), is_champion=True)
    return list(due.order_by("campaign").values_list("campaign", flat=True))


def drift_check(*, campaign: Campaign, now: datetime | None = None) -> DriftCheck | None:
    """Compare the photos of the last seven days with those that the champion has learned from, and store the result.

    Return None, and store nothing, when the champion has not learned from answers of the campaign. Earlier checks of
    the campaign are deleted. Takes a few seconds, so workers call it.
    """
    now = now or timezone.now()
    version = champion(campaign)
    run = TrainingRun.objects.filter(challenger=version).first() if version else None
    if version is None or run is None:
        return None
    since = now - WEEK
    images = campaign.images.filter(withdrawn_at=None, problem__in=SOUND_PROBLEMS)
    answers = Annotation.objects.filter(image=OuterRef("pk"), pk__lte=run.last_annotation_id, skip_reason="")
    learned = images.filter(Exists(answers), split=Image.Split.TRAIN).exclude(created_at__gt=since)
    # `queue_position` is uniform, so the first photos by it are a random sample.
    old = _ids_and_groups(learned, 2 * OLD_MOST)
    new = _ids_and_groups(images.filter(created_at__gt=since, created_at__lte=now), 2 * NEW_MOST)
    found = {
        "photos": _test(old, new, lambda ids: feature_matrix(ids, version.backbone)),
        "scores": _test(old, new, lambda ids: _scores(version, ids)),
    }
    with transaction.atomic():
        DriftCheck.objects.filter(campaign=campaign).delete()
        return DriftCheck.objects.create(
            campaign=campaign,
            model_version=version,
            made_at=now,
            since=since,
            weeks=_weeks(version, now) if fits_scale(version, campaign) else [],
            **{name: result.as_json() for name, result in found.items()},
        )


def _ids_and_groups(images: Any, most: int) -> dict[int, str]:
    rows = images.order_by("queue_position", "pk").values_list("pk", "group", "queue_position")[:most]
    return {pk: str(group) for pk, group, _ in rows}


def _test(old: dict[int, str], new: dict[int, str], values_of: Any) -> Drift:
    (old_ids, old_values), (new_ids, new_values) = values_of(list(old)), values_of(list(new))
    if not len(old_ids) or not len(new_ids):  # then one side does not know how many columns there are
        old_values, new_values = np.zeros((len(old_ids), 1)), np.zeros((len(new_ids), 1))
    return drift_test(
        old_values.astype(np.float64),
        new_values.astype(np.float64),
        np.array([old[pk] for pk in old_ids.tolist()], dtype="U36"),
        np.array([new[pk] for pk in new_ids.tolist()], dtype="U36"),
        np.random.default_rng(_SEED),
    )


def _scores(version: ModelVersion, image_ids: list[int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rows = Prediction.objects.filter(model_version=version, image__in=image_ids).order_by("image")
    table = np.array(list(rows.values_list("image", "quality_mean")), dtype=np.float64).reshape(-1, 2)
    return table[:, 0].astype(np.int64), table[:, 1:]


def _weeks(version: ModelVersion, now: datetime) -> list[dict[str, Any]]:
    """Return the mean predicted score of the photos of each of the last twelve weeks, with its 95 % interval.

    Near-duplicates count as one photo.
    """
    rows = Prediction.objects.filter(model_version=version, image__withdrawn_at=None)
    recent = rows.filter(image__created_at__gt=now - WEEKS_SHOWN * WEEK, image__created_at__lte=now)
    scores: dict[int, dict[Any, list[float]]] = {}
    columns = recent.values_list("image__created_at", "image__group", "quality_mean")
    for at, group, mean in columns.iterator(chunk_size=10_000):
        scores.setdefault((now - at) // WEEK, {}).setdefault(group, []).append(mean)
    weeks = []
    for ago, groups in sorted(scores.items(), reverse=True):
        found = mean_interval([float(np.mean(means)) for means in groups.values()])
        week = {"ago": ago, "until": (now - ago * WEEK).date().isoformat(), "mean": found.value, "n": found.n}
        bounds = {"low": found.low, "high": found.high} if found.n > 1 else {"low": None, "high": None}
        weeks.append(week | bounds)
    return weeks

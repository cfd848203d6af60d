"""Which photos of a campaign are its audit photos, and what a version predicts for photos that it has not learned from.

`training.evaluation.pool_estimates` says what an audit photo is. The photos with predictions must be a random part of
the campaign, and the version must not have learned from them:

* The holdout is drawn at random at import, and versions do not learn from it.
* Training photos without votes are one too, but only while all votes on training photos came from lanes that do not
  look at photos. Lanes such as `watch_margin` take certain photos away, and those that are left over differ.
  The same holds once photos that the model had decided have left the queue.
"""

from datetime import datetime

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from annotation.models import LIVE, SOUND_PROBLEMS, Annotation, Assignment, Campaign, Image
from inference.models import DecisionRule, ModelVersion
from inference.selectors import class_limits, fits_scale
from training.evaluation.pool_estimates import PoolFacts
from training.selectors.drawn_photos import BLIND_LANES, taken_photos
from training.selectors.snapshots import HoldoutOpinions
from training.selectors.verdicts import learned_rows

# One reading of the predictions, and no photo of it leaves the database.
_PREDICTED = """
SELECT count(*), coalesce(avg(prediction.quality_mean), 0),
  coalesce(avg((prediction.quality_mean <= %(reject)s)::int), 0),
  coalesce(avg((prediction.quality_mean > %(reject)s AND prediction.quality_mean <= %(pending)s)::int), 0),
  coalesce(avg((prediction.quality_mean > %(pending)s)::int), 0),
  coalesce(avg(prediction.watch_probability), 0)
FROM inference_prediction prediction JOIN annotation_image image ON image.id = prediction.image_id
WHERE prediction.model_version_id = %(version)s AND image.withdrawn_at IS NULL AND image.role = 'rated'
  AND image.problem = ANY(%(problems)s)
  AND (image.split = 'holdout' OR %(unasked)s AND image.split = 'train' AND image.vote_count = 0)
"""


def pool_facts(campaign: Campaign, version: ModelVersion, opinions: HoldoutOpinions) -> PoolFacts:
    """Return the facts about a campaign and a version of it (at most eleven queries). `opinions`: on its holdout."""
    version.campaign = campaign  # saves queries
    photos = campaign.images.filter(LIVE, role=Image.Role.RATED, problem__in=SOUND_PROBLEMS)
    asked = Assignment.objects.filter(campaign=campaign, lane__in=BLIND_LANES, is_repeat=False)
    audited = asked.filter(image__split=Image.Split.HOLDOUT).order_by().values_list("image_id", flat=True).distinct()
    left_at = left_queue_at(campaign)
    is_holdout_only = has_chosen_votes(campaign) or left_at is not None
    count, score, rejected, pending, accepted, watch = _predicted(version, with_train=not is_holdout_only)
    return PoolFacts(
        audited=np.setdiff1d(np.array(list(audited), dtype=np.int64), _learned(version, opinions)),
        photos=photos.count(),
        predicted=count,
        score=score,
        classes=(rejected, pending, accepted),
        watch=watch,
        is_holdout_only=is_holdout_only,
        taken=taken_photos(campaign, left_queue_at=left_at),
    )


def has_chosen_votes(campaign: Campaign) -> bool:
    """Return whether a training photo has an answer that no blind lane asked for: of another lane, or imported.

    Practice, example and gold photos are not in the queue: people chose them, and they are not in the pool.
    """
    in_queue = {"image__split": Image.Split.TRAIN, "image__role": Image.Role.RATED}
    answers = Annotation.objects.filter(campaign=campaign, is_repeat=False, **in_queue)
    blind = Assignment.objects.filter(campaign=campaign, lane__in=BLIND_LANES, is_repeat=False)
    asked = blind.values_list("image_id", "annotator_id")
    found = set(answers.order_by().values_list("image_id", "annotator_id").distinct().difference(asked)[:1])
    return bool(found)


def left_queue_at(campaign: Campaign) -> datetime | None:
    """Return when photos that a model had decided first left the queue; None: never (one query)."""
    return DecisionRule.objects.filter(campaign=campaign).values_list("left_queue_at", flat=True).first()


def _learned(version: ModelVersion, opinions: HoldoutOpinions) -> NDArray[np.int64]:
    """Return the holdout photos that the version has learned from, for example before they joined the holdout."""
    rows = learned_rows(version, opinions.votes)
    photos: NDArray[np.int64] = opinions.votes.image_ids[[] if rows is None else rows]
    return photos


def _predicted(version: ModelVersion, *, with_train: bool) -> tuple[int, float, float, float, float, float]:
    """Return the number of predicted photos, and the means of what the version predicts."""
    if not fits_scale(version, version.campaign):
        return 0, 0.0, 0.0, 0.0, 0.0, 0.0
    reject_at, pending_at = class_limits(version.campaign, version)
    parameters: dict[str, int | float | bool | list[str]] = {
        "version": version.pk,
        "reject": reject_at,
        "pending": pending_at,
        "problems": list(SOUND_PROBLEMS),
        "unasked": with_train,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PREDICTED, parameters)
        count, *means = cursor.fetchone()
    return (count, *map(float, means))

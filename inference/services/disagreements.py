"""Disagreement between model and people per photo, stored for the gallery's orders and updated before each use."""

from collections.abc import Collection

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from annotation.answers import independent_vote_sql
from annotation.models import Annotation
from annotation.selectors.screening import excluded_annotators
from inference.models import Disagreement, DisagreementMark, ModelVersion, Prediction

_INSERT = f"""
INSERT INTO inference_disagreement (model_version_id, image_id, quality, watch)
SELECT predicted.model_version_id, predicted.image_id, abs(predicted.quality_mean - avg(vote.score)),
  abs(predicted.watch_probability - avg(CASE vote.watch WHEN 'yes' THEN 1.0 WHEN 'no' THEN 0.0 END))
FROM inference_prediction predicted JOIN annotation_annotation vote ON vote.image_id = predicted.image_id
WHERE predicted.model_version_id = %(version)s
  AND (%(images)s::bigint[] IS NULL OR predicted.image_id = ANY(%(images)s))
  AND {independent_vote_sql("vote")}
GROUP BY predicted.id
"""  # noqa: S608  # contains constants only


@transaction.atomic
def disagreements_refresh(*, version: ModelVersion) -> int:
    """Update for the answers and predictions since the last call; return how many photos were updated.

    Four cheap queries if there is nothing new. An answer that is committed during the update may be missed;
    `disagreements_verify` finds it.
    """
    mark = _mark(version)
    if mark.excluded != excluded_annotators(version.campaign_id):
        return _rebuild(version, mark)
    new = _new_rows(version, mark)
    if not any(rows.exists() for rows in new):
        return 0
    if not mark.predictions:
        return _rebuild(version, mark)
    annotations, predictions = new
    voted = Exists(Annotation.objects.filter(image=OuterRef("image")))
    _mark_advance(mark, annotations, predictions)
    images = {
        *annotations.values_list("image_id", flat=True),
        *predictions.filter(voted).values_list("image_id", flat=True),
    }
    Disagreement.objects.filter(model_version=version, image__in=images).delete()
    _insert(version, images)
    return len(images)


@transaction.atomic
def disagreements_verify(*, version: ModelVersion) -> bool:
    """Rebuild all disagreements if they are not up to date; return whether they were."""
    mark = _mark(version)
    annotations = Annotation.objects.filter(campaign=version.campaign_id, pk__lte=mark.annotation_id).count()
    predictions = Prediction.objects.filter(model_version=version, pk__lte=mark.prediction_id).count()
    counts = (annotations, predictions) == (mark.annotations, mark.predictions)
    if counts and mark.excluded == excluded_annotators(version.campaign_id):
        return True
    _rebuild(version, mark)
    return False


def _mark(version: ModelVersion) -> DisagreementMark:
    """Return the version's mark, locked, so that a second process waits."""
    DisagreementMark.objects.get_or_create(model_version=version)
    return DisagreementMark.objects.select_for_update().get(model_version=version)


def _new_rows(version: ModelVersion, mark: DisagreementMark) -> tuple[QuerySet[Annotation], QuerySet[Prediction]]:
    return (
        Annotation.objects.filter(campaign=version.campaign_id, pk__gt=mark.annotation_id),
        Prediction.objects.filter(model_version=version, pk__gt=mark.prediction_id),
    )


def _mark_advance(mark: DisagreementMark, annotations: QuerySet[Annotation], predictions: QuerySet[Prediction]) -> None:
    """Move the mark to the newest rows. Rows stored during the update are processed again next time."""
    mark.annotation_id, before = _newest(annotations) or mark.annotation_id, mark.annotation_id
    mark.annotations += annotations.filter(pk__gt=before, pk__lte=mark.annotation_id).count()
    mark.prediction_id, before = _newest(predictions) or mark.prediction_id, mark.prediction_id
    mark.predictions += predictions.filter(pk__gt=before, pk__lte=mark.prediction_id).count()
    mark.save()


def _newest(rows: QuerySet[Annotation] | QuerySet[Prediction]) -> int | None:
    newest: int | None = rows.aggregate(newest=Max("pk"))["newest"]
    return newest


def _rebuild(version: ModelVersion, mark: DisagreementMark) -> int:
    mark.annotation_id = mark.annotations = mark.prediction_id = mark.predictions = 0
    mark.excluded = excluded_annotators(version.campaign_id)
    _mark_advance(mark, *_new_rows(version, mark))
    Disagreement.objects.filter(model_version=version).delete()
    return _insert(version, None)


def _insert(version: ModelVersion, images: Collection[int] | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"version": version.pk, "images": None if images is None else sorted(images)})
        return int(cursor.rowcount)

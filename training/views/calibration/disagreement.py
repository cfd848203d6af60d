"""The section about photos on which people and the model disagree."""

from collections.abc import Collection
from typing import Any

from annotation.drawing.intervals import two_intervals
from annotation.models import LIVE, Campaign, Image
from annotation.selectors.vote_requests import RequestBatch, request_batches, requested_images
from annotation.services.vote_requests import MORE_VOTES
from inference.models import ModelVersion, Prediction
from training.evaluation.calibration.disagreement import DisagreementFigures, ScoreConflict, WatchConflict
from training.evaluation.calibration.filters import Filters
from training.evaluation.calibration.report import CalibrationFigures

PHOTOS_SHOWN = 24
# Photos of requests whose progress is shown.
_REQUESTED = 300
_QUANTILE = 1.96


def section(
    campaign: Campaign,
    version: ModelVersion,
    figures: CalibrationFigures,
    *,
    hidden: Collection[int],
    filters: Filters,
) -> dict[str, Any]:
    """Return the context of the section (up to four queries)."""
    found = figures.disagreement
    context: dict[str, Any] = {"more_votes": MORE_VOTES, "vote_batches": []}
    batches = request_batches(campaign, photos=_REQUESTED)
    if found is not None:
        scores = [one for one in found.scores if one.image_id not in hidden]
        watches = [one for one in found.watches if one.image_id not in hidden]
        ids = [one.image_id for one in scores[:PHOTOS_SHOWN]] + [one.image_id for one in watches[:PHOTOS_SHOWN]]
        images = Image.objects.filter(LIVE, campaign=campaign).in_bulk(ids) if ids else {}
        sent = requested_images(campaign, ids) if ids and batches else set()
        scale = (campaign.scale_min, campaign.scale_max)
        score_rows = [_score_row(one, images[one.image_id], sent, scale) for one in scores if one.image_id in images]
        watch_rows = [_watch_row(one, images[one.image_id], sent) for one in watches if one.image_id in images]
        context |= {
            "disagreement": found,
            "disagreement_hidden": len(found.scores) + len(found.watches) - len(scores) - len(watches),
            "score_conflicts": score_rows,
            "score_conflicts_to_send": [row["image"].pk for row in score_rows if row["can_send"]],
            "watch_conflicts": watch_rows,
            "watch_conflicts_to_send": [row["image"].pk for row in watch_rows if row["can_send"]],
        }
    context["vote_batches"] = _batches(batches, version, found, hidden)
    return context


def _score_row(one: ScoreConflict, image: Image, sent: Collection[int], scale: tuple[int, int]) -> dict[str, Any]:
    return {
        "image": image,
        "one": one,
        "drawing": two_intervals(
            people=(one.mos, one.low, one.high),
            model=(one.predicted, one.model_low, one.model_high),
            axis=(float(scale[0]), float(scale[1])),
        ),
        "is_sent": image.pk in sent,
        "can_send": image.pk not in sent and _is_queued(image),
    }


def _watch_row(one: WatchConflict, image: Image, sent: Collection[int]) -> dict[str, Any]:
    can_send = image.pk not in sent and _is_queued(image)
    return {"image": image, "one": one, "is_sent": image.pk in sent, "can_send": can_send}


def _is_queued(image: Image) -> bool:
    """Return whether annotators are asked to rate the photo."""
    return not image.problem and image.role == Image.Role.RATED


def _batches(
    batches: list[RequestBatch], version: ModelVersion, figures: DisagreementFigures | None, hidden: Collection[int]
) -> list[dict[str, Any]]:
    """Return the requests with what became of them (one query when votes have come)."""
    finished = [row.image_id for batch in batches for row in batch.finished if row.image_id not in hidden]
    predicted: dict[int, float] = {}
    if finished and figures is not None:
        rows = Prediction.objects.filter(model_version=version, image__in=finished)
        predicted = dict(rows.values_list("image_id", "quality_mean"))
    found = []
    for batch in batches:
        meeting = apart = 0
        for row in batch.finished:
            consensus = getattr(row.image, "consensus", None)
            if row.image_id not in predicted or consensus is None or figures is None:
                continue
            half = _QUANTILE * figures.model_error
            mean = predicted[row.image_id]
            if mean - half > consensus.high or mean + half < consensus.low:
                apart += 1
            else:
                meeting += 1
        found.append({"batch": batch, "photos": len(batch.rows), "meeting": meeting, "apart": apart})
    return found

"""Votes and predictions of one model version on the same photos, in three queries.

Only answers given without seeing a prediction count.
"""

import numpy as np

from annotation.consensus.labels import watch_weights
from annotation.measures import opinion
from annotation.models import Campaign, Image
from annotation.selectors.votes import vote_table
from inference.models import ModelVersion, Prediction
from inference.selectors import class_limits, deployed_threshold, fits_scale
from training.evaluation.comparison import Comparison
from training.evaluation.registry import ScaleAndThresholds


def scale_and_thresholds(version: ModelVersion) -> ScaleAndThresholds:
    """Return the settings that metrics of the version need: the campaign's, and its own threshold and limits."""
    campaign = version.campaign
    reject_at, pending_at = class_limits(campaign, version)
    return ScaleAndThresholds(
        lowest=campaign.scale_min,
        reject_at=campaign.reject_at,
        pending_at=campaign.pending_at,
        watch_threshold=deployed_threshold(version),
        predicted_reject_at=reject_at,
        predicted_pending_at=pending_at,
    )


def compare(campaign: Campaign, version: ModelVersion, *, split: str | None = Image.Split.HOLDOUT) -> Comparison:
    """Return the votes with the version's predictions, for one split or (None) for all rated photos."""
    votes = vote_table(campaign, split=split, for_evaluation=True)
    predictions = Prediction.objects.filter(model_version=version)
    if not fits_scale(version, campaign):
        predictions = predictions.none()
    if split is not None:
        predictions = predictions.filter(image__split=split)
    columns = ("image_id", "image__name", "quality_mean", "watch_probability", "distribution", "image__group")
    rows = {row[0]: row for row in predictions.values_list(*columns)}
    rated = np.unique(votes.image_ids)
    known = np.array([image for image in rated if int(image) in rows], dtype=np.int64)
    kept = votes.of_images(known)
    _, histograms = opinion.weighted_histograms(
        kept.image_ids, kept.scores, kept.weights, lowest=campaign.scale_min, highest=campaign.scale_max
    )
    row = np.searchsorted(known, kept.image_ids)
    watch_yes, watch_no = watch_weights(row, kept.watch, kept.weights, photos=len(known))
    found = [rows[int(image)] for image in known]
    return Comparison(
        scale=scale_and_thresholds(version),
        image_ids=known,
        names=[row[1] for row in found],
        groups=np.array([str(row[5]) for row in found], dtype="U36"),
        histograms=histograms,
        quality_mean=np.array([row[2] for row in found], dtype=np.float64),
        distribution=np.array([row[4] for row in found], dtype=np.float64).reshape(len(found), campaign.bins),
        watch_probability=np.array([row[3] for row in found], dtype=np.float64),
        watch_yes=watch_yes,
        watch_no=watch_no,
        votes=kept,
        rated=len(rated),
    )

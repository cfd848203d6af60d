"""Votes and predictions of one model version on the same photos, in four queries.

Only answers given without seeing a prediction count.
"""

from datetime import datetime, time, timedelta

import numpy as np
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from numpy.typing import NDArray

from annotation.consensus.labels import watch_weights
from annotation.measures import opinion
from annotation.measures.votes import VoteTable
from annotation.models import AnnotationQuerySet, Campaign, Image
from annotation.selectors.votes import table_of, vote_table, votes_of
from inference.models import ModelVersion
from inference.selectors import class_limits, deployed_threshold, prediction_table
from training.evaluation.calibration.filters import HOLDOUT, NO_IMPORT, PEOPLE, SIMULATED, Filters
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
    return _compare(campaign, version, vote_table(campaign, split=split, for_evaluation=True))


def compare_chosen(campaign: Campaign, version: ModelVersion, filters: Filters) -> Comparison:
    """Return the chosen votes with the version's predictions. The other votes count for nothing in the result."""
    return _compare(campaign, version, table_of(campaign, chosen_votes(campaign, filters)))


def chosen_votes(campaign: Campaign, filters: Filters) -> AnnotationQuerySet:
    """Return the votes for evaluation that the filters choose."""
    split = Image.Split.HOLDOUT if filters.split == HOLDOUT else None
    votes = votes_of(campaign, split=split, for_evaluation=True)
    if filters.source is not None:
        votes = votes.filter(image__batch=None if filters.source == NO_IMPORT else filters.source)
    if filters.left_out:
        votes = votes.exclude(annotator__in=filters.left_out)
    if filters.annotators in (PEOPLE, SIMULATED):
        votes = votes.filter(annotator__is_simulated=filters.annotators == SIMULATED)
    return votes.filter(_period(filters)) if filters.since or filters.until else votes


def _period(filters: Filters) -> Q:
    """Return the condition on votes that they were given on the chosen days, the first and the last included.

    An imported vote was given when its file says, or else at its import. The days are those of the site's time zone.
    """
    found = Q()
    for ends, condition, later in ((filters.since, "gte", 0), (filters.until, "lt", 1)):
        if ends is not None:
            at = datetime.combine(ends + timedelta(days=later), time(), tzinfo=timezone.get_default_timezone())
            told, untold = Q(**{f"given_at__{condition}": at}), Q(given_at=None, **{f"created_at__{condition}": at})
            found &= told | untold
    return found


def _compare(campaign: Campaign, version: ModelVersion, votes: VoteTable) -> Comparison:
    rated = np.unique(votes.image_ids)
    version.campaign = campaign  # saves queries
    table = prediction_table(version, rated)
    known = table.image_ids
    kept = votes.of_images(known)
    _, histograms = opinion.weighted_histograms(
        kept.image_ids, kept.scores, kept.weights, lowest=campaign.scale_min, highest=campaign.scale_max
    )
    row = np.searchsorted(known, kept.image_ids)
    watch_yes, watch_no = watch_weights(row, kept.watch, kept.weights, photos=len(known))
    photos = {pk: (name, group) for pk, name, group in _photos(known)}
    found = [photos[pk] for pk in known.tolist()]
    return Comparison(
        scale=scale_and_thresholds(version),
        image_ids=known,
        names=[name for name, _ in found],
        groups=np.array([group for _, group in found], dtype="U36"),
        histograms=histograms,
        quality_mean=table.quality_mean,
        distribution=table.distribution,
        watch_probability=table.watch_probability,
        watch_yes=watch_yes,
        watch_no=watch_no,
        votes=kept,
        rated=len(rated),
    )


def _photos(image_ids: NDArray[np.int64]) -> list[tuple[int, str, str]]:
    """Return id, name and group of near-duplicates of these photos (one query)."""
    with connection.cursor() as cursor:
        # One array instead of 100,000 parameters.
        statement = 'SELECT id, name, "group"::text FROM annotation_image WHERE id = ANY(%s)'
        cursor.execute(statement, [image_ids.tolist()])
        rows: list[tuple[int, str, str]] = cursor.fetchall()
    return rows

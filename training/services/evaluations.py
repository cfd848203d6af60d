"""Evaluations: model versions measured against the holdout votes."""

from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from annotation.measures.agreement import correlation_ceiling, icc1_of_histograms
from annotation.models import Campaign
from inference.models import ModelVersion
from inference.networks.model_files import ModelFileError
from inference.selectors import PredictionTable, champion, prediction_table
from inference.services.predictions import predictions_refresh
from training.evaluation.registry import METRICS, Votes
from training.models import Evaluation, TrainingRun
from training.selectors.comparison import scale_and_thresholds
from training.selectors.snapshots import HoldoutOpinions, holdout_opinions
from training.selectors.versions import newest_evaluations, same_holdout


def evaluation_make(
    *, version: ModelVersion, against: ModelVersion | None = None, run: TrainingRun | None = None
) -> Evaluation:
    """Measure a version on the holdout, and its paired differences to `against`; return the stored row.

    Quality counts photos with at least two votes, the watch label those with a majority, both only
    from people who had not seen a prediction. Predictions that are missing are made from stored
    features; photos without features do not take part. The same votes give the same intervals.
    """
    campaign = version.campaign
    opinions = holdout_opinions(campaign)
    predicted = _predicted(version, opinions)
    rival = _predicted(against, opinions) if against is not None else None
    rows = {
        Votes.QUALITY: _rows(opinions.quality_ids, predicted, rival),
        Votes.WATCH: _rows(opinions.watch_ids, predicted, rival),
    }
    compared = {
        Votes.QUALITY: opinions.quality_ids[rows[Votes.QUALITY]],
        Votes.WATCH: opinions.watch_ids[rows[Votes.WATCH]],
    }
    said: dict[Votes, NDArray[Any]] = {
        Votes.QUALITY: opinions.histograms[rows[Votes.QUALITY]],
        Votes.WATCH: opinions.watch_labels[rows[Votes.WATCH]],
    }
    ceiling = _ceiling(said[Votes.QUALITY])
    scale = scale_and_thresholds(campaign)
    metrics: dict[str, Any] = {}
    differences: dict[str, Any] = {}
    for name, metric in METRICS.items():
        ours, votes = _of(predicted, compared[metric.votes]), said[metric.votes]
        metrics[name] = metric.interval(ours, votes, scale, seed=campaign.seed).as_json()
        if metric.has_ceiling:
            metrics[name]["ceiling"] = ceiling
        if rival is not None:
            theirs = _of(rival, compared[metric.votes])
            differences[name] = metric.difference(ours, theirs, votes, scale, seed=campaign.seed).as_json()
    with transaction.atomic():
        return Evaluation.objects.create(
            model_version=version,
            run=run,
            against=against,
            image_count=len(np.union1d(compared[Votes.QUALITY], compared[Votes.WATCH])),
            vote_count=opinions.vote_count,
            fingerprint=opinions.fingerprint,
            metrics=metrics,
            differences=differences,
        )


def evaluations_refresh(*, campaign: Campaign) -> list[str]:
    """Measure every version on the present holdout unless its newest evaluation is of these votes already.

    The champion comes first; the others are measured against it. Returns a sentence for each version that
    could not be measured because its files are damaged. May run twice.
    """
    standing = champion(campaign)
    if standing is None:
        return []
    versions = list(ModelVersion.objects.filter(campaign=campaign).exclude(pk=standing.pk))
    newest = newest_evaluations([standing, *versions])
    reference = newest.get(standing.pk)
    problems = []
    try:
        if reference is None or reference.fingerprint != holdout_opinions(campaign).fingerprint:
            reference = evaluation_make(version=standing)
    except ModelFileError as error:
        return [str(error)]
    for version in versions:
        known = newest.get(version.pk)
        if known is not None and same_holdout(known, reference):
            continue
        try:
            evaluation_make(version=version, against=standing)
        except ModelFileError as error:
            problems.append(str(error))
    return problems


def _predicted(version: ModelVersion, opinions: HoldoutOpinions) -> PredictionTable:
    """Return the version's predictions for the photos that people judged; makes those that are missing."""
    predictions_refresh(version=version, image_ids=opinions.image_ids.tolist())
    return prediction_table(version, opinions.image_ids)


def _of(predicted: PredictionTable, image_ids: NDArray[np.int64]) -> PredictionTable:
    """Return the rows of these photos, all of which must be there."""
    rows = np.searchsorted(predicted.image_ids, image_ids)
    return PredictionTable(
        image_ids=image_ids,
        quality_mean=predicted.quality_mean[rows],
        quality_std=predicted.quality_std[rows],
        watch_probability=predicted.watch_probability[rows],
        distribution=predicted.distribution[rows],
    )


def _rows(image_ids: NDArray[np.int64], predicted: PredictionTable, rival: PredictionTable | None) -> NDArray[np.bool_]:
    """Return which photos everybody compared has a prediction for."""
    there = np.isin(image_ids, predicted.image_ids)
    return there if rival is None else there & np.isin(image_ids, rival.image_ids)


def _ceiling(histograms: NDArray[np.float64]) -> float | None:
    """Return √r_k, the correlation that a model of everybody's mean would reach; None when it cannot be told."""
    ceiling = correlation_ceiling(icc1_of_histograms(histograms), histograms.sum(axis=1))
    return None if np.isnan(ceiling) else ceiling

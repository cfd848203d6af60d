"""Measuring model versions on the holdout, against what people say there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from annotation.measures import classification, correlation, distribution, intervals
from annotation.measures.agreement import correlation_ceiling, icc1_of_histograms
from annotation.measures.intervals import Interval, Metric
from annotation.models import Campaign
from inference.models import ModelVersion
from inference.selectors import PredictionTable, prediction_table
from inference.services.predictions import predictions_refresh
from training.models import Evaluation, TrainingRun
from training.selectors.snapshots import HoldoutOpinions, holdout_opinions

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Measure:
    """One figure: what of the prediction is held against what of the people, and how."""

    metric: Metric
    predicted: Callable[[PredictionTable, Floats, Campaign], NDArray[Any]]
    """(prediction, what people said, campaign) → one entry per photo"""
    observed: Callable[[Floats, Campaign], NDArray[Any]] | None = None
    """None where `predicted` holds the distance already."""


def _mean(values: NDArray[Any]) -> Floats:
    result: Floats = values.mean(axis=-1)
    return result


def _mos(histograms: Floats, campaign: Campaign) -> Floats:
    return distribution.mean_score(histograms, lowest=campaign.scale_min)


def _class(means: Floats, campaign: Campaign) -> NDArray[np.int8]:
    return classification.quality_classes(means, reject_at=campaign.reject_at, pending_at=campaign.pending_at)


def _decision(predicted: PredictionTable, labels: Floats, campaign: Campaign) -> NDArray[np.int8]:
    return (predicted.watch_probability > campaign.watch_threshold).astype(np.int8)


_QUALITY = {
    "quality_srcc": _Measure(correlation.srcc, lambda p, h, c: p.quality_mean, _mos),
    "quality_plcc": _Measure(correlation.plcc, lambda p, h, c: p.quality_mean, _mos),
    "quality_rmse": _Measure(correlation.rmse, lambda p, h, c: p.quality_mean, _mos),
    "quality_emd": _Measure(_mean, lambda p, h, c: distribution.emd(p.distribution, h)),
    "quality_rps": _Measure(_mean, lambda p, h, c: distribution.rps(p.distribution, h)),
    "class_accuracy": _Measure(
        classification.accuracy, lambda p, h, c: _class(p.quality_mean, c), lambda h, c: _class(_mos(h, c), c)
    ),
}
_WATCH = {
    "watch_roc_auc": _Measure(classification.roc_auc, lambda p, y, c: p.watch_probability, lambda y, c: y),
    "watch_f1": _Measure(classification.f1, _decision, lambda y, c: y),
    "watch_accuracy": _Measure(classification.accuracy, _decision, lambda y, c: y),
    "watch_brier": _Measure(classification.brier, lambda p, y, c: p.watch_probability, lambda y, c: y),
}


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
    metrics: dict[str, Any] = {}
    differences: dict[str, Any] = {}
    quality = _rows(opinions.quality_ids, predicted, rival)
    watch = _rows(opinions.watch_ids, predicted, rival)
    for measures, ids, rows, said in (
        (_QUALITY, opinions.quality_ids, quality, opinions.histograms),
        (_WATCH, opinions.watch_ids, watch, opinions.watch_labels),
    ):
        for name, measure in measures.items():
            common = (measure, campaign, ids[rows], said[rows])
            metrics[name] = _alone(*common, predicted).as_json()
            if rival is not None:
                differences[name] = _paired(*common, predicted, rival).as_json()
    ceiling = _ceiling(opinions.histograms[quality])
    for name in ("quality_srcc", "quality_plcc"):
        metrics[name]["ceiling"] = ceiling
    with transaction.atomic():
        return Evaluation.objects.create(
            model_version=version,
            run=run,
            against=against,
            image_count=len(np.union1d(opinions.quality_ids[quality], opinions.watch_ids[watch])),
            vote_count=opinions.vote_count,
            fingerprint=opinions.fingerprint,
            metrics=metrics,
            differences=differences,
        )


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


def _alone(
    measure: _Measure, campaign: Campaign, image_ids: NDArray[np.int64], said: NDArray[Any], predicted: PredictionTable
) -> Interval:
    columns = [measure.predicted(_of(predicted, image_ids), said, campaign)]
    if measure.observed is not None:
        columns.append(measure.observed(said, campaign))
    return intervals.interval(measure.metric, *columns, seed=campaign.seed)


def _paired(
    measure: _Measure,
    campaign: Campaign,
    image_ids: NDArray[np.int64],
    said: NDArray[Any],
    predicted: PredictionTable,
    rival: PredictionTable,
) -> Interval:
    observed = [] if measure.observed is None else [measure.observed(said, campaign)]
    return intervals.paired_interval(
        measure.metric,
        measure.predicted(_of(predicted, image_ids), said, campaign),
        measure.predicted(_of(rival, image_ids), said, campaign),
        *observed,
        seed=campaign.seed,
    )


def _ceiling(histograms: Floats) -> float | None:
    """Return √r_k, the correlation that a model of everybody's mean would reach; None when it cannot be told."""
    ceiling = correlation_ceiling(icc1_of_histograms(histograms), histograms.sum(axis=1))
    return None if np.isnan(ceiling) else ceiling

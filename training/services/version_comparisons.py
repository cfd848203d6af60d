"""Comparisons of any two versions of a campaign on the same holdout photos, made by a worker.

They decide nothing: promotions have their own rule, and a comparison is no look at the holdout
(`training.evaluation.looks`).
"""

from typing import Any

import numpy as np
from django.utils.translation import gettext
from numpy.typing import NDArray

from annotation.models import Campaign, User
from inference.models import ModelVersion
from inference.networks.model_files import ModelFileError
from inference.selectors import PredictionTable, fits_scale, prediction_table
from inference.services.predictions import predictions_refresh
from training.evaluation.registry import Votes
from training.evaluation.version_pair import PAIR_METRICS
from training.models import VersionComparison
from training.selectors.comparison import scale_and_thresholds
from training.selectors.snapshots import HoldoutOpinions, holdout_opinions
from training.selectors.verdicts import learned_rows
from training.services.version_work import Report, WorkImpossible, work_perform, work_request


def version_comparison_request(
    *, campaign: Campaign, first: ModelVersion, second: ModelVersion, by: User | None
) -> VersionComparison:
    """Store a request to compare two versions. The caller announces it to the workers on commit."""
    return work_request(VersionComparison, by=by, campaign=campaign, first=first, second=second)


def version_comparison_perform(*, comparison_id: int) -> None:
    """Make a requested comparison, unless another worker does."""
    work_perform(VersionComparison, comparison_id, _make)


def _make(row: VersionComparison, report: Report) -> dict[str, Any]:
    versions = ModelVersion.objects.select_related("campaign").in_bulk([row.first_id, row.second_id])
    return {"result": version_pair_measure(versions[row.first_id], versions[row.second_id], report)}


def version_pair_measure(
    first: ModelVersion, second: ModelVersion, report: Report = lambda share, stage: None
) -> dict[str, Any]:
    """Return figures and differences of two versions on the holdout photos that neither has learned from.

    Quality metrics use photos with at least two votes, watch metrics those with a majority label. Only votes given
    without seeing a prediction count. Missing predictions are computed from stored features; photos without features of
    both backbones are left out. The campaign must be loaded with the versions, and the same votes give the same result.

    Raises WorkImpossible if a version was made for another scale, or has lost its files and predictions.
    """
    report(0.05, "Collecting the votes")
    campaign = first.campaign
    opinions = holdout_opinions(campaign)
    tables, learned = [], []
    for place, version in enumerate((first, second)):
        report(0.1 + 0.2 * place, f"Predicting with version {version.number}")
        tables.append(_predictions(version, opinions))
        learned.append(learned_rows(version, opinions.votes))
    known = [rows for rows in learned if rows is not None]
    not_new = np.unique(opinions.votes.image_ids[np.logical_or.reduce(known)]) if known else np.zeros(0, np.int64)
    both = np.intersect1d(tables[0].image_ids, tables[1].image_ids)
    kept = np.setdiff1d(both, not_new)
    figures: dict[str, Any] = {}
    used = np.zeros(0, dtype=np.int64)
    for place, metric in enumerate(PAIR_METRICS):
        report(0.5 + 0.5 * place / len(PAIR_METRICS), f"Measuring {metric.label}")
        image_ids, votes, groups = _columns(opinions, metric.votes)
        rows = np.isin(image_ids, kept)
        used = np.union1d(used, image_ids[rows])
        ours, theirs = (_of_images(table, image_ids[rows]) for table in tables)
        our_scale, their_scale = (scale_and_thresholds(version) for version in (first, second))
        shared: dict[str, Any] = {"groups": groups[rows], "seed": campaign.seed}
        figures[metric.name] = {
            "first": metric.interval(ours, votes[rows], our_scale, **shared).as_json(),
            "second": metric.interval(theirs, votes[rows], their_scale, **shared).as_json(),
            "difference": metric.difference(ours, theirs, votes[rows], our_scale, their_scale, **shared).as_json(),
        }
    return {
        "figures": figures,
        "image_ids": used.tolist(),
        "vote_count": opinions.vote_count,
        "fingerprint": opinions.fingerprint,
        "left_out_learned": len(np.intersect1d(opinions.image_ids, not_new)),
        "left_out_unpredicted": len(np.setdiff1d(opinions.image_ids, both)),
        "unknown": [version.number for version, rows in zip((first, second), learned, strict=True) if rows is None],
        "thresholds": [scale_and_thresholds(version).watch_threshold for version in (first, second)],
    }


def _predictions(version: ModelVersion, opinions: HoldoutOpinions) -> PredictionTable:
    if not fits_scale(version, version.campaign):
        raise WorkImpossible(
            gettext("Version %(number)s was made for another scale, so it cannot be compared.")
            % {"number": version.number}
        )
    try:
        predictions_refresh(version=version, image_ids=opinions.image_ids.tolist())
    except ModelFileError as error:
        found = prediction_table(version, opinions.image_ids)
        if not len(found):
            raise WorkImpossible(str(error)) from error
        return found
    return prediction_table(version, opinions.image_ids)


def _columns(opinions: HoldoutOpinions, votes: Votes) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.str_]]:
    """Return the photos of a kind of metric, their votes and their groups."""
    if votes == Votes.QUALITY:
        return opinions.quality_ids, opinions.histograms, opinions.quality_groups
    return opinions.watch_ids, opinions.watch_labels, opinions.watch_groups


def _of_images(table: PredictionTable, image_ids: NDArray[np.int64]) -> PredictionTable:
    """Return the rows of these photos; each must have a prediction."""
    rows = np.searchsorted(table.image_ids, image_ids)
    return PredictionTable(
        image_ids=image_ids,
        quality_mean=table.quality_mean[rows],
        quality_std=table.quality_std[rows],
        watch_probability=table.watch_probability[rows],
        distribution=table.distribution[rows],
    )

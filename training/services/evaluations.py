"""Evaluations: model versions measured against the holdout votes."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from annotation.measures.agreement import annotators_worth, vote_ceiling
from annotation.measures.agreement.worth import MOST
from annotation.models import Campaign
from inference.models import ModelVersion
from inference.networks.model_files import ModelFileError
from inference.selectors import PredictionTable, champion, fits_scale, prediction_table
from inference.services.predictions import predictions_refresh
from training.evaluation.faults import inverted_annotators, inverted_problem, leak_problem
from training.evaluation.registry import METRICS, Votes
from training.models import Evaluation, HoldoutLook, TrainingRun
from training.selectors.comparison import scale_and_thresholds
from training.selectors.snapshots import HoldoutOpinions, holdout_opinions
from training.selectors.verdicts import leaked_photos, look_due
from training.selectors.versions import is_current, newest_evaluations, same_holdout, votes_changed_since


def evaluation_make(
    *, version: ModelVersion, against: ModelVersion | None = None, run: TrainingRun | None = None
) -> Evaluation:
    """Measure a version on the holdout, with its paired differences from `against`; return the stored row.

    Quality metrics use photos with at least two votes, watch metrics those with a majority label. Only votes
    given without seeing a prediction count. Missing predictions are computed from stored features; photos
    without features are left out. The same votes give the same intervals.

    A comparison with a champion that is older than the version is a look at the holdout, which is counted.
    """
    campaign = version.campaign
    opinions = holdout_opinions(campaign)
    predictions = _predictions(version, opinions)
    reference = _predictions(against, opinions) if against is not None else None
    rows = {
        Votes.QUALITY: _have_predictions(opinions.quality_ids, predictions, reference),
        Votes.WATCH: _have_predictions(opinions.watch_ids, predictions, reference),
    }
    compared = {
        Votes.QUALITY: opinions.quality_ids[rows[Votes.QUALITY]],
        Votes.WATCH: opinions.watch_ids[rows[Votes.WATCH]],
    }
    votes_of: dict[Votes, NDArray[Any]] = {
        Votes.QUALITY: opinions.histograms[rows[Votes.QUALITY]],
        Votes.WATCH: opinions.watch_labels[rows[Votes.WATCH]],
    }
    groups_of = {
        Votes.QUALITY: opinions.quality_groups[rows[Votes.QUALITY]],
        Votes.WATCH: opinions.watch_groups[rows[Votes.WATCH]],
    }
    of_correlations = _ceiling(opinions, compared[Votes.QUALITY]) | _worth(
        opinions, _of_images(predictions, compared[Votes.QUALITY])
    )
    scale = scale_and_thresholds(version)
    metrics: dict[str, Any] = {}
    differences: dict[str, Any] = {}
    for name, metric in METRICS.items():
        votes, groups = votes_of[metric.votes], groups_of[metric.votes]
        own = _of_images(predictions, compared[metric.votes])
        metrics[name] = metric.interval(own, votes, scale, groups=groups, seed=campaign.seed).as_json()
        if metric.has_ceiling:
            metrics[name] |= of_correlations
        if reference is not None and against is not None:
            other = _of_images(reference, compared[metric.votes])
            differences[name] = metric.difference(
                own, other, votes, scale, scale_and_thresholds(against), groups=groups, seed=campaign.seed
            ).as_json()
    image_ids = np.union1d(compared[Votes.QUALITY], compared[Votes.WATCH])
    with transaction.atomic():
        return Evaluation.objects.create(
            model_version=version,
            run=run,
            against=against,
            look=_look(version, against, opinions, image_ids),
            findings=_findings(version, opinions) if against is not None else [],
            image_count=len(image_ids),
            vote_count=opinions.vote_count,
            fingerprint=opinions.fingerprint,
            settings=asdict(scale),
            metrics=metrics,
            differences=differences,
        )


def evaluations_refresh(
    *, campaign: Campaign, champion_only: bool = False, progress: Callable[[], None] = lambda: None
) -> list[str]:
    """Measure each version on the present holdout votes, unless its newest evaluation used them and the same settings.

    The champion comes first; the other versions are compared with it, unless `champion_only`. Versions for another
    scale are left out. Calls `progress` before each version. Returns an error message for each version with damaged
    files. A second call changes nothing.
    """
    current_champion = champion(campaign)
    if current_champion is None or not fits_scale(current_champion, campaign):  # the sweep installs a champion
        return []
    others = ModelVersion.objects.filter(campaign=campaign).exclude(pk=current_champion.pk).select_related("campaign")
    versions = [version for version in others if fits_scale(version, campaign)]
    newest = newest_evaluations([current_champion, *versions])
    champion_evaluation = newest.get(current_champion.pk)
    problems = []
    progress()
    try:
        # A correction to the same value changes no figure, but pages would call the evaluation old.
        if (
            champion_evaluation is None
            or not is_current(champion_evaluation, holdout_opinions(campaign))
            or votes_changed_since(champion_evaluation)
        ):
            champion_evaluation = evaluation_make(version=current_champion)
    except ModelFileError as error:
        return [str(error)]
    for version in [] if champion_only else versions:
        progress()
        known = newest.get(version.pk)
        if known is not None and same_holdout(known, champion_evaluation):
            continue
        try:
            evaluation_make(version=version, against=current_champion)
        except ModelFileError as error:
            problems.append(str(error))
    return problems


def _look(
    version: ModelVersion, against: ModelVersion | None, opinions: HoldoutOpinions, image_ids: NDArray[np.int64]
) -> HoldoutLook | None:
    """Return the look at the holdout that a comparison is, stored with its number; None if it is none.

    The same comparison on the same votes is the same look.
    """
    if against is None or version.number < against.number or not len(image_ids):
        return None
    # The lock puts two comparisons at the same time one after the other, so that each gets its own number.
    Campaign.objects.select_for_update(no_key=True).get(pk=version.campaign_id)
    key = {"version": version, "against": against, "fingerprint": opinions.fingerprint}
    known = HoldoutLook.objects.filter(**key).first()
    if known is not None:
        return known
    photos = image_ids.tolist()
    return HoldoutLook.objects.create(
        campaign=version.campaign, **key, image_ids=photos, number=look_due(against, photos).number
    )


def _findings(version: ModelVersion, opinions: HoldoutOpinions) -> list[dict[str, Any]]:
    """Return the faults of the challenger and of the holdout votes, in the form of `Evaluation.findings`."""
    found: list[dict[str, Any]] = []
    votes = opinions.votes
    if leaked := leaked_photos(version, votes):
        problem = leak_problem(leaked, len(np.unique(votes.image_ids)))
        found.append({"kind": "leak", "decision": problem.decision, "text": problem.text})
    if inverted := inverted_annotators(votes.image_ids, votes.annotator_ids, votes.scores):
        problem = inverted_problem(inverted)
        annotators = [one.annotator_id for one in inverted]
        found.append({"kind": "inverted", "decision": problem.decision, "text": problem.text, "annotators": annotators})
    return found


def _predictions(version: ModelVersion, opinions: HoldoutOpinions) -> PredictionTable:
    """Return the version's predictions for the photos with votes, after computing the missing ones."""
    predictions_refresh(version=version, image_ids=opinions.image_ids.tolist())
    return prediction_table(version, opinions.image_ids)


def _of_images(predictions: PredictionTable, image_ids: NDArray[np.int64]) -> PredictionTable:
    """Return the rows of these photos; each must have a prediction."""
    rows = np.searchsorted(predictions.image_ids, image_ids)
    return PredictionTable(
        image_ids=image_ids,
        quality_mean=predictions.quality_mean[rows],
        quality_std=predictions.quality_std[rows],
        watch_probability=predictions.watch_probability[rows],
        distribution=predictions.distribution[rows],
    )


def _have_predictions(
    image_ids: NDArray[np.int64], predictions: PredictionTable, reference: PredictionTable | None
) -> NDArray[np.bool_]:
    """Return which photos [N] have predictions of all compared versions."""
    known = np.isin(image_ids, predictions.image_ids)
    return known if reference is None else known & np.isin(image_ids, reference.image_ids)


def _worth(opinions: HoldoutOpinions, predictions: PredictionTable) -> dict[str, Any]:
    """Return how many annotators the version is worth on these photos, to be stored with a metric."""
    votes = opinions.votes.of_images(predictions.image_ids)
    model = predictions.quality_mean[np.searchsorted(predictions.image_ids, votes.image_ids)]
    found = annotators_worth(votes.image_ids, votes.annotator_ids, votes.scores, model, votes.groups)
    ends = (found.annotators.value, found.annotators.low, found.annotators.high)
    # JSON has no infinity: MOST stands for it.
    return {"worth": [min(end, MOST) for end in ends]} if found.is_known else {}


def _ceiling(opinions: HoldoutOpinions, image_ids: NDArray[np.int64]) -> dict[str, Any]:
    """Return √r_k of these photos, the correlation that a perfect model would reach, to be stored with a metric."""
    votes = opinions.votes.of_images(image_ids)
    found = vote_ceiling(votes.image_ids, votes.annotator_ids, votes.scores)
    if not found.is_known:
        return {"ceiling": None}
    value = found.value
    return {
        "ceiling": value.value,
        "ceiling_interval": [value.low, value.high],
        "ceiling_form": found.form.label,
    }

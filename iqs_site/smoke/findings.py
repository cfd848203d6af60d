"""Counts and figures of a run, read from the tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import F, Sum

from annotation.measures.classification import roc_auc
from annotation.models import Annotation, Campaign
from annotation.services.queue import counters_rebuild
from inference.models import ModelVersion, Prediction
from iqs_site.smoke.labels import label_of
from training.models import Evaluation
from training.services.evaluations import evaluation_make

#: Photos in the holdout from which a rise in rank correlation must show; with fewer, chance decides.
LEAST_HOLDOUT = 80
#: The least watch ROC AUC of the prior where labels are given.
LEAST_ROC_AUC = 0.9


@dataclass(frozen=True)
class Votes:
    """Counts of answers and counters.

    stored: answers. duplicates: answers beyond the first of one annotator to one image. over_collected: answers
    beyond the votes that their image needed. wrong_counters: images whose counters were wrong.
    """

    stored: int
    duplicates: int
    over_collected: int
    wrong_counters: int


@dataclass(frozen=True)
class Quality:
    """Rank correlation with the people on the holdout, before and after training: {value, low, high, n}."""

    before: dict[str, Any]
    after: dict[str, Any]
    difference: dict[str, Any]
    image_count: int
    vote_count: int


def votes(campaign: Campaign) -> Votes:
    """Count the answers; wrong counters are corrected and counted."""
    answers = Annotation.objects.filter(campaign=campaign)
    stored = answers.count()
    wrong_counters = counters_rebuild(campaign=campaign)
    beyond = campaign.images.filter(vote_count__gt=F("votes_needed"))
    return Votes(
        stored=stored,
        duplicates=stored - answers.values("image", "annotator").distinct().count(),
        over_collected=beyond.aggregate(votes=Sum(F("vote_count") - F("votes_needed"), default=0))["votes"],
        wrong_counters=wrong_counters,
    )


def watch_roc_auc(version: ModelVersion, labels: Mapping[str, bool]) -> float | None:
    """Return the area under the ROC curve of a version's watch probabilities, on the labelled photos.

    None when the labels do not hold both kinds.
    """
    rows = Prediction.objects.filter(model_version=version).values_list("image__name", "watch_probability")
    labelled = [(label_of(dict(labels), name), probability) for name, probability in rows]
    known = [(label, probability) for label, probability in labelled if label is not None]
    if len({label for label, _ in known}) < 2:
        return None
    return round(float(roc_auc([probability for _, probability in known], [int(label) for label, _ in known])), 4)


def quality(prior: ModelVersion, challenger: ModelVersion) -> Quality:
    """Return the rank correlations of both versions; measures where training left no evaluation."""
    before = evaluation_make(version=prior)
    after = Evaluation.objects.filter(model_version=challenger, against=prior).first()
    after = after or evaluation_make(version=challenger, against=prior)
    return Quality(
        before=_figure(before.metrics),
        after=_figure(after.metrics),
        difference=_figure(after.differences),
        image_count=after.image_count,
        vote_count=after.vote_count,
    )


def _figure(metrics: Mapping[str, Any]) -> dict[str, Any]:
    found = metrics["quality_srcc"]
    return {key: _rounded(found[key]) for key in ("value", "low", "high", "n")}


def _rounded(number: float | None) -> float | None:
    return None if number is None or np.isnan(number) else round(number, 4)

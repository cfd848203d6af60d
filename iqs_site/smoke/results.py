"""Counts and metrics of a smoke run, read from the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import F, Sum

from annotation.exchange.labels import labels_match
from annotation.measures.classification import roc_auc
from annotation.models import Annotation, Campaign
from annotation.services.queue import counters_rebuild
from inference.models import ModelVersion, Prediction
from training.models import Evaluation
from training.services.evaluations import evaluation_make

#: Training must raise the rank correlation on a holdout of at least this many photos; a smaller one is too noisy.
MIN_HOLDOUT_PHOTOS = 80
#: The prior's watch ROC AUC must be at least this, where labels are given.
MIN_ROC_AUC = 0.9


@dataclass(frozen=True)
class Votes:
    """Counts of answers and of wrong counters.

    stored: all answers. duplicates: second and later answers of one annotator to one image. over_collected: answers
    beyond the votes that their image needed. wrong_counters: images whose counters were wrong.
    """

    stored: int
    duplicates: int
    over_collected: int
    wrong_counters: int


@dataclass(frozen=True)
class Quality:
    """SRCC with the MOS on the holdout, before and after training, each as {value, low, high, n}."""

    before: dict[str, Any]
    after: dict[str, Any]
    difference: dict[str, Any]
    rps_difference: dict[str, Any]
    """Of the ranked probability score, which the promotion rule compares; below 0: better."""
    image_count: int
    vote_count: int


def votes(campaign: Campaign) -> Votes:
    """Count the answers, and correct and count wrong counters."""
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

    None unless the labels contain both watches and other photos.
    """
    rows = list(Prediction.objects.filter(model_version=version).values_list("image__name", "watch_probability"))
    found = labels_match(labels, [name for name, _ in rows], by_file_name=True).found
    known = [(found[name], probability) for name, probability in rows if name in found]
    if len({label for label, _ in known}) < 2:
        return None
    return round(float(roc_auc([probability for _, probability in known], [int(label) for label, _ in known])), 4)


def quality(prior: ModelVersion, challenger: ModelVersion) -> Quality:
    """Return the rank correlations of both versions; evaluates them where training stored no evaluation."""
    before = evaluation_make(version=prior)
    after = Evaluation.objects.filter(model_version=challenger, against=prior).first()
    after = after or evaluation_make(version=challenger, against=prior)
    return Quality(
        before=_metric(before.metrics),
        after=_metric(after.metrics),
        difference=_metric(after.differences),
        rps_difference=_metric(after.differences, "quality_rps"),
        image_count=after.image_count,
        vote_count=after.vote_count,
    )


def _metric(metrics: Mapping[str, Any], name: str = "quality_srcc") -> dict[str, Any]:
    found = metrics[name]
    return {key: _rounded(found[key]) for key in ("value", "low", "high", "n")}


def _rounded(number: float | None) -> float | None:
    return None if number is None or np.isnan(number) else round(number, 4)

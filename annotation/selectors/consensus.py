"""The stored consensus of a campaign."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotation.consensus.dawid_skene import LabelFit
from annotation.consensus.panel_model import AnnotatorLines
from annotation.measures.vote_variance import UNKNOWN, VoteVariance
from annotation.models import Annotation, AnnotatorStatistics, Campaign, ConsensusFit

#: A fit that starts from nothing is due after this time, and an older fit is no longer used.
FULL_AFTER = timedelta(hours=24)
_TOO_OLD = timedelta(hours=25)


@dataclass(frozen=True)
class ConsensusSummary:
    """What a campaign's overview says about the consensus."""

    fit: ConsensusFit
    newer_votes: int
    """Answers that came after the newest fit."""
    typical_error: float | None
    """Mean standard error of the corrected MOS, points."""


def newest_fit(campaign: Campaign) -> ConsensusFit | None:
    """Return the newest fit (one query)."""
    return ConsensusFit.objects.filter(campaign=campaign).first()


def stored_vote_variance(campaign: Campaign) -> VoteVariance | None:
    """Return the variance of votes that the newest fit stored (one query); None when the fit is too old or missing."""
    fit = ConsensusFit.objects.filter(campaign=campaign, made_at__gte=timezone.now() - _TOO_OLD).first()
    if fit is None:
        return None
    return UNKNOWN if fit.vote_variance is None else VoteVariance(fit.vote_variance, fit.vote_variance_degrees)


def annotator_lines(fit: ConsensusFit) -> tuple[AnnotatorLines, LabelFit | None]:
    """Return what a campaign's newest fit says about its annotators (one query): scores, and watch labels if any."""
    names = ("annotator_id", "votes", "bias", "bias_deviation", "gain", "gain_deviation", "noise")
    rows = AnnotatorStatistics.objects.filter(campaign=fit.campaign_id).order_by("annotator_id")
    columns = np.array(rows.values_list(*names, "watch_votes", "sensitivity", "specificity"), dtype=np.float64).reshape(
        -1, 10
    )
    ids = columns[:, 0].astype(np.int64)
    lines = AnnotatorLines(
        annotator_ids=ids,
        annotator_votes=columns[:, 1].astype(np.int64),
        bias=columns[:, 2],
        bias_deviation=columns[:, 3],
        gain=columns[:, 4],
        gain_deviation=columns[:, 5],
        noise=columns[:, 6],
        mean=fit.mean,
        quality_spread=fit.quality_spread,
        bias_spread=fit.bias_spread,
    )
    labelled = columns[:, 7] > 0
    if fit.watch_share is None or not labelled.any():
        return lines, None
    sensitivity, specificity = columns[labelled, 8], columns[labelled, 9]
    confusion = np.stack(
        [np.stack([specificity, 1 - specificity], -1), np.stack([1 - sensitivity, sensitivity], -1)], axis=1
    )
    labels = LabelFit(
        image_ids=np.empty(0, np.int64),
        annotator_ids=ids[labelled],
        posterior=np.empty((0, 2)),
        confusion=confusion,
        share=np.array([1 - fit.watch_share, fit.watch_share]),
        annotator_votes=columns[labelled, 7].astype(np.int64),
        rounds=0,
    )
    return lines, labels


def consensus_due() -> list[int]:
    """Return the ids of campaigns with newer answers than their stored consensus, or whose votes changed, or whose last
    full fit is a day old (one query).
    """
    newest = ConsensusFit.objects.filter(campaign=OuterRef("pk")).order_by("-id")
    newer = Annotation.objects.filter(campaign=OuterRef("pk"), pk__gt=OuterRef("seen"))
    full = newest.filter(is_full=True, made_at__gt=timezone.now() - FULL_AFTER)
    due = (
        Campaign.objects.annotate(seen=Coalesce(F("consensus_state__seen_annotation"), 0))
        .annotate(has_newer=Exists(newer), has_fit=Exists(newest), has_full=Exists(full))
        .filter(
            Q(consensus_state__changes__gt=F("consensus_state__used_changes"))
            | Q(has_newer=True)
            | Q(has_fit=True, has_full=False)
        )
    )
    return list(due.order_by("pk").values_list("pk", flat=True))


def consensus_summary(campaign: Campaign) -> ConsensusSummary | None:
    """Return the newest fit with what came after it (two queries); None before the first fit."""
    fit = newest_fit(campaign)
    if fit is None:
        return None
    newer = Annotation.objects.filter(campaign=campaign, pk__gt=fit.newest_annotation).consensus_votes().count()
    return ConsensusSummary(fit, newer, fit.figures.get("typical_error"))

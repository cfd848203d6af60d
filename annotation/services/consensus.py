"""Computing and storing the consensus of a campaign: qualities, watch labels, and how its annotators rate.

* A **full fit** starts from nothing, once a day.
* A **refit** starts from the annotators of the last fit, when enough new answers came or when votes changed.
* An **update** between fits estimates only the photos with new answers, with the annotators of the last fit.

All use the consensus votes of `annotation.answers`, with their weights. The plain MOS and its interval, the histogram
and the numbers of votes count every vote fully. Everything is derived: deleting the rows loses nothing, and the
next refresh writes them again.
"""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from annotation.consensus.dawid_skene import LabelFit, labels_fit, posterior_given
from annotation.consensus.labels import watch_counts
from annotation.consensus.panel_model import PanelFit, PhotoQuality, panel_fit, quality_given
from annotation.measures import opinion
from annotation.measures.vote_variance import UNKNOWN, VoteVariance, vote_variance
from annotation.measures.votes import VoteTable
from annotation.models import (
    Annotation,
    AnnotatorStatistics,
    Campaign,
    ConsensusFit,
    ConsensusState,
    PhotoConsensus,
    User,
)
from annotation.selectors import answer_counts
from annotation.selectors.adjudications import usual_disagreement
from annotation.selectors.consensus import FULL_AFTER, annotator_lines, newest_fit
from annotation.selectors.votes import consensus_votes
from annotation.services.bulk_upsert import rows_upsert

logger = logging.getLogger(__name__)

# The first half of the advisory lock; the second is the id of the campaign.
_LOCK = 0x1C05
# A refit needs this many new answers, and this share of the votes of the last fit.
_NEW_ANSWERS, _NEW_SHARE = 20, 0.02
# Least time between two fits, and the largest share of a worker's time for them.
_REFIT_AFTER, _SHARE_OF_TIME = timedelta(seconds=30), 0.05
# An answer whose transaction ended late can have a lower id than the newest one seen; an update looks back this far.
_LATE_ANSWERS = 500
# Old refits are deleted. Full fits, one a day, stay.
_REFITS_KEPT = 20
# A refit that differs from the full fit by more than this part of the spread of the qualities is reported.
_LARGE_DIFFERENCE = 0.05


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did."""

    photos: int
    """Photos that were estimated."""
    kind: str
    """"full", "refit", "update", or "" when there was nothing to do or another worker does it."""


@transaction.atomic
def consensus_refresh(*, campaign: Campaign, is_full: bool = False) -> Refreshed:
    """Bring the stored consensus of a campaign up to date. `is_full`: with a full fit now.

    Does nothing while another worker does it.
    """
    ConsensusState.objects.get_or_create(campaign=campaign)
    if not computing_lock(campaign):
        return Refreshed(0, "")
    state = ConsensusState.objects.get(campaign=campaign)
    answers = Annotation.objects.filter(campaign=campaign)
    newest = answers.aggregate(newest=Max("pk"))["newest"] or 0
    last = newest_fit(campaign)
    kind = "full" if is_full else _kind(campaign, state, last, newest)
    photos = 0
    if kind == "update" and last is not None:
        photos = _update(campaign, last, since=state.seen_annotation)
    elif kind:
        photos = _fit(campaign, last, newest=newest, is_full=kind == "full")
    # Changes that came during the fit are left for the next one.
    used = state.changes if kind in ("full", "refit") else state.used_changes
    ConsensusState.objects.filter(pk=state.pk).update(seen_annotation=newest, used_changes=used)
    return Refreshed(photos, kind)


def computing_lock(campaign: Campaign) -> bool:
    """Return whether this transaction may compute the campaign's consensus. It may until it ends, and no other may.

    No row is locked, so that requests which change a row of the campaign do not wait for a fit.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK, campaign.pk])
        return bool(cursor.fetchone()[0])


def consensus_outdate(*, campaign: Campaign) -> None:
    """Note that votes changed without a new answer, so that the next refresh fits again.

    For example by a screening decision. Before the first refresh there is nothing to note.
    """
    ConsensusState.objects.filter(campaign=campaign).update(changes=F("changes") + 1)


def _kind(campaign: Campaign, state: ConsensusState, last: ConsensusFit | None, newest: int) -> str:
    """Return what is due: "full", "refit", "update" or ""."""
    now = timezone.now()
    if last is None:
        return "full" if newest else ""
    if not ConsensusFit.objects.filter(campaign=campaign, is_full=True, made_at__gt=now - FULL_AFTER).exists():
        return "full"
    if state.changes != state.used_changes:
        return "refit"
    new = Annotation.objects.filter(campaign=campaign, pk__gt=last.newest_annotation).count()
    pause = max(_REFIT_AFTER, timedelta(seconds=last.seconds / _SHARE_OF_TIME))
    if new >= max(_NEW_ANSWERS, _NEW_SHARE * last.votes) and last.made_at + pause <= now:
        return "refit"
    return "update" if newest > state.seen_annotation else ""


def _fit(campaign: Campaign, last: ConsensusFit | None, *, newest: int, is_full: bool) -> int:
    """Fit to all votes and store everything. Return the number of photos with votes."""
    began, now = time.monotonic(), timezone.now()
    votes = consensus_votes(campaign)
    if not len(votes):
        PhotoConsensus.objects.filter(campaign=campaign).delete()
        AnnotatorStatistics.objects.filter(campaign=campaign).delete()
        ConsensusFit.objects.filter(campaign=campaign).delete()
        return 0
    before = annotator_lines(last)[0] if last is not None else None
    start = before if before is not None and len(before.annotator_ids) else None
    columns = (votes.image_ids, votes.annotator_ids, votes.scores)
    panel = panel_fit(*columns, weights=votes.weights, start=None if is_full else start)
    figures: dict[str, Any] = {
        "rounds": panel.rounds,
        "typical_error": float(panel.quality_deviation.mean()),
        "simulated_annotators": User.objects.filter(pk__in=panel.annotator_ids.tolist(), is_simulated=True).count(),
    }
    if is_full and start is not None:
        figures["largest_difference"] = _difference_report(
            campaign, panel, panel_fit(*columns, weights=votes.weights, start=start)
        )
    if (votes.weights < 1).any():
        figures |= _effect_of_weights(votes, panel)
    labels = _labels(votes)
    variance = _vote_variance(campaign, votes)
    photos = PhotoQuality(panel.image_ids, panel.quality, panel.quality_deviation, panel.image_votes)
    posterior = None if labels is None else (labels.image_ids, labels.posterior)
    _photos_write(campaign, votes, photos, posterior, variance, now)
    PhotoConsensus.objects.filter(campaign=campaign, updated_at__lt=now).delete()
    _annotators_write(campaign, panel, labels, now)
    AnnotatorStatistics.objects.filter(campaign=campaign, updated_at__lt=now).delete()
    figures |= usual_disagreement(campaign)
    figures[answer_counts.KEY] = answer_counts.answers_stored(campaign, newest=newest)
    ConsensusFit.objects.create(
        campaign=campaign,
        is_full=is_full,
        made_at=now,
        newest_annotation=newest,
        votes=len(votes),
        photos=len(panel.image_ids),
        annotators=len(panel.annotator_ids),
        vote_variance=variance.mean if variance.is_known else None,
        vote_variance_degrees=variance.degrees,
        mean=panel.mean,
        quality_spread=panel.quality_spread,
        bias_spread=panel.bias_spread,
        watch_share=None if labels is None else float(labels.share[1]),
        seconds=time.monotonic() - began,
        figures=figures,
    )
    kept = ConsensusFit.objects.filter(campaign=campaign, is_full=False).values("pk")[:_REFITS_KEPT]
    ConsensusFit.objects.filter(campaign=campaign, is_full=False).exclude(pk__in=kept).delete()
    return len(panel.image_ids)


def _update(campaign: Campaign, last: ConsensusFit, *, since: int) -> int:
    """Estimate the photos with answers after `since`, by the annotators of the last fit. Return their number."""
    now = timezone.now()
    changed = Annotation.objects.filter(campaign=campaign, pk__gt=since - _LATE_ANSWERS)
    image_ids = list(changed.order_by().values_list("image_id", flat=True).distinct())
    votes = consensus_votes(campaign, image_ids)
    lines, labels = annotator_lines(last)
    if len(votes) and len(lines.annotator_ids):
        photos = quality_given(lines, votes.image_ids, votes.annotator_ids, votes.scores, weights=votes.weights)
        sure = votes.watch >= 0
        posterior = None
        if labels is not None and sure.any():
            chosen = votes.where(sure)
            posterior = posterior_given(
                labels, chosen.image_ids, chosen.annotator_ids, chosen.watch, weights=chosen.weights
            )
        mean, degrees = last.vote_variance, last.vote_variance_degrees
        variance = UNKNOWN if mean is None else VoteVariance(mean, degrees)
        _photos_write(campaign, votes, photos, posterior, variance, now)
    PhotoConsensus.objects.filter(image__in=image_ids, updated_at__lt=now).delete()
    return len(set(votes.image_ids.tolist()))


def _difference_report(campaign: Campaign, full: PanelFit, continued: PanelFit) -> float:
    """Return the largest difference between two fits of the same votes, in points. Log it when it is large."""
    difference = float(np.abs(full.quality - continued.quality).max())
    if difference > _LARGE_DIFFERENCE * full.quality_spread:
        logger.warning(
            "Campaign %s: the full fit differs from the continued one by up to %.3f points.", campaign.slug, difference
        )
    return difference


def _labels(votes: VoteTable) -> LabelFit | None:
    sure = votes.watch >= 0
    if not sure.any():
        return None
    return labels_fit(votes.image_ids[sure], votes.annotator_ids[sure], votes.watch[sure], weights=votes.weights[sure])


def _effect_of_weights(votes: VoteTable, panel: PanelFit) -> dict[str, float]:
    """Return how far the weights of votes have moved the corrected MOS, in points: mean and largest distance."""
    fully = panel_fit(votes.image_ids, votes.annotator_ids, votes.scores, start=panel.lines)
    moved = np.abs(panel.quality - fully.quality)
    return {"moved_by_weights": float(moved.mean()), "moved_by_weights_most": float(moved.max())}


def _vote_variance(campaign: Campaign, votes: VoteTable) -> VoteVariance:
    return vote_variance(_histograms(campaign, votes)[1])


def _histograms(campaign: Campaign, votes: VoteTable) -> tuple[Any, Any]:
    return opinion.image_histograms(
        votes.image_ids, votes.scores, lowest=campaign.scale_min, highest=campaign.scale_max
    )


def _photos_write(
    campaign: Campaign,
    votes: VoteTable,
    photos: PhotoQuality,
    posterior: tuple[Any, Any] | None,
    variance: VoteVariance,
    now: Any,
) -> None:
    """Write one row for each photo with votes. `posterior`: photos [N'] and probabilities of each label [N', 2]."""
    image_ids, histograms = _histograms(campaign, votes)
    low, high = opinion.mos_interval(histograms, campaign.scale_min, variance)
    half = opinion.mos_half_width(histograms, variance)
    place = np.searchsorted(image_ids, votes.image_ids)
    yes, no = watch_counts(place, votes.watch, photos=len(image_ids))
    watch = np.full(len(image_ids), np.nan)
    if posterior is not None:
        watch[np.searchsorted(image_ids, posterior[0])] = posterior[1][:, 1]
    columns = {
        "image": image_ids,
        "campaign": campaign.pk,
        "votes": histograms.sum(axis=1),
        "mos": opinion.mos(histograms, campaign.scale_min),
        "sos": opinion.sos(histograms),
        "low": low,
        "high": high,
        "half_width": np.where(np.isfinite(half), half, np.nan),
        "corrected_mos": photos.quality,
        "corrected_error": photos.quality_deviation,
        "watch_votes": yes + no,
        "watch_yes": yes,
        "watch_posterior": watch,
        "updated_at": now,
    }
    rows_upsert(PhotoConsensus, columns, unique=["image"])


def _annotators_write(campaign: Campaign, panel: PanelFit, labels: LabelFit | None, now: Any) -> None:
    count = len(panel.annotator_ids)
    right, watch_votes = np.full((count, 2), np.nan), np.zeros(count, dtype=np.int64)
    if labels is not None:
        place = np.searchsorted(panel.annotator_ids, labels.annotator_ids)
        right[place], watch_votes[place] = labels.right, labels.annotator_votes
    columns = {
        "annotator": panel.annotator_ids,
        "campaign": campaign.pk,
        "votes": panel.annotator_votes,
        "bias": panel.bias,
        "bias_deviation": panel.bias_deviation,
        "gain": panel.gain,
        "gain_deviation": panel.gain_deviation,
        "noise": panel.noise,
        "information": panel.information(),
        "watch_votes": watch_votes,
        "sensitivity": right[:, 1],
        "specificity": right[:, 0],
        "updated_at": now,
    }
    rows_upsert(AnnotatorStatistics, columns, unique=["campaign", "annotator"])

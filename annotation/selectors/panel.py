"""The votes of a campaign as a panel: how each annotator compares with the others, by time and by the panel model."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from django.db.models.functions import Extract
from numpy.typing import NDArray

from annotation.consensus.panel_model import PanelFit, panel_fit
from annotation.measures.intervals import Interval
from annotation.models import Annotation, Campaign
from annotation.raters import screening
from annotation.raters.drift import DriftPart, drift_parts
from annotation.raters.panel_agreement import (
    Bt500Counts,
    Panel,
    WatchAgreement,
    bt500_counts,
    rank_correlations,
    slope_interval,
    watch_agreements,
)
from annotation.selectors.screening import excluded_annotators, vote_weights, weights_of

VOTES = 50_000
"""The latest votes that are compared: reading and fitting them takes about a second."""
PAUSE_MINUTES = 30
"""A longer time between two answers begins a new session."""
SHORTEST_WEEKS = 2 / 7
"""Answers within less time say nothing about drift over weeks."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PanelFigures:
    """How one annotator compares with the others."""

    rank: Interval
    """Spearman's correlation of own scores with the others' means."""
    watch: WatchAgreement
    bt500: Bt500Counts
    seconds: float
    """Median time to an answer; NaN without times."""
    fast: int
    """Answers faster than `screening.speed_limit`."""
    times: int
    """Answers with a known time."""
    session_slope: Interval
    """Drift of scores within a session, in points per 100 answers."""
    session_span: float
    """Length of the longest session, in 100 answers."""
    weeks_slope: Interval
    """Drift of scores over time, in points per week."""
    weeks_span: float
    drift: list[DriftPart]
    """The difference from the others over all answers that the site timed."""
    bias: float
    """By the panel model, in points; the next two fields too."""
    bias_error: float
    gain: float
    gain_error: float
    noise: float
    """Inconsistency: standard deviation of the votes around the annotator's own line, in points."""
    information: float
    """How much one vote says about a photo, as a part of what the panel's mean vote says; by the panel model."""
    votes: int


@dataclass(frozen=True)
class PanelOverview:
    """The figures of everybody with votes, and the group's medians; NaN with fewer than three annotators."""

    figures: dict[int, PanelFigures]
    """{annotator id: figures}."""
    rank_median: float
    watch_median: float
    seconds_median: float


def panel_overview(campaign: Campaign) -> PanelOverview:
    """Compare the annotators of a campaign by their latest `VOTES` blind votes (three queries).

    A prelabel campaign has no blind votes; there all votes are compared. Excluded annotators are compared too, but they
    do not count among the others. Among the others, each vote has the weight that a reviewer gave the annotator.
    """
    rows = _rows(campaign)
    if not len(rows):
        return PanelOverview({}, float("nan"), float("nan"), float("nan"))
    image, score, watch, seconds, time = rows[:, 0], rows[:, 2], rows[:, 3], rows[:, 4], rows[:, 5]
    ids, place = np.unique(rows[:, 1].astype(np.int64), return_inverse=True)
    panel = Panel.of(image, place, score, watch, raters=len(ids))
    weights = weights_of(ids, vote_weights(campaign.pk))
    counted = np.where(np.isin(ids, excluded_annotators(campaign.pk)), 0.0, weights)
    ranks = rank_correlations(panel, counted=counted)
    labels = watch_agreements(panel, counted=counted)
    far = bt500_counts(panel)
    fit = panel_fit(image, rows[:, 1], score)
    information = fit.information()
    others, has_others = panel.others_means(counted)
    difference = np.where(has_others, score - others, np.nan)
    everyone = panel.of_each(np.ones(len(rows), dtype=np.bool_))
    medians = [_median(seconds[mine]) for mine in everyone]
    times = [int((~np.isnan(seconds[mine])).sum()) for mine in everyone]
    group_seconds = screening.group_median(medians, times)
    limit = screening.speed_limit(group_seconds)
    figures = {
        int(pk): PanelFigures(
            rank=ranks[number],
            watch=labels[number],
            bt500=far[number],
            seconds=medians[number],
            fast=int((seconds[mine] < limit).sum()),
            times=times[number],
            **_drift(difference[mine], seconds[mine], time[mine]),
            **_model(fit, number),
            information=float(information[number]),
            votes=len(mine),
        )
        for number, (pk, mine) in enumerate(zip(ids, everyone, strict=True))
    }
    shares = [one.hits / one.n if one.n else float("nan") for one in labels]
    return PanelOverview(
        figures=figures,
        rank_median=screening.group_median([one.value for one in ranks], [one.n for one in ranks]),
        watch_median=screening.group_median(shares, [one.n for one in labels]),
        seconds_median=group_seconds,
    )


def _rows(campaign: Campaign) -> Floats:
    """Return [V, 6]: photo, annotator, score, watch code, seconds (NaN: unknown), time in seconds; oldest first."""
    answers = Annotation.objects.filter(campaign=campaign, image__withdrawn_at=None)
    is_prelabel = campaign.mode == Campaign.Mode.PRELABEL
    votes = answers.votes() if is_prelabel else answers.blind_votes()
    codes = {Annotation.Watch.YES.value: 1.0, Annotation.Watch.NO.value: 0.0}
    rows = votes.order_by("-pk").values_list(
        "image_id", "annotator_id", "score", "watch", "milliseconds", Extract("created_at", "epoch")
    )[:VOTES]
    table = [
        (image, annotator, score, codes.get(watch, -1.0), np.nan if time is None else time / 1000, float(when))
        for image, annotator, score, watch, time, when in rows
    ]
    return np.array(table, dtype=np.float64).reshape(-1, 6)[::-1]


def _median(seconds: Floats) -> float:
    known = seconds[~np.isnan(seconds)]
    return float(np.median(known)) if len(known) else float("nan")


def _drift(difference: Floats, seconds: Floats, time: Floats) -> dict[str, Any]:
    """Return the slopes of the difference from the others, from answers that the site timed: imports have no order."""
    kept = ~np.isnan(difference) & ~np.isnan(seconds)
    own, when = difference[kept], time[kept]
    starts = [0, *(np.flatnonzero(np.diff(when) > PAUSE_MINUTES * 60) + 1).tolist(), len(when)]
    sessions = [slice(first, end) for first, end in pairwise(starts) if end - first > 1]
    position = [np.arange(len(when[part])) / 100 for part in sessions]
    # Each session is compared with itself, so that a change between sessions is no drift within them.
    slope = slope_interval(_joined(position), _joined([own[part] for part in sessions]))
    weeks = (when - when[0]) / (7 * 86400) if len(when) else when
    span = float(np.ptp(weeks)) if len(weeks) else 0.0
    unknown = Interval(float("nan"), float("nan"), float("nan"), len(weeks))
    return {
        "session_slope": slope,
        "session_span": max((float(part[-1]) for part in position), default=0.0),
        "weeks_slope": slope_interval(weeks, own) if span >= SHORTEST_WEEKS else unknown,
        "weeks_span": span,
        "drift": drift_parts(own),
    }


def _joined(parts: Sequence[Floats]) -> Floats:
    """Return the parts one after the other, each without its mean."""
    return np.concatenate([part - part.mean() for part in parts]) if parts else np.zeros(0)


def _model(fit: PanelFit, place: int) -> dict[str, Any]:
    return {
        "bias": float(fit.bias[place]),
        "bias_error": float(fit.bias_deviation[place]),
        "gain": float(fit.gain[place]),
        "gain_error": float(fit.gain_deviation[place]),
        "noise": float(fit.noise[place]),
    }

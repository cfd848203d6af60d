"""The figures of the section about quality scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures import agreement, correlation, distribution, opinion
from annotation.measures.agreement.jackknife import PARTS, jackknife
from annotation.measures.calibration import ReliabilityBin, score_bins
from annotation.measures.intervals import Interval
from annotation.measures.vote_variance import VoteVariance, vote_variance
from training.evaluation.calibration.group_draws import GroupDraws
from training.evaluation.calibration.photos import ComparedPhoto, photos_of, sample_of
from training.evaluation.calibration.score_line import FittedLine, RunningMean, fitted_line, running_mean
from training.evaluation.calibration.vote_forecast import (
    SHOWN_LEVEL,
    Coverage,
    PitHistogram,
    coverages,
    mos_forecast,
    pit_histogram,
)
from training.evaluation.comparison import Comparison
from training.evaluation.registry import METRICS

Floats = NDArray[np.float64]

# More than the page shows, because some of them may be hidden from a reviewer.
_FURTHEST_APART = 200
# The photos by predicted score, in so many parts of equal size, each with at least so many photos.
_BANDS, _FEWEST_IN_BAND = 4, 10
# The best and the worst photos by people: a tenth of all, and at least so many.
_END_SHARE, _FEWEST_AT_END = 0.1, 5
# Drawing more votes would not change the third decimal of their mean distance.
_DRAWS_OF_VOTES = 20
_DRAWN_VOTES_AT_MOST = 1_000_000


@dataclass(frozen=True)
class ScoreMoments:
    """Mean and spread of votes and of predicted distributions, over all photos together."""

    people_mean: float
    people_deviation: float
    model_mean: float
    model_deviation: float


@dataclass(frozen=True)
class ScoreBand:
    """Photos with similar predicted means: what people say, and what the model says."""

    low: float
    """Smallest predicted mean."""
    high: float
    photos: int
    votes: int
    people: tuple[int, ...]
    """Number of votes for each score, lowest first."""
    model: tuple[float, ...]
    """Mean of the predicted distributions."""
    difference: Interval
    """Mean of predicted − MOS, in points."""


@dataclass(frozen=True)
class ScaleEnd:
    """The photos that people rate highest, or lowest."""

    is_top: bool
    mos: float
    """Their mean MOS."""
    difference: Interval
    """Mean of predicted − MOS, in points."""
    expected: float
    """What a perfect model would show, because a MOS of few votes is inexact: −(1 − r_k)·(their MOS − mean MOS)."""


@dataclass(frozen=True)
class QualityFigures:
    """Predicted scores and mean opinion scores of the photos with enough votes."""

    photos: int
    votes: int
    groups: int
    krcc: Interval
    plcc: Interval
    mae: Interval
    emd: Interval
    emd_of_average: float
    """EMD of giving every photo the distribution of all votes: what the model must beat."""
    emd_if_right: float
    """EMD that would remain if each vote came from the predicted distribution: histograms of few votes are rough."""
    rps: Interval
    sample: tuple[ComparedPhoto, ...]
    """All photos, or a random sample."""
    forecasts: tuple[tuple[float, float], ...]
    """The model's 80 % interval of the MOS of each photo of `sample`, honest about its number of votes."""
    apart: tuple[ComparedPhoto, ...]
    """Those with the largest difference between model and MOS, largest first."""
    bins: tuple[ReliabilityBin, ...]
    line: FittedLine | None
    running_mos: RunningMean | None
    """MOS by predicted score."""
    running_by_model: RunningMean | None
    """Predicted − MOS by predicted score."""
    running_by_people: RunningMean | None
    """Predicted − MOS by MOS."""
    noise_share: float
    """1 − r_k: how much of the variance of the MOS is noise of few votes; NaN when it is unknown."""
    mos_mean: float
    ends: tuple[ScaleEnd, ...]
    """The worst and the best photos; empty with few photos."""
    moments: ScoreMoments
    people_histogram: tuple[int, ...]
    model_histogram: tuple[float, ...]
    bands: tuple[ScoreBand, ...]
    """By predicted mean, lowest first; empty with few photos."""
    pit: PitHistogram
    coverage: tuple[Coverage, ...]


def quality_figures(comparison: Comparison, *, seed: int) -> QualityFigures | None:
    """Return the figures; None without photos. The same seed gives the same."""
    if not len(comparison):
        return None
    predicted, mos = comparison.quality_mean, comparison.mos
    draws = GroupDraws(comparison.groups, seed=seed)
    variance = vote_variance(comparison.histograms)
    sample = sample_of(len(comparison), seed=seed)
    noise_share = _noise_share(comparison)
    return QualityFigures(
        photos=len(comparison),
        votes=len(comparison.votes),
        groups=draws.groups,
        krcc=krcc_interval(predicted, mos, comparison.groups),
        plcc=_measured("quality_plcc", comparison, seed),
        mae=draws.mean(np.abs(predicted - mos)),
        emd=_measured("quality_emd", comparison, seed),
        emd_of_average=_emd_of_average(comparison),
        emd_if_right=_emd_if_right(comparison, seed),
        rps=_measured("quality_rps", comparison, seed),
        sample=photos_of(comparison, sample, variance),
        forecasts=_forecasts(comparison, sample, variance),
        apart=photos_of(comparison, comparison.furthest_apart[:_FURTHEST_APART], variance),
        bins=tuple(score_bins(predicted, mos)),
        line=fitted_line(predicted, mos, draws),
        running_mos=running_mean(predicted, mos, draws.group),
        running_by_model=running_mean(predicted, predicted - mos, draws.group),
        running_by_people=running_mean(mos, predicted - mos, draws.group),
        noise_share=noise_share,
        mos_mean=float(mos.mean()),
        ends=_ends(comparison, draws, noise_share),
        moments=_moments(comparison),
        people_histogram=tuple(_vote_counts(comparison).sum(axis=0).tolist()),
        model_histogram=tuple(comparison.distribution.mean(axis=0).tolist()),
        bands=_bands(comparison, draws),
        pit=pit_histogram(comparison, draws.group),
        coverage=coverages(comparison, draws, variance),
    )


def krcc_interval(predicted: ArrayLike, observed: ArrayLike, groups: ArrayLike) -> Interval:
    """Return Kendall's rank correlation of arrays [N] with its interval from leaving out each of 20 parts.

    `groups` [N] names the group of near-duplicates of each photo; a part has whole groups. With fewer than 20 groups
    the interval is [−1, 1]. NaN where the correlation is undefined. SciPy measures one pair of arrays per call, so a
    bootstrap would take many times as long as that of the other correlations.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    value = float(correlation.krcc(x, y))
    if np.isnan(value):
        return Interval(value, value, value, len(x), len(names))
    ends = None
    if len(names) >= PARTS:
        ends = jackknife(
            lambda kept: float(correlation.krcc(x[kept], y[kept])),
            group.astype(np.int64),
            value,
            scale=lambda taus: np.asarray(np.arctanh(np.clip(taus, -1 + 1e-9, 1 - 1e-9))),
            back=np.tanh,
        )
    low, high = ends or (-1.0, 1.0)
    return Interval(value, min(low, value), max(high, value), len(x), len(names))


def _measured(name: str, comparison: Comparison, seed: int) -> Interval:
    """Return a metric of the registry, computed as in an evaluation."""
    metric = METRICS[name]
    return metric.interval(comparison, comparison.histograms, comparison.scale, groups=comparison.groups, seed=seed)


def _noise_share(comparison: Comparison) -> float:
    votes = comparison.votes
    found = agreement.vote_ceiling(votes.image_ids, votes.annotator_ids, votes.scores, has_interval=False)
    return 1 - found.value.value**2


def _forecasts(
    comparison: Comparison, rows: NDArray[np.intp], variance: VoteVariance
) -> tuple[tuple[float, float], ...]:
    low, high = mos_forecast(
        comparison.distribution[rows], comparison.vote_counts[rows], SHOWN_LEVEL, comparison.lowest, variance
    )
    return tuple(zip(low.tolist(), high.tolist(), strict=True))


def _emd_of_average(comparison: Comparison) -> float:
    return float(distribution.emd(comparison.histograms.sum(axis=0), comparison.histograms).mean())


def _emd_if_right(comparison: Comparison, seed: int) -> float:
    """Return the mean EMD of histograms of as many votes, each drawn from the predicted distribution."""
    rng = np.random.default_rng(seed)
    p = comparison.distribution / comparison.distribution.sum(axis=-1, keepdims=True)
    votes = np.maximum(comparison.vote_counts, 1)
    draws = int(np.clip(_DRAWN_VOTES_AT_MOST // len(comparison.votes), 1, _DRAWS_OF_VOTES)) if len(votes) else 1
    found = [float(distribution.emd(p, rng.multinomial(votes, p)).mean()) for _ in range(draws)]
    return float(np.mean(found))


def _vote_counts(comparison: Comparison) -> NDArray[np.int64]:
    """Return how many votes each photo has for each score [N, K]; each vote is one, with any weight."""
    votes = comparison.votes
    _, counts = opinion.image_histograms(
        votes.image_ids, votes.scores, lowest=comparison.lowest, highest=comparison.highest
    )
    return counts


def _moments(comparison: Comparison) -> ScoreMoments:
    sums = np.array([comparison.histograms.sum(axis=0), comparison.distribution.sum(axis=0)])
    people_mean, model_mean = distribution.mean_score(sums, lowest=comparison.lowest).tolist()
    people, model = distribution.score_deviation(sums).tolist()
    return ScoreMoments(people_mean, people, model_mean, model)


def _ends(comparison: Comparison, draws: GroupDraws, noise_share: float) -> tuple[ScaleEnd, ...]:
    """Return how far off the model is on the photos that people rate lowest and highest."""
    mos = comparison.mos
    count = max(_FEWEST_AT_END, round(_END_SHARE * len(mos)))
    if len(mos) < 2 * count:
        return ()
    order = np.argsort(mos, kind="stable")
    return tuple(
        _end(comparison, draws, mos, rows, is_top=is_top, noise_share=noise_share)
        for rows, is_top in ((order[:count], False), (order[-count:], True))
    )


def _end(
    comparison: Comparison,
    draws: GroupDraws,
    mos: Floats,
    rows: NDArray[np.intp],
    *,
    is_top: bool,
    noise_share: float,
) -> ScaleEnd:
    inside = np.zeros(len(mos))
    inside[rows] = 1
    mean = float(mos[rows].mean())
    return ScaleEnd(
        is_top=is_top,
        mos=mean,
        difference=_of_rows(draws.ratio(inside * (comparison.quality_mean - mos), inside), len(rows)),
        expected=-noise_share * (mean - float(mos.mean())),
    )


def _of_rows(found: Interval, photos: int) -> Interval:
    """Return the interval with the number of photos that it is about."""
    return Interval(found.value, found.low, found.high, photos, None, found.error)


def _bands(comparison: Comparison, draws: GroupDraws) -> tuple[ScoreBand, ...]:
    predicted, mos, given = comparison.quality_mean, comparison.mos, _vote_counts(comparison)
    bands = min(_BANDS, len(predicted) // _FEWEST_IN_BAND)
    if bands < 2:
        return ()
    parts: Sequence[NDArray[np.intp]] = np.array_split(np.argsort(predicted, kind="stable"), bands)
    found = []
    for rows in parts:
        inside = np.zeros(len(predicted))
        inside[rows] = 1
        found.append(
            ScoreBand(
                low=float(predicted[rows].min()),
                high=float(predicted[rows].max()),
                photos=len(rows),
                votes=int(given[rows].sum()),
                people=tuple(given[rows].sum(axis=0).tolist()),
                model=tuple(comparison.distribution[rows].mean(axis=0).tolist()),
                difference=_of_rows(draws.ratio(inside * (predicted - mos), inside), len(rows)),
            )
        )
    return tuple(found)

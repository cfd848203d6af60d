"""Whether predicted distributions promise the right thing about votes: PIT histogram and coverage.

A predicted distribution is that of the next person's vote. It is too sure when votes fall outside of its intervals more
often than it says, and too unsure when they fall outside less often. Sources: Czado, Gneiting & Held (2009),
'Predictive model assessment for count data', for the PIT histogram of whole numbers; Gneiting, Balabdaoui & Raftery
(2007), 'Probabilistic forecasts, calibration and sharpness', for how to read it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import CONFIDENCE, Interval
from annotation.measures.vote_variance import VoteVariance
from training.evaluation.calibration.group_draws import GroupDraws
from training.evaluation.comparison import Comparison

Floats = NDArray[np.float64]

PIT_BINS = 10
#: Of the intervals whose coverage is measured.
LEVELS = (0.8, 0.9)
#: The level of the model's interval in the scatter plot.
SHOWN_LEVEL = 0.8
# Sums of probabilities are not exact.
_EQUAL = 1e-9


@dataclass(frozen=True)
class PitHistogram:
    """Where votes fall within the predicted distributions: all bars equal if the distributions are right."""

    shares: tuple[float, ...]
    """Share of the votes in each tenth of the predicted distribution, lowest scores first; they sum to 1."""
    low: tuple[float, ...]
    """With right distributions, a bar lies between these in 95 % of the cases."""
    high: tuple[float, ...]
    votes: int
    photos: int
    groups: int

    @property
    def outside(self) -> int:
        """Return how many bars lie outside of their band."""
        return sum(not low <= share <= high for share, low, high in zip(self.shares, self.low, self.high, strict=True))


@dataclass(frozen=True)
class Coverage:
    """How often an interval of the model contains what people say."""

    of_mos: bool
    """Whether it is the interval of the MOS of a photo's votes, or that of one vote."""
    level: float
    promised: float
    """What the model promises: at least the level, because an interval of whole scores cannot have exactly 80 %."""
    observed: Interval
    """Share of the votes, or of the photos, within the interval."""
    width: float
    """Mean width of the interval in points."""


def central_interval(distributions: ArrayLike, level: float, lowest: int) -> tuple[Floats, Floats, Floats]:
    """Return the lowest and the highest score of the central interval of distributions [N, K], and its probability.

    The ends are the (1 − level)/2 and (1 + level)/2 quantiles, whole scores, so the probability [N] is `level` or more.
    """
    p = np.asarray(distributions, dtype=np.float64)
    cumulated = np.cumsum(p, axis=-1) / p.sum(axis=-1, keepdims=True)
    tail = (1 - level) / 2
    first = (cumulated < tail - _EQUAL).sum(axis=-1)
    last = np.minimum((cumulated < 1 - tail - _EQUAL).sum(axis=-1), p.shape[-1] - 1)
    rows = np.arange(len(p))
    below = np.where(first > 0, cumulated[rows, np.maximum(first - 1, 0)], 0.0)
    return lowest + first.astype(np.float64), lowest + last.astype(np.float64), cumulated[rows, last] - below


def mos_forecast(
    distributions: ArrayLike, votes: ArrayLike, level: float, lowest: int, variance: VoteVariance
) -> tuple[Floats, Floats]:
    """Return the interval of the MOS of k votes [N] that predicted distributions [N, K] promise, clipped to the scale.

    The variance σ² of a predicted distribution has two parts: how unsure the model is about the photo, and how much
    people differ about one photo, s². Votes on one photo share the first part, and average out only the second:
    Var(MOS) = (σ² − s²) + s²/k. s² is the typical variance of votes on one photo, `variance`, and at most σ²; without
    it all of σ² averages out. The interval is that of a normal distribution around the predicted mean.
    """
    from scipy.special import ndtri

    p = np.asarray(distributions, dtype=np.float64)
    scores = lowest + np.arange(p.shape[-1], dtype=np.float64)
    mean = p @ scores / p.sum(axis=-1)
    total = (p * (scores - mean[:, np.newaxis]) ** 2).sum(axis=-1) / p.sum(axis=-1)
    within = np.minimum(variance.mean, total) if variance.is_known else total
    half = float(ndtri((1 + level) / 2)) * np.sqrt(total - within + within / np.asarray(votes, dtype=np.float64))
    return np.maximum(mean - half, scores[0]), np.minimum(mean + half, scores[-1])


def pit_histogram(comparison: Comparison, group: NDArray[np.intp]) -> PitHistogram:
    """Return the PIT histogram of the votes of at least one photo. `group` [N] is the place of each photo's group.

    The PIT of a continuous forecast is F(vote). For whole numbers it is drawn evenly from F(vote − 1) to F(vote)
    (randomised PIT); this histogram is the mean over all such draws, so it has no noise of its own. The band is
    Student's t around a tenth, with the sandwich estimator over groups, because votes on one photo are not independent.
    """
    from scipy.special import stdtrit

    p = comparison.distribution / comparison.distribution.sum(axis=-1, keepdims=True)
    upper = np.cumsum(p, axis=-1)
    lower = upper - p
    edges = np.linspace(0, 1, PIT_BINS + 1)
    weights = comparison.histograms  # [N, K]
    totals = weights.sum(axis=-1)
    in_bin = np.empty((len(p), PIT_BINS))
    for place in range(PIT_BINS):
        overlap = np.clip(np.minimum(upper, edges[place + 1]) - np.maximum(lower, edges[place]), 0, None)
        # A score that the model gave no chance: all of it is at the place F.
        at_place = (lower >= edges[place] - _EQUAL) & ((lower < edges[place + 1] - _EQUAL) | (place == PIT_BINS - 1))
        part = np.divide(overlap, p, out=at_place.astype(np.float64), where=p > _EQUAL)
        in_bin[:, place] = (weights * part).sum(axis=-1)
    shares = in_bin.sum(axis=0) / in_bin.sum()
    groups = int(group.max()) + 1
    residual = in_bin - shares * totals[:, np.newaxis]
    sums = np.stack([np.bincount(group, residual[:, place], groups) for place in range(PIT_BINS)], axis=1)
    if groups > 1:
        error = np.sqrt(groups / (groups - 1) * (sums**2).sum(axis=0)) / totals.sum()
        half = float(stdtrit(groups - 1, (1 + CONFIDENCE) / 2)) * error
    else:
        half = np.full(PIT_BINS, 1.0)  # one group says nothing about its noise
    return PitHistogram(
        shares=tuple(shares.tolist()),
        low=tuple(np.maximum(1 / PIT_BINS - half, 0).tolist()),
        high=tuple(np.minimum(1 / PIT_BINS + half, 1).tolist()),
        votes=len(comparison.votes),
        photos=len(comparison),
        groups=groups,
    )


def coverages(comparison: Comparison, draws: GroupDraws, variance: VoteVariance) -> tuple[Coverage, ...]:
    """Return the coverage of the intervals of the next vote and of the MOS, at each of `LEVELS`.

    Votes count with their weights. The intervals of the shares draw whole groups of near-duplicates.
    """
    found = []
    scores = comparison.lowest + np.arange(comparison.histograms.shape[-1])
    totals, votes, mos = comparison.histograms.sum(axis=-1), comparison.vote_counts, comparison.mos
    for level in LEVELS:
        low, high, mass = central_interval(comparison.distribution, level, comparison.lowest)
        inside = (scores >= low[:, np.newaxis]) & (scores <= high[:, np.newaxis])
        hits = (comparison.histograms * inside).sum(axis=-1)
        promised = float((mass * totals).sum() / totals.sum())
        found.append(Coverage(False, level, promised, draws.ratio(hits, totals), float((high - low).mean())))
    for level in LEVELS:
        low, high = mos_forecast(comparison.distribution, votes, level, comparison.lowest, variance)
        within = (mos >= low - _EQUAL) & (mos <= high + _EQUAL)
        found.append(Coverage(True, level, level, draws.mean(within), float((high - low).mean())))
    return tuple(found)

"""Photos on which people and the model disagree more than both can be wrong.

Scores: people's interval is that of the MOS; the model's is its prediction ± 1.96·τ, where τ is the model's typical
error apart from the scatter of the votes (`model_error`). A photo is listed when the two intervals do not meet and the
difference is beyond chance: p by Student's t of difference / √(τ² + s²), with Satterthwaite's degrees of freedom, and
at most FALSE_SHARE of the listed photos false (Benjamini & Hochberg, 1995, 'Controlling the false discovery rate').
The largest raw differences are mostly photos with few votes that scatter.

Watches: a photo is listed when the majority of its votes is sure, the model is sure, and they contradict. A majority of
two votes or more is sure when the probability of its label is SURE or more, by Bayes' rule from how often votes on the
same photo differ.
How many contradictions chance alone brings is stated beside: if the model's probabilities are right, a sure one is
wrong with one minus its own probability.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.measures import opinion
from annotation.measures.intervals import CONFIDENCE
from annotation.measures.vote_variance import VoteVariance, vote_variance
from training.evaluation.calibration.facts import PhotoFacts
from training.evaluation.calibration.model_error import model_error, mos_variances
from training.evaluation.comparison import Comparison

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FALSE_SHARE = 0.1
SURE = 0.95
#: Photos that are stored of each list, the strongest evidence first.
MOST_STORED = 500
_QUANTILE = 1.959963984540054
# Standard error of a variance that comes from the median of absolute values, times √n, as a part of the variance.
_MEDIAN_SPREAD = 2.33
_FEWEST_VOTES = 2
# Without this many photos, the typical error of the model is not known well enough.
FEWEST_PHOTOS = 20


@dataclass(frozen=True)
class ScoreConflict:
    """A photo whose two intervals do not meet."""

    image_id: int
    votes: int
    mos: float
    low: float
    """People's 95 % interval of the MOS."""
    high: float
    predicted: float
    model_low: float
    model_high: float
    p: float
    """Probability of such a difference, or a larger one, by chance."""

    @property
    def is_overrated(self) -> bool:
        """Return whether the model's score is higher than people's."""
        return self.predicted > self.mos


@dataclass(frozen=True)
class WatchConflict:
    """A photo with a sure majority and a sure probability that contradict each other."""

    image_id: int
    yes: int
    no: int
    people: float
    """Probability of a watch from the votes."""
    probability: float
    """Of a watch, by the model."""


@dataclass(frozen=True)
class DisagreementFigures:
    """The photos of both lists, and how many of them chance alone would bring."""

    photos: int
    """Photos with at least two votes."""
    model_error: float
    """τ of the model, in points: of photos of the holdout, when there are enough."""
    not_meeting: int
    """Photos whose intervals do not meet."""
    by_chance: float
    """How many that would be if no photo was special."""
    listed: int
    """Those of them that are beyond chance; at most FALSE_SHARE of these are false."""
    scores: tuple[ScoreConflict, ...]
    labelled: int
    """Photos whose majority label is sure and whose probability is sure."""
    contradicting: int
    watch_by_chance: float
    """How many contradictions there would be if the model's probabilities and the votes were as sure as they say."""
    vote_error: float
    """Probability that a single vote has the wrong label."""
    watches: tuple[WatchConflict, ...]


def disagreement_figures(
    comparison: Comparison, facts: PhotoFacts, *, variance: VoteVariance | None = None
) -> DisagreementFigures | None:
    """Return the figures; None with fewer than FEWEST_PHOTOS photos that have two votes.

    `facts`: of the same photos. `variance`: of votes on one photo; None: that of the compared votes.
    """
    has_mos = comparison.vote_counts >= _FEWEST_VOTES
    if int(has_mos.sum()) < FEWEST_PHOTOS:
        return None
    if variance is None:
        variance = vote_variance(comparison.histograms)
    holdout = facts.is_holdout[has_mos] if len(facts.is_holdout) else np.ones(int(has_mos.sum()), dtype=bool)
    tau, conflicts, not_meeting, by_chance = _score_conflicts(comparison.part(has_mos), holdout, variance)
    watches, labelled, watch_by_chance, error = _watch_conflicts(comparison)
    return DisagreementFigures(
        photos=int(has_mos.sum()),
        model_error=tau,
        not_meeting=not_meeting,
        by_chance=by_chance,
        listed=len(conflicts),
        scores=tuple(conflicts[:MOST_STORED]),
        labelled=labelled,
        contradicting=len(watches),
        watch_by_chance=watch_by_chance,
        vote_error=error,
        watches=tuple(watches[:MOST_STORED]),
    )


def _score_conflicts(
    scored: Comparison, holdout: NDArray[np.bool_], variance: VoteVariance
) -> tuple[float, list[ScoreConflict], int, float]:
    """Return τ, the listed photos, and how many intervals do not meet: seen, and expected by chance."""
    from scipy import stats

    mos, predicted = scored.mos, scored.quality_mean
    of_mos = mos_variances(scored.histograms, variance)
    low, high = opinion.mos_interval(scored.histograms, scored.lowest, variance)
    difference = predicted - mos
    # Models learn from the other photos, so their errors on them say less about what a model does not know.
    known = holdout if int(holdout.sum()) >= FEWEST_PHOTOS else np.ones(len(scored), dtype=bool)
    tau = _typical_error(difference[known], of_mos[known])
    model_low, model_high = predicted - _QUANTILE * tau, predicted + _QUANTILE * tau
    apart = (model_low > high) | (model_high < low)
    total = tau**2 + of_mos
    degrees = np.maximum(scored.vote_counts - 1, 0) + (variance.degrees if variance.is_known else 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # The error of the MOS is estimated with few degrees of freedom, that of the model with many.
        together = np.where(of_mos > 0, total**2 / (of_mos**2 / np.maximum(degrees, 1)), np.inf)
        z = np.where(total > 0, np.abs(difference) / np.sqrt(total), 0.0)
        half = np.where(of_mos > 0, stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(degrees, 1)), 0.0)
        limit = np.where(total > 0, (half * np.sqrt(of_mos) + _QUANTILE * tau) / np.sqrt(total), np.inf)
    p = 2 * stats.t.sf(z, together)
    by_chance = float((2 * stats.t.sf(limit, together)).sum())
    listed = apart & (stats.false_discovery_control(p) <= FALSE_SHARE)
    rows = np.flatnonzero(listed)
    rows = rows[np.argsort(p[rows], kind="stable")]
    counts = scored.vote_counts
    conflicts = [
        ScoreConflict(
            image_id=int(scored.image_ids[row]),
            votes=int(counts[row]),
            mos=float(mos[row]),
            low=float(low[row]),
            high=float(high[row]),
            predicted=float(predicted[row]),
            model_low=float(max(model_low[row], scored.lowest)),
            model_high=float(min(model_high[row], scored.highest)),
            p=float(p[row]),
        )
        for row in rows.tolist()
    ]
    return tau, conflicts, int(apart.sum()), by_chance


def _typical_error(difference: Floats, of_mos: Floats) -> float:
    """Return τ, and at least one standard error of it: an error of zero would only mean that votes are few."""
    least = _MEDIAN_SPREAD * float(np.median(of_mos)) / float(np.sqrt(len(difference)))
    return float(np.sqrt(max(model_error(difference, of_mos) ** 2, least)))


def _watch_conflicts(comparison: Comparison) -> tuple[list[WatchConflict], int, float, float]:
    """Return the listed photos, how many photos are sure on both sides, the number by chance, and a vote's error."""
    row = np.searchsorted(comparison.image_ids, comparison.votes.image_ids)
    yes, no = (
        np.bincount(row[comparison.votes.watch == label], minlength=len(comparison)).astype(np.int64)
        for label in (1, 0)
    )
    error = vote_error(yes, no)
    people = watch_posterior(yes, no, error)
    model = comparison.watch_probability
    sure = (np.maximum(people, 1 - people) >= SURE) & (np.maximum(model, 1 - model) >= SURE)
    sure &= yes + no >= _FEWEST_VOTES  # one vote is no majority
    chance = np.minimum(model, 1 - model) + np.minimum(people, 1 - people)
    contradicts = sure & ((people > 0.5) != (model > 0.5))
    rows = np.flatnonzero(contradicts)
    # What both say against each other, in log-odds: the least sure side counts.
    strength = np.minimum(np.abs(_log_odds(people[rows])), np.abs(_log_odds(model[rows])))
    rows = rows[np.argsort(-strength, kind="stable")]
    ids = comparison.image_ids
    found = [
        WatchConflict(int(ids[one]), int(yes[one]), int(no[one]), float(people[one]), float(model[one]))
        for one in rows.tolist()
    ]
    return found, int(sure.sum()), float(chance[sure].sum()), error


def vote_error(yes: Ints, no: Ints) -> float:
    """Return the probability that one vote has the wrong label, from the yes and no votes of photos, [N] each.

    Two votes on the same photo differ with probability 2ε(1 − ε). One more pair that differs is added, so that a few
    votes that all agree are not taken as free of errors. .5 when votes differ as often as by guessing.
    """
    votes = yes + no
    pairs = float((votes * (votes - 1) / 2).sum())
    share = (float((yes * no).sum()) + 1) / (pairs + 2)
    return 0.5 if share >= 0.5 else (1 - float(np.sqrt(1 - 2 * share))) / 2


def watch_posterior(yes: Ints, no: Ints, error: float) -> Floats:
    """Return the probability of a watch for each photo [N], by Bayes' rule; .5 without votes.

    Each vote is wrong with probability `error`, independently. Before the votes, a photo is a watch with the share of
    watches among the photos with a majority.
    """
    decided = yes != no
    share = (int((yes > no).sum()) + 1) / (int(decided.sum()) + 2)
    odds = np.log(share / (1 - share)) + (yes - no) * np.log((1 - error) / error)
    posterior: Floats = np.where(yes + no > 0, 1 / (1 + np.exp(-np.clip(odds, -50, 50))), 0.5)
    return posterior


def _log_odds(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-12, 1 - 1e-12)
    odds: Floats = np.log(clipped / (1 - clipped))
    return odds

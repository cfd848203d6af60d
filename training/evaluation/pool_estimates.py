"""What a whole campaign looks like, and how accurate its model is, from the audit photos only.

**Audit photos** are holdout photos that a queue lane chose without a look at any prediction, and that the version has
not learned from. Other photos are no sample of the campaign: lanes such as `watch_margin` take what the model is unsure
about, and what they leave to the lane `random` among the training photos is too easy. So no figure on training photos
is shown as accuracy, not even on those of the lane `random`.

`annotation.measures.pool_mean` says how the means of the campaign are estimated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from annotation.measures.decision_intervals import f1_interval
from annotation.measures.intervals import Interval
from annotation.measures.pool_mean import (
    FEWEST_GROUPS,
    FEWEST_OF_EACH,
    PoolMean,
    class_parts,
    classical_mean,
    common_weight,
    has_evidence,
    powered_mean,
)
from annotation.measures.vote_variance import vote_variance
from training.evaluation.calibration.evidence import FEWEST_OF_EACH_LABEL
from training.evaluation.comparison import Comparison
from training.evaluation.registry import METRICS, ScaleAndThresholds
from training.evaluation.weighted_answers import TakenPhotos, WeightedAnswers, weighted_answers

Floats = NDArray[np.float64]

SCORE, WATCH = "score", "watch"
CLASSES = ("rejected", "pending", "accepted")
#: What each estimate is called on pages.
LABELS = {
    SCORE: gettext_noop("Mean score"),
    CLASSES[0]: gettext_noop("Rejected"),
    CLASSES[1]: gettext_noop("Pending"),
    CLASSES[2]: gettext_noop("Accepted"),
    WATCH: gettext_noop("With a watch"),
}
_FEWEST_VOTES = 2  # for the class of a photo, as for the score figures


@dataclass(frozen=True, eq=False)
class PoolFacts:
    """The photos of a campaign, and what a version predicts for those of them that it has not learned from."""

    audited: NDArray[np.int64]
    """Ids of the audit photos; those without a vote are among them."""
    photos: int
    """In the campaign."""
    predicted: int
    """Photos that the version predicts and has not learned from: a random part of the campaign."""
    score: float
    """Mean of their predicted means."""
    classes: tuple[float, float, float]
    """Shares of their predicted classes."""
    watch: float
    """Mean of their watch probabilities."""
    is_holdout_only: bool
    """Only holdout photos are among them, because the training photos with votes were not chosen at random."""
    taken: TakenPhotos
    """All photos that the queue gave to somebody, chosen ones included."""


@dataclass(frozen=True)
class PoolEstimate:
    """One figure about all photos of the campaign."""

    name: str
    """`SCORE`, one of `CLASSES`, or `WATCH`."""
    found: PoolMean | None
    """None below the evidence for an interval."""
    have: int
    """How much of `needed` there is, near-duplicates counted once."""
    needed: int
    """Audit photos, or of a share those on its smaller side."""
    is_of_side: bool = False
    """There are enough audit photos, but too few of them in this class, or outside it."""


@dataclass(frozen=True)
class PoolFigures:
    """The campaign from its audit photos."""

    photos: int
    predicted: int
    is_holdout_only: bool
    audited: int
    """Audit photos with a vote and a prediction."""
    groups: int
    """The same, with near-duplicates counted once."""
    votes: int
    estimates: tuple[PoolEstimate, ...]
    mean_error: Interval
    """|predicted mean − MOS| over audit photos with two votes, in points; NaN below the evidence."""
    watch_accuracy: Interval
    """Share of right decisions at the version's threshold, over audit photos with a majority label."""
    watch_f1: Interval
    weighted: WeightedAnswers
    """The mean score and the share of photos with a watch from all answers."""

    @property
    def is_known(self) -> bool:
        """Return whether any figure about the campaign is known."""
        return any(one.found is not None for one in self.estimates)


def pool_figures(comparison: Comparison, facts: PoolFacts) -> PoolFigures:
    """Return the figures of a campaign. `comparison`: votes on holdout photos beside the version's predictions."""
    audit = comparison.part(np.isin(comparison.image_ids, facts.audited))
    counts = audit.vote_counts
    scored = audit.part(counts >= _FEWEST_VOTES)
    decided = audit.part(audit.has_majority)
    variance = vote_variance(comparison.histograms).mean
    return PoolFigures(
        photos=facts.photos,
        predicted=facts.predicted,
        is_holdout_only=facts.is_holdout_only,
        audited=len(audit),
        groups=len(np.unique(audit.groups)),
        votes=int(counts.sum()),
        estimates=tuple(_estimates(audit, scored, facts, variance=variance)),
        mean_error=_mean_error(scored, facts.photos),
        watch_accuracy=_watch_accuracy(decided, facts.photos),
        watch_f1=_watch_f1(decided),
        weighted=weighted_answers(facts.taken, variance=variance),
    )


def _estimates(audit: Comparison, scored: Comparison, facts: PoolFacts, *, variance: float) -> Iterator[PoolEstimate]:
    """Yield the mean score, the class shares and the watch share. `variance`: of votes on one photo, NaN if unknown."""
    noise = _noise(audit, variance)
    yield _estimate(SCORE, audit, audit.mos, audit.quality_mean, facts.score, facts, noise=noise)
    limits = (scored.scale.reject_at, scored.scale.pending_at)
    parts, _ = class_parts(scored.mos, scored.vote_counts, variance=variance, limits=limits)
    predicted = _predicted_classes(scored.quality_mean, scored.scale)
    weight = common_weight(parts, predicted)
    for place, name in enumerate(CLASSES):
        yield _estimate(
            name,
            scored,
            parts[:, place],
            predicted[:, place],
            facts.classes[place],
            facts,
            is_share=True,
            weight=weight,
        )
    answered = audit.part(audit.watch_yes + audit.watch_no > 0)
    watch = answered.watch_yes / (answered.watch_yes + answered.watch_no)
    yield _estimate(WATCH, answered, watch, answered.watch_probability, facts.watch, facts, is_share=True)


def _estimate(
    name: str,
    sample: Comparison,
    votes: Floats,
    predictions: Floats,
    predicted_mean: float,
    facts: PoolFacts,
    *,
    noise: float = 1.0,
    is_share: bool = False,
    weight: float | None = None,
) -> PoolEstimate:
    if not has_evidence(votes, groups=sample.groups, is_share=is_share):
        return _too_little(name, sample, votes)
    found = powered_mean(
        votes,
        predictions,
        predicted_mean=predicted_mean,
        predicted=max(facts.predicted, len(votes)),
        groups=sample.groups,
        pool=max(facts.photos, len(votes)),
        noise=noise,
        is_share=is_share,
        weight=weight,
    )
    return PoolEstimate(name, found, found.classical.groups or 0, FEWEST_GROUPS)


def _too_little(name: str, sample: Comparison, votes: Floats) -> PoolEstimate:
    groups = len(np.unique(sample.groups))
    if groups < FEWEST_GROUPS:
        return PoolEstimate(name, None, groups, FEWEST_GROUPS)
    side = min(float(votes.sum()), len(votes) - float(votes.sum()))
    return PoolEstimate(name, None, max(int(side), 0), FEWEST_OF_EACH, is_of_side=True)


def _noise(audit: Comparison, variance: float) -> float:
    """Return which part of the variance of the vote means is noise of the votes; 1 if unknown."""
    if len(audit) < 2 or not variance > 0:
        return 1.0
    total = float(audit.mos.var(ddof=1))
    return min(variance * float((1 / audit.vote_counts).mean()) / total, 1.0) if total > 0 else 1.0


def _predicted_classes(means: Floats, scale: ScaleAndThresholds) -> Floats:
    """Return 1 for the predicted class of each photo and 0 for the others [N, 3]."""
    low, high = means <= scale.predicted_reject_at, means > scale.predicted_pending_at
    return np.stack([low, ~low & ~high, high], axis=-1).astype(np.float64)


def _mean_error(scored: Comparison, photos: int) -> Interval:
    errors = np.abs(scored.quality_mean - scored.mos)
    if not has_evidence(errors, groups=scored.groups, is_share=False):
        return _unknown(scored)
    return classical_mean(errors, groups=scored.groups, pool=max(photos, len(errors)))


def _has_labels(decided: Comparison) -> bool:
    is_watch = decided.is_watch == 1
    sides = [len(np.unique(decided.groups[side])) for side in (is_watch, ~is_watch)]
    return len(np.unique(decided.groups)) >= FEWEST_GROUPS and min(sides) >= FEWEST_OF_EACH_LABEL


def _watch_accuracy(decided: Comparison, photos: int) -> Interval:
    if not _has_labels(decided):
        return _unknown(decided)
    right = (decided.watch_probability > decided.scale.watch_threshold) == (decided.is_watch == 1)
    return classical_mean(right, groups=decided.groups, pool=max(photos, len(right)), is_share=True)


def _watch_f1(decided: Comparison) -> Interval:
    if not _has_labels(decided):
        return _unknown(decided)
    metric = METRICS["watch_f1"]
    decisions = metric.prediction_input(decided, decided.is_watch, decided.scale)
    return f1_interval(decisions, decided.is_watch, groups=decided.groups)


def _unknown(sample: Comparison) -> Interval:
    return Interval(nan, nan, nan, len(sample))

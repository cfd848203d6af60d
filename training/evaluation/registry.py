"""The metrics of an evaluation, one row each: name, meaning, function, and its two inputs.

Evaluations, the models, run and calibration pages, `manage.py evaluate` and docs/reference/metrics.md
all read these rows. To add a metric, add a row here and a row there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from numpy.typing import NDArray

from annotation.language import gettext, gettext_noop
from annotation.measures import classification, correlation, distribution, intervals
from annotation.measures.decision_intervals import accuracy_interval, f1_interval, roc_auc_interval
from annotation.measures.distribution import Floats

# One entry per photo: a number, or a score histogram.
Column = NDArray[Any]


class Votes(StrEnum):
    """Which photos a metric is measured on, and which votes it gets as input."""

    QUALITY = "quality"
    """Photos with at least two votes; score histograms [N, K]."""
    WATCH = "watch"
    """Photos with a majority label; 1 watch, 0 no watch [N]."""


@dataclass(frozen=True)
class ScaleAndThresholds:
    """The settings of a campaign that metrics need."""

    lowest: int
    """The scale's lowest score."""
    reject_at: float
    pending_at: float
    watch_threshold: float
    predicted_reject_at: float
    """The class limits on predicted means of the version."""
    predicted_pending_at: float


class Predictions(Protocol):
    """Predictions of one model version, one row per photo."""

    @property
    def quality_mean(self) -> Floats:
        """Return the mean of the predicted distribution [N], on the scale."""

    @property
    def distribution(self) -> Floats:
        """Return the predicted distributions [N, K]."""

    @property
    def watch_probability(self) -> Floats:
        """Return the watch probabilities [N]."""


@dataclass(frozen=True)
class Metric:
    """A metric of a model version against the votes."""

    name: str
    """The key in Evaluation.metrics."""
    label: str
    explanation: str
    higher_is_better: bool
    digits: int
    unit: str
    """'' for a number without a unit."""
    votes: Votes
    function: intervals.Metric
    prediction_input: Callable[[Predictions, Column, ScaleAndThresholds], Column]
    """(predictions, votes, scale) → one entry per photo [N]."""
    vote_input: Callable[[Column, ScaleAndThresholds], Column] | None = None
    """(votes, scale) → one entry per photo [N]; None if the prediction input is already a distance from the votes."""
    own_interval: Callable[..., intervals.Interval] | None = None
    """(prediction input, vote input, groups=, seed=) → the metric with its interval; None: by the bootstrap."""
    least_error: Callable[[Column, Column, Column], float] | None = None
    """(the challenger's input, votes, groups) → the standard error that comes on top of that of the resamples. Two
    models with equal decisions on all photos have no difference in any resample, which proves nothing."""
    has_ceiling: bool = False
    """Whether √r_k, the correlation that a perfect model would reach, is stored with the value."""

    @property
    def label_words(self) -> str:
        """Return the label in the language of the reader."""
        return gettext(self.label)

    @property
    def unit_words(self) -> str:
        """Return the unit in the language of the reader; '' for a number without a unit."""
        return gettext(self.unit) if self.unit else ""

    def interval(
        self, predictions: Predictions, votes: Column, scale: ScaleAndThresholds, *, groups: Column, seed: int
    ) -> intervals.Interval:
        """Return the metric of predictions and votes of the same photos, with its interval.

        `groups` [N] names the group of near-duplicates of each photo. The bootstrap draws groups.
        """
        column = self.prediction_input(predictions, votes, scale)
        if self.own_interval is not None:
            return self.own_interval(column, *self._vote_columns(votes, scale), groups=groups, seed=seed)
        return intervals.interval(self.function, column, *self._vote_columns(votes, scale), groups=groups, seed=seed)

    def difference(
        self,
        challenger: Predictions,
        champion: Predictions,
        votes: Column,
        scale: ScaleAndThresholds,
        champion_scale: ScaleAndThresholds,
        *,
        groups: Column,
        seed: int,
    ) -> intervals.Interval:
        """Return challenger minus champion on the same photos, with its paired bootstrap interval.

        `scale` has the challenger's watch threshold and limits on predicted means, `champion_scale` those of the
        champion; all else is equal.
        """
        column, vote_columns = self.prediction_input(challenger, votes, scale), self._vote_columns(votes, scale)
        found = intervals.paired_interval(
            self.function,
            column,
            self.prediction_input(champion, votes, champion_scale),
            *vote_columns,
            groups=groups,
            seed=seed,
        )
        if self.least_error is None or not len(column):
            return found
        return replace(found, least_error=self.least_error(column, vote_columns[0], groups))

    def _vote_columns(self, votes: Column, scale: ScaleAndThresholds) -> list[Column]:
        return [] if self.vote_input is None else [self.vote_input(votes, scale)]


def _quality_mean(predictions: Predictions, histograms: Column, scale: ScaleAndThresholds) -> Column:
    return predictions.quality_mean


def _mos(histograms: Column, scale: ScaleAndThresholds) -> Column:
    return distribution.mean_score(histograms, lowest=scale.lowest)


def _emd(predictions: Predictions, histograms: Column, scale: ScaleAndThresholds) -> Column:
    return distribution.emd(predictions.distribution, histograms)


def _rps(predictions: Predictions, histograms: Column, scale: ScaleAndThresholds) -> Column:
    return distribution.rps(predictions.distribution, histograms)


def _predicted_class(predictions: Predictions, histograms: Column, scale: ScaleAndThresholds) -> Column:
    return classification.quality_classes(
        predictions.quality_mean, reject_at=scale.predicted_reject_at, pending_at=scale.predicted_pending_at
    )


def _mos_class(histograms: Column, scale: ScaleAndThresholds) -> Column:
    means = _mos(histograms, scale)
    return classification.quality_classes(means, reject_at=scale.reject_at, pending_at=scale.pending_at)


def _watch_probability(predictions: Predictions, labels: Column, scale: ScaleAndThresholds) -> Column:
    return predictions.watch_probability


def _watch_decision(predictions: Predictions, labels: Column, scale: ScaleAndThresholds) -> Column:
    return (predictions.watch_probability > scale.watch_threshold).astype("int8")


def _label(labels: Column, scale: ScaleAndThresholds) -> Column:
    return labels


def _accuracy_interval(decisions: Column, labels: Column, *, groups: Column, seed: int) -> intervals.Interval:
    return accuracy_interval(decisions, labels, groups=groups)


def _f1_interval(decisions: Column, labels: Column, *, groups: Column, seed: int) -> intervals.Interval:
    return f1_interval(decisions, labels, groups=groups)


def _unseen_misses(decisions: Column, labels: Column, groups: Column) -> float:
    """Return by how much F1 falls when two more groups of watches in all are missed.

    Where no watch of G groups was missed, up to 3.7/G of all may be (the 97.5 % limit of Clopper & Pearson, 1934). That
    is 1.96 times two groups.
    """
    is_watch, is_called = labels == 1, decisions == 1
    watches = len(set(groups[is_watch].tolist()))
    found, missed = float((is_watch & is_called).sum()), float((is_watch & ~is_called).sum())
    wrong = float((is_called & ~is_watch).sum()) + missed
    if not watches or not found:
        return 0.0
    lost = found * min(2 / watches, 1.0)
    return 2 * found / (2 * found + wrong) - 2 * (found - lost) / (2 * (found - lost) + wrong + lost)


def _mean(distances: Column) -> Column:
    mean: Column = distances.mean(axis=-1)
    return mean


_METRICS = (
    Metric(
        name="quality_srcc",
        label=gettext_noop("Quality SRCC"),
        explanation=gettext_noop("Spearman's rank correlation of predicted mean and MOS."),
        higher_is_better=True,
        digits=3,
        unit="",
        votes=Votes.QUALITY,
        function=correlation.srcc,
        prediction_input=_quality_mean,
        vote_input=_mos,
        has_ceiling=True,
    ),
    Metric(
        name="quality_plcc",
        label=gettext_noop("Quality PLCC"),
        explanation=gettext_noop("Pearson's linear correlation of predicted mean and MOS."),
        higher_is_better=True,
        digits=3,
        unit="",
        votes=Votes.QUALITY,
        function=correlation.plcc,
        prediction_input=_quality_mean,
        vote_input=_mos,
        has_ceiling=True,
    ),
    Metric(
        name="quality_rmse",
        label=gettext_noop("Quality RMSE"),
        explanation=gettext_noop("Root mean squared difference of predicted mean and MOS."),
        higher_is_better=False,
        digits=2,
        unit=gettext_noop("points"),
        votes=Votes.QUALITY,
        function=correlation.rmse,
        prediction_input=_quality_mean,
        vote_input=_mos,
    ),
    Metric(
        name="quality_emd",
        label=gettext_noop("Quality EMD"),
        explanation=gettext_noop("Earth mover's distance (r = 2) between predicted distribution and score histogram."),
        higher_is_better=False,
        digits=3,
        unit="",
        votes=Votes.QUALITY,
        function=_mean,
        prediction_input=_emd,
    ),
    Metric(
        name="quality_rps",
        label=gettext_noop("Quality RPS"),
        explanation=gettext_noop("Ranked probability score per vote: the sum over the scale of (CDF − 1[vote ≤ k])²."),
        higher_is_better=False,
        digits=3,
        unit=gettext_noop("points"),
        votes=Votes.QUALITY,
        function=_mean,
        prediction_input=_rps,
    ),
    Metric(
        name="class_accuracy",
        label=gettext_noop("Class accuracy"),
        explanation=gettext_noop(
            "Share of photos whose predicted class (rejected, pending, accepted) is that of the MOS."
        ),
        higher_is_better=True,
        digits=3,
        unit="",
        votes=Votes.QUALITY,
        function=classification.accuracy,
        own_interval=_accuracy_interval,
        prediction_input=_predicted_class,
        vote_input=_mos_class,
    ),
    Metric(
        name="class_f1",
        label=gettext_noop("Class F1"),
        explanation=gettext_noop(
            "Mean of the F1 of rejected, pending and accepted against the class of the MOS. Each class counts "
            "the same, however rare; a class without photos is left out."
        ),
        higher_is_better=True,
        digits=3,
        unit="",
        votes=Votes.QUALITY,
        function=classification.macro_f1,
        prediction_input=_predicted_class,
        vote_input=_mos_class,
    ),
    Metric(
        name="watch_roc_auc",
        label=gettext_noop("Watch ROC AUC"),
        explanation=gettext_noop("Area under the ROC curve of the watch probability, against the majority label."),
        higher_is_better=True,
        digits=3,
        unit="",
        votes=Votes.WATCH,
        function=classification.roc_auc,
        own_interval=roc_auc_interval,
        prediction_input=_watch_probability,
        vote_input=_label,
    ),
    Metric(
        name="watch_f1",
        label=gettext_noop("Watch F1"),
        explanation=gettext_noop("F1 of the decisions at the watch threshold, against the majority label."),
        higher_is_better=True,
        digits=3,
        unit="",
        votes=Votes.WATCH,
        function=classification.f1,
        own_interval=_f1_interval,
        prediction_input=_watch_decision,
        vote_input=_label,
        least_error=_unseen_misses,
    ),
    Metric(
        name="watch_accuracy",
        label=gettext_noop("Watch accuracy"),
        explanation=gettext_noop("Share of correct decisions at the watch threshold, against the majority label."),
        higher_is_better=True,
        digits=3,
        unit="",
        votes=Votes.WATCH,
        function=classification.accuracy,
        own_interval=_accuracy_interval,
        prediction_input=_watch_decision,
        vote_input=_label,
    ),
    Metric(
        name="watch_brier",
        label=gettext_noop("Watch Brier"),
        explanation=gettext_noop("Mean squared difference of watch probability and majority label."),
        higher_is_better=False,
        digits=3,
        unit="",
        votes=Votes.WATCH,
        function=classification.brier,
        prediction_input=_watch_probability,
        vote_input=_label,
    ),
)
METRICS = {metric.name: metric for metric in _METRICS}

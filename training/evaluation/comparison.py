"""Votes and predictions of one model version on the same photos, and the figures of the calibration page."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from annotation.consensus import labels
from annotation.measures import agreement, correlation, intervals, opinion
from annotation.measures.votes import VoteTable
from training.evaluation.registry import METRICS, ScaleAndThresholds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """One row per photo that has votes and a prediction, ascending by image id."""

    scale: ScaleAndThresholds
    image_ids: Ints
    names: list[str]
    groups: NDArray[np.str_]
    """Of near-duplicates [N]."""
    histograms: Floats
    """People's opinion scores [N, K]: sums of the weights of the votes, as in an evaluation."""
    quality_mean: Floats
    """Mean of the predicted distribution [N], on the scale."""
    distribution: Floats
    """Predicted distributions [N, K]."""
    watch_probability: Floats
    """[N]"""
    watch_yes: Floats
    """Sum of the weights of the votes for 'watch' [N]; 'unsure' counts as neither."""
    watch_no: Floats
    """The same for 'no watch' [N]."""
    votes: VoteTable
    """The individual votes on these photos."""
    rated: int
    """Number of photos with votes, with or without a prediction of this version."""

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def lowest(self) -> int:
        """Return the scale's lowest score."""
        return self.scale.lowest

    @property
    def highest(self) -> int:
        """Return the scale's highest score."""
        return self.lowest + int(self.histograms.shape[1]) - 1

    @property
    def mos(self) -> Floats:
        """Return the mean opinion scores [N], with the weights of the votes."""
        return opinion.mos(self.histograms, self.lowest)

    @property
    def vote_counts(self) -> Ints:
        """Return the number of votes per photo [N]; each vote is one, with any weight."""
        place = np.searchsorted(self.image_ids, self.votes.image_ids)
        return np.bincount(place, minlength=len(self)).astype(np.int64)

    @property
    def has_majority(self) -> NDArray[np.bool_]:
        """Return which photos have a majority watch label [N]: no tie, and not only 'unsure'."""
        decided: NDArray[np.bool_] = self._labels != labels.UNDECIDED
        return decided

    @property
    def is_watch(self) -> Ints:
        """Return the majority label [N], 1 watch and 0 no watch; valid only where `has_majority`."""
        is_watch: Ints = (self._labels == labels.WATCH).astype(np.int64)
        return is_watch

    @property
    def _labels(self) -> NDArray[np.int8]:
        return labels.majority_labels(self.watch_yes, self.watch_no)

    def part(self, rows: NDArray[np.bool_]) -> "Comparison":
        """Return the comparison on the photos selected by `rows` [N]."""
        kept = self.image_ids[rows]
        return replace(
            self,
            image_ids=kept,
            names=[name for name, keep in zip(self.names, rows, strict=True) if keep],
            groups=self.groups[rows],
            histograms=self.histograms[rows],
            quality_mean=self.quality_mean[rows],
            distribution=self.distribution[rows],
            watch_probability=self.watch_probability[rows],
            watch_yes=self.watch_yes[rows],
            watch_no=self.watch_no[rows],
            votes=self.votes.of_images(kept),
        )

    @property
    def furthest_apart(self) -> NDArray[np.intp]:
        """Return the row numbers [N], largest difference between model and MOS first."""
        return np.argsort(-np.abs(self.quality_mean - self.mos), kind="stable")


@dataclass(frozen=True)
class ScoreFigures:
    """How well the predicted means fit the MOS, and how well the annotators agree."""

    srcc: intervals.Interval
    rmse: intervals.Interval
    bias: intervals.Interval
    """Mean of predicted − MOS, in points: above 0 the model scores too high."""
    ceiling: agreement.Ceiling
    """√r_k, the correlation that a perfect model would have with the MOS: the MOS of k votes is itself inexact."""
    worth: agreement.Worth
    """How many annotators would correlate with the MOS as well as the model does."""
    split_half: float
    """SRCC between the means of two halves of each photo's votes, by people in one random order for all photos.

    Each half has fewer votes than the MOS, so a good model can exceed it. NaN below ten photos with two votes."""
    votes: int

    @classmethod
    def of(cls, comparison: Comparison, *, seed: int) -> Self:
        """Return the figures of a comparison; the same seed gives the same figures."""
        votes = comparison.votes
        first, second = agreement.split_half(
            votes.image_ids, votes.scores, annotator_ids=votes.annotator_ids, rng=np.random.default_rng(seed)
        )
        return cls(
            srcc=_measure("quality_srcc", comparison, comparison.histograms, seed=seed),
            rmse=_measure("quality_rmse", comparison, comparison.histograms, seed=seed),
            bias=intervals.interval(
                correlation.bias, comparison.quality_mean, comparison.mos, groups=comparison.groups, seed=seed
            ),
            ceiling=agreement.vote_ceiling(votes.image_ids, votes.annotator_ids, votes.scores),
            worth=_worth(comparison),
            split_half=float(correlation.srcc(first, second)) if len(first) >= 10 else float("nan"),
            votes=len(votes),
        )


def watch_roc_auc(comparison: Comparison, *, seed: int) -> intervals.Interval:
    """Return the ROC AUC of the watch probability against the majority labels, with its interval."""
    decided = comparison.part(comparison.has_majority)
    return _measure("watch_roc_auc", decided, decided.is_watch, seed=seed)


def _worth(comparison: Comparison) -> agreement.Worth:
    votes = comparison.votes
    rows = np.searchsorted(comparison.image_ids, votes.image_ids)
    model, groups = comparison.quality_mean[rows], comparison.groups[rows]
    return agreement.annotators_worth(votes.image_ids, votes.annotator_ids, votes.scores, model, groups)


def _measure(name: str, comparison: Comparison, votes: NDArray[Any], *, seed: int) -> intervals.Interval:
    """Return a metric of the registry, computed as in an evaluation."""
    return METRICS[name].interval(comparison, votes, comparison.scale, groups=comparison.groups, seed=seed)

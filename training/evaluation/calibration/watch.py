"""The figures of the section about the watch label."""

from dataclasses import dataclass

import numpy as np

from annotation.measures import classification
from annotation.measures.calibration import ReliabilityBin, expected_calibration_error, reliability_bins
from annotation.measures.classification import ThresholdRow
from training.evaluation import findings
from training.evaluation.comparison import Comparison

# With fewer labelled photos a reliability diagram shows only noise.
_RELIABILITY_NEEDS = 20
_PHOTOS_PER_BIN, _FEWEST_BINS, _MOST_BINS = 20, 4, 10


@dataclass(frozen=True)
class WatchFigures:
    """Watch probabilities and majority labels."""

    threshold: float
    """The deployed one."""
    rows: tuple[ThresholdRow, ...]
    at_threshold: ThresholdRow
    threshold_title: str
    bins: tuple[ReliabilityBin, ...]
    """Of the reliability diagram; empty with few labels, or with labels of one kind only."""
    reliability_title: str


def watch_figures(comparison: Comparison, *, threshold: float, seed: int) -> WatchFigures | None:
    """Return the figures; None without a photo with a majority label. `threshold`: the deployed one."""
    decided = comparison.has_majority
    probabilities, labels = comparison.watch_probability[decided], comparison.is_watch[decided]
    if not len(labels):
        return None
    rows = classification.threshold_table(probabilities, labels, sorted({*classification.THRESHOLDS, threshold}))
    (at_threshold,) = classification.threshold_table(probabilities, labels, [threshold])
    bins: list[ReliabilityBin] = []
    title = ""
    if len(labels) >= _RELIABILITY_NEEDS and labels.min() != labels.max():
        count = int(np.clip(len(labels) // _PHOTOS_PER_BIN, _FEWEST_BINS, _MOST_BINS))
        bins = reliability_bins(probabilities, labels, bins=count)
        brier = float(classification.brier(probabilities, labels))
        title = findings.reliability_finding(bins, brier, expected_calibration_error(probabilities, labels))
    return WatchFigures(
        threshold=threshold,
        rows=tuple(rows),
        at_threshold=at_threshold,
        threshold_title=findings.threshold_finding(rows, threshold, at_threshold),
        bins=tuple(bins),
        reliability_title=title,
    )

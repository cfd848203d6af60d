"""The figures of the section about the watch label."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.measures import classification
from annotation.measures.classification import ThresholdRow
from annotation.measures.group_shares import share_interval
from annotation.measures.intervals import Interval
from training.evaluation.calibration.group_draws import GroupDraws
from training.evaluation.calibration.watch_curves import WatchCurves, watch_curves
from training.evaluation.calibration.watch_reliability import (
    BrierParts,
    WatchReliability,
    brier_parts,
    watch_reliability,
)
from training.evaluation.comparison import Comparison, watch_roc_auc
from training.evaluation.registry import METRICS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Rows of the table of thresholds, besides the one in use.
TABLE_THRESHOLDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
# Kept of each kind of decision. The page shows them as thumbnails.
_PHOTOS_OF_CELL = 60


@dataclass(frozen=True)
class WatchPhoto:
    """A photo with a majority label."""

    image_id: int
    name: str
    probability: float
    yes: float
    """Sum of the weights of the votes for a watch."""
    no: float


@dataclass(frozen=True)
class ConfusionCell:
    """The photos with one label of people and one decision of the model."""

    people: bool
    """Whether people see a watch."""
    model: bool
    """Whether the model's probability is above the threshold in use."""
    count: int
    share: Interval
    """Share of the photos with the same label of people."""
    photos: tuple[WatchPhoto, ...]
    """Wrong decisions: the surest first. Right ones: the least sure first. At most sixty."""


@dataclass(frozen=True)
class WatchFigures:
    """Watch probabilities and majority labels."""

    photos: int
    """With a majority label."""
    watches: int
    groups: int
    threshold: float
    """The deployed one."""
    rows: tuple[ThresholdRow, ...]
    at_threshold: ThresholdRow
    base_rate: Interval
    """Share of the photos that show a watch."""
    roc_auc: Interval
    brier: Interval
    brier_skill: Interval
    """1 − Brier/(Brier of saying the share of watches for every photo)."""
    brier_parts: BrierParts
    log_loss: Interval
    log_loss_of_share: float
    """Log loss of saying the share of watches for every photo."""
    reliability: WatchReliability | None
    curves: WatchCurves
    cells: tuple[ConfusionCell, ...]
    """Missed, false alarms, found, rightly left."""


def watch_figures(comparison: Comparison, *, threshold: float, seed: int) -> WatchFigures | None:
    """Return the figures; None without a photo with a majority label. `threshold`: the deployed one."""
    part = comparison.part(comparison.has_majority)
    if not len(part):
        return None
    p, labels = part.watch_probability, part.is_watch
    draws = GroupDraws(part.groups, seed=seed)
    area = watch_roc_auc(part, seed=seed)
    rows = classification.threshold_table(p, labels, sorted({*TABLE_THRESHOLDS, threshold}))
    (at_threshold,) = classification.threshold_table(p, labels, [threshold])
    share = float(labels.mean())
    return WatchFigures(
        photos=len(part),
        watches=int(labels.sum()),
        groups=draws.groups,
        threshold=threshold,
        rows=tuple(rows),
        at_threshold=at_threshold,
        base_rate=share_interval(labels, part.groups),
        roc_auc=area,
        brier=METRICS["watch_brier"].interval(part, labels, part.scale, groups=part.groups, seed=seed),
        brier_skill=_brier_skill(p, labels, draws),
        brier_parts=brier_parts(p, labels),
        log_loss=draws.mean(_losses(p, labels)),
        log_loss_of_share=float(classification.log_loss(np.full(len(labels), share), labels)),
        reliability=watch_reliability(p, labels, part.groups, seed=seed),
        curves=watch_curves(p, labels, draws, threshold=threshold, roc_auc=area),
        cells=_cells(part, p > threshold, labels.astype(bool)),
    )


def _losses(p: Floats, labels: Ints) -> Floats:
    """Return the log loss of each photo [N]."""
    return classification.log_loss(p[:, np.newaxis], labels[:, np.newaxis])


def _brier_skill(p: Floats, labels: Ints, draws: GroupDraws) -> Interval:
    value = float(classification.brier_skill(p, labels))
    count, watches, squares = draws.sums(np.ones(len(p)), labels, (p - labels) ** 2).T
    with np.errstate(divide="ignore", invalid="ignore"):
        share = watches / count
        return draws.interval(value, 1 - squares / count / (share * (1 - share)))


def _cells(part: Comparison, decided: NDArray[np.bool_], labels: NDArray[np.bool_]) -> tuple[ConfusionCell, ...]:
    cells = []
    for people, model in ((True, False), (False, True), (True, True), (False, False)):
        same = labels == people
        rows = np.flatnonzero(same & (decided == model))
        # The missed watches and those found least surely have the lowest probabilities; the others the highest.
        order = np.argsort(part.watch_probability[rows] * (1 if people else -1), kind="stable")
        cells.append(
            ConfusionCell(
                people=people,
                model=model,
                count=len(rows),
                share=share_interval((decided == model)[same], part.groups[same]),
                photos=_photos(part, rows[order][:_PHOTOS_OF_CELL]),
            )
        )
    return tuple(cells)


def _photos(part: Comparison, rows: NDArray[np.intp]) -> tuple[WatchPhoto, ...]:
    return tuple(
        WatchPhoto(
            image_id=int(part.image_ids[row]),
            name=part.names[row],
            probability=float(part.watch_probability[row]),
            yes=float(part.watch_yes[row]),
            no=float(part.watch_no[row]),
        )
        for row in rows.tolist()
    )

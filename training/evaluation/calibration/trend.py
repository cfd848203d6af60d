"""Every metric of each version, on the same photos: has the model become better over time, and with more votes?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from annotation.measures.intervals import Interval
from training.evaluation.registry import METRICS, ScaleAndThresholds, Votes

#: With more versions, the newest are shown, and the champions among the others.
MOST_VERSIONS = 16
# A version that lacks predictions for more than this share of the photos is left out, so that the photos that all
# versions have in common stay many.
_MOST_MISSING = 0.2
#: Fewer photos in common give no figures.
FEWEST_PHOTOS = 20


@dataclass(frozen=True)
class ChampionPeriod:
    """From when until when a version was champion."""

    number: int
    since: datetime
    until: datetime | None
    """None: it still is."""


@dataclass(frozen=True)
class VersionPoint:
    """One version of the chart."""

    number: int
    made_at: datetime
    votes: int | None
    """Answers that it has learned from; 0 for a shipped prior, None when unknown."""
    is_champion: bool
    figures: tuple[Interval, ...]
    """In the order of `TrendFigures.metrics`."""


@dataclass(frozen=True)
class TrendFigures:
    """All metrics of all shown versions."""

    metrics: tuple[str, ...]
    """Keys of METRICS."""
    versions: tuple[VersionPoint, ...]
    """By number, the oldest first."""
    quality_photos: int
    """Photos with two votes or more that every shown version has predicted and none has learned from."""
    watch_photos: int
    """The same with a majority label for watch or no watch."""
    votes: int
    """Votes on the holdout."""
    unpredicted: tuple[int, ...]
    """Numbers of versions that are left out because they lack predictions."""
    learned: int
    """Photos that are left out because a version has learned from them or from near-duplicates."""
    champions: tuple[ChampionPeriod, ...]

    def value(self, version: VersionPoint, metric: str) -> Interval:
        """Return a metric of a version."""
        return version.figures[self.metrics.index(metric)]


@dataclass(frozen=True)
class Trend:
    """What is stored."""

    figures: TrendFigures | None
    """None with too few photos or versions."""


@dataclass(frozen=True, eq=False)
class VersionTable:
    """The predictions of one version."""

    number: int
    made_at: datetime
    votes: int | None
    is_champion: bool
    scale: ScaleAndThresholds
    image_ids: NDArray[np.int64]
    """Photos of the holdout that it has predicted, ascending [N]."""
    quality_mean: NDArray[np.float64]
    distribution: NDArray[np.float64]
    watch_probability: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrendVotes:
    """The holdout photos of one kind of metric, ascending, with votes and groups of near-duplicates."""

    image_ids: NDArray[np.int64]
    votes: NDArray[np.generic]
    groups: NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class _Part:
    """Predictions of some photos, as the metrics take them."""

    quality_mean: NDArray[np.float64]
    distribution: NDArray[np.float64]
    watch_probability: NDArray[np.float64]


def shown_versions(tables: Sequence[VersionTable], photos: NDArray[np.int64]) -> list[VersionTable]:
    """Return the versions that have predicted nearly as many of the `photos` as the one that has predicted most."""
    known = {one.number: int(np.isin(photos, one.image_ids).sum()) for one in tables}
    most = max(known.values(), default=0)
    return [one for one in tables if most and known[one.number] >= (1 - _MOST_MISSING) * most]


def trend_figures(
    tables: Sequence[VersionTable],
    votes: dict[Votes, TrendVotes],
    *,
    learned: NDArray[np.int64],
    vote_count: int,
    champions: Sequence[ChampionPeriod],
    seed: int,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> TrendFigures | None:
    """Return the figures of versions; None without FEWEST_PHOTOS photos in common, or without versions.

    `learned`: photos to leave out, because a version has learned from them. `tell`: called with the number of versions
    done, and of all. The metrics and their intervals are those of an evaluation.
    """
    everything = np.union1d(votes[Votes.QUALITY].image_ids, votes[Votes.WATCH].image_ids)
    shown = sorted(shown_versions(tables, everything), key=lambda one: one.number)
    if not shown:
        return None
    common = everything
    for one in shown:
        common = np.intersect1d(common, one.image_ids)
    not_new = np.intersect1d(common, learned)
    common = np.setdiff1d(common, not_new)
    parts = {kind: np.isin(found.image_ids, common) for kind, found in votes.items()}
    if max(int(part.sum()) for part in parts.values()) < FEWEST_PHOTOS:
        return None
    points = []
    for done, one in enumerate(shown):
        tell(done, len(shown))
        found = _figures(one, votes, parts, seed)
        points.append(VersionPoint(one.number, one.made_at, one.votes, one.is_champion, found))
    return TrendFigures(
        metrics=tuple(METRICS),
        versions=tuple(points),
        quality_photos=int(parts[Votes.QUALITY].sum()),
        watch_photos=int(parts[Votes.WATCH].sum()),
        votes=vote_count,
        unpredicted=tuple(sorted({one.number for one in tables} - {one.number for one in shown})),
        learned=len(not_new),
        champions=tuple(champions),
    )


def _figures(
    table: VersionTable, votes: dict[Votes, TrendVotes], parts: dict[Votes, NDArray[np.bool_]], seed: int
) -> tuple[Interval, ...]:
    predictions = {}
    for kind, found in votes.items():
        rows = np.searchsorted(table.image_ids, found.image_ids[parts[kind]])
        predictions[kind] = _Part(table.quality_mean[rows], table.distribution[rows], table.watch_probability[rows])
    return tuple(
        metric.interval(
            predictions[metric.votes],
            votes[metric.votes].votes[parts[metric.votes]],
            table.scale,
            groups=votes[metric.votes].groups[parts[metric.votes]],
            seed=seed,
        )
        if parts[metric.votes].any()
        else Interval(float("nan"), float("nan"), float("nan"), 0)
        for metric in METRICS.values()
    )

"""Every metric of each version on the same photos."""

from datetime import UTC, datetime

import numpy as np

from annotation.measures import correlation, intervals
from annotation.measures.figures_text import figures_read, figures_text
from benchmarks._slice_worlds import World, world_make
from training.evaluation.calibration.trend import (
    ChampionPeriod,
    Trend,
    TrendFigures,
    TrendVotes,
    VersionTable,
    trend_figures,
)
from training.evaluation.comparison import Comparison
from training.evaluation.registry import METRICS, Votes

MADE = datetime(2026, 3, 1, tzinfo=UTC)
NOBODY = np.zeros(0, dtype=np.int64)


def votes_of(comparison: Comparison) -> dict[Votes, TrendVotes]:
    ids, groups = comparison.image_ids, comparison.groups
    return {
        Votes.QUALITY: TrendVotes(ids, comparison.histograms, groups),
        Votes.WATCH: TrendVotes(ids, comparison.is_watch, groups),
    }


def table(comparison: Comparison, number: int, known: slice = slice(None), shift: float = 0.0) -> VersionTable:
    return VersionTable(
        number=number,
        made_at=MADE,
        votes=100 * number,
        is_champion=number == 2,
        scale=comparison.scale,
        image_ids=comparison.image_ids[known],
        quality_mean=comparison.quality_mean[known] + shift,
        distribution=comparison.distribution[known],
        watch_probability=comparison.watch_probability[known],
    )


def trend_of(comparison: Comparison, tables: list[VersionTable], learned: np.ndarray = NOBODY) -> TrendFigures | None:
    return trend_figures(
        tables,
        votes_of(comparison),
        learned=learned,
        vote_count=len(comparison.votes),
        champions=[ChampionPeriod(1, MADE, MADE), ChampionPeriod(2, MADE, None)],
        seed=1,
    )


def test_all_versions_are_measured_on_the_photos_that_all_have_predicted() -> None:
    comparison, _ = world_make(World(60), np.random.default_rng(1))
    figures = trend_of(comparison, [table(comparison, 2, shift=1.0), table(comparison, 1, slice(0, 50))])
    assert figures is not None
    assert [one.number for one in figures.versions] == [1, 2]
    assert (figures.quality_photos, figures.watch_photos) == (50, 50)
    for one, shift in zip(figures.versions, (0.0, 1.0), strict=True):
        expected = intervals.interval(
            correlation.rmse,
            comparison.quality_mean[:50] + shift,
            comparison.mos[:50],
            groups=comparison.groups[:50],
            seed=1,
        )
        assert figures.value(one, "quality_rmse") == expected
    assert len(figures.versions[0].figures) == len(METRICS)


def test_a_version_with_few_predictions_is_left_out_and_named() -> None:
    comparison, _ = world_make(World(60), np.random.default_rng(1))
    figures = trend_of(comparison, [table(comparison, 1, slice(0, 40)), table(comparison, 2), table(comparison, 3)])
    assert figures is not None
    assert [one.number for one in figures.versions] == [2, 3]
    assert figures.unpredicted == (1,)
    assert figures.quality_photos == 60


def test_photos_that_a_version_has_learned_from_are_left_out() -> None:
    comparison, _ = world_make(World(60), np.random.default_rng(1))
    figures = trend_of(comparison, [table(comparison, 1)], comparison.image_ids[:8])
    assert figures is not None
    assert (figures.quality_photos, figures.learned) == (52, 8)


def test_too_few_photos_or_no_version_give_nothing() -> None:
    comparison, _ = world_make(World(19), np.random.default_rng(1))
    assert trend_of(comparison, [table(comparison, 1)]) is None
    assert trend_of(comparison, []) is None


def test_a_trend_can_be_stored() -> None:
    comparison, _ = world_make(World(40), np.random.default_rng(1))
    trend = Trend(trend_of(comparison, [table(comparison, 1), table(comparison, 2)]))
    back = figures_read(Trend, figures_text(trend))
    assert back is not None
    assert back.figures is not None
    assert back.figures.champions[1].until is None
    assert figures_text(back) == figures_text(trend)
    assert figures_read(Trend, figures_text(Trend(None))) == Trend(None)

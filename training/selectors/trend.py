"""What the chart of a campaign's versions over time is made of."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from annotation.models import Campaign
from inference.models import PRIOR_NAME, ModelVersion
from inference.selectors import fits_scale, prediction_table
from training.evaluation.calibration.trend import (
    MOST_VERSIONS,
    ChampionPeriod,
    TrendFigures,
    TrendVotes,
    VersionTable,
    trend_figures,
)
from training.evaluation.registry import Votes
from training.models import Promotion, TrainingRun
from training.selectors.comparison import scale_and_thresholds
from training.selectors.snapshots import HoldoutOpinions, holdout_opinions
from training.selectors.verdicts import learned_rows
from training.selectors.versions import past_champions


def champion_periods(campaign: Campaign) -> list[ChampionPeriod]:
    """Return when each version was champion, the oldest first (two queries). A version can have several periods.

    The first champion was installed without a promotion.
    """
    rows = Promotion.objects.filter(campaign=campaign).order_by("pk").select_related("version", "replaced")
    changes = [(row.version.number, row.created_at, row.replaced) for row in rows]
    if not changes:
        own = ModelVersion.objects.filter(campaign=campaign, is_champion=True).first()
        return [] if own is None else [ChampionPeriod(own.number, own.created_at, None)]
    ends = [at for _, at, _ in changes[1:]] + [None]
    periods = [ChampionPeriod(number, at, end) for (number, at, _), end in zip(changes, ends, strict=True)]
    _, at, first = changes[0]
    return periods if first is None else [ChampionPeriod(first.number, first.created_at, at), *periods]


def version_trend(
    campaign: Campaign, *, tell: Callable[[int, int], None] = lambda done, total: None
) -> TrendFigures | None:
    """Return every metric of each version on the holdout photos that all of them have predicted.

    Only stored predictions are used. None with too few photos or versions. Up to three queries a version.
    """
    opinions = holdout_opinions(campaign)
    periods = champion_periods(campaign)
    versions = chosen_versions(campaign)
    if not versions or not len(opinions.image_ids):
        return None
    learned = _answers_learned(versions)
    tables = [_table(version, opinions, learned) for version in versions]
    votes = {
        Votes.QUALITY: TrendVotes(opinions.quality_ids, opinions.histograms, opinions.quality_groups),
        Votes.WATCH: TrendVotes(opinions.watch_ids, opinions.watch_labels, opinions.watch_groups),
    }
    return trend_figures(
        tables,
        votes,
        learned=_learned_photos(versions, opinions),
        vote_count=opinions.vote_count,
        champions=periods,
        seed=campaign.seed,
        tell=tell,
    )


def chosen_versions(campaign: Campaign) -> list[ModelVersion]:
    """Return the versions to show: the newest, and past champions, at most MOST_VERSIONS (three queries)."""
    champions = past_champions(campaign)
    versions = list(ModelVersion.objects.filter(campaign=campaign).order_by("-number"))
    for version in versions:
        version.campaign = campaign
    fitting = [version for version in versions if fits_scale(version, campaign)]
    first = [one for one in fitting if one.pk in champions]
    others = [one for one in fitting if one not in first]
    chosen = (first[: MOST_VERSIONS // 2] + others)[:MOST_VERSIONS]
    return sorted(chosen, key=lambda one: one.number)


def _answers_learned(versions: Sequence[ModelVersion]) -> dict[int, int]:
    """Return {version id: answers that its run has learned from} (one query)."""
    rows = TrainingRun.objects.filter(challenger__in=versions).order_by("-pk")
    return dict(rows.values_list("challenger_id", "annotation_count"))


def _table(version: ModelVersion, opinions: HoldoutOpinions, learned: dict[int, int]) -> VersionTable:
    found = prediction_table(version, opinions.image_ids)
    is_prior = version.recipe.get("name") == PRIOR_NAME
    return VersionTable(
        number=version.number,
        made_at=version.created_at,
        votes=0 if is_prior else learned.get(version.pk),
        is_champion=version.is_champion,
        scale=scale_and_thresholds(version),
        image_ids=found.image_ids,
        quality_mean=found.quality_mean,
        distribution=found.distribution,
        watch_probability=found.watch_probability,
    )


def _learned_photos(versions: Sequence[ModelVersion], opinions: HoldoutOpinions) -> NDArray[np.int64]:
    """Return the holdout photos that a version has learned from, or from near-duplicates of them."""
    found = [learned_rows(version, opinions.votes) for version in versions]
    known = [rows for rows in found if rows is not None]
    rows = np.logical_or.reduce(known) if known else np.zeros(len(opinions.votes), dtype=bool)
    photos: NDArray[np.int64] = np.unique(opinions.votes.image_ids[rows])
    return photos

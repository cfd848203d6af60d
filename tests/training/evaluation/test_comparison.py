from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from scipy import stats

from annotation.measures.agreement import Form
from annotation.models import Campaign
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote, votes
from training.evaluation.comparison import Comparison, ScoreFigures, watch_roc_auc
from training.selectors.comparison import compare


@pytest.fixture
def raters(people: dict[str, Any]) -> list[Any]:
    return [people[name] for name in ("alice", "bob", "rita")]


@pytest.fixture
def comparison(campaign: Campaign, raters: list[Any], rng: np.random.Generator) -> Comparison:
    """30 holdout photos with three votes each, and a model that scores one point too high."""
    images = images_make(campaign, 30, holdout=True)
    quality = rng.uniform(3, 7, 30)
    votes(images, raters, np.clip(np.rint(quality[:, None] + rng.normal(0, 1, (30, 3))), 1, 10), "no")
    version = version_make(campaign)
    predictions_make(version, images, quality + 1)
    return compare(campaign, version)


def test_rows_are_photos_with_both_votes_and_a_prediction(campaign: Campaign, raters: list[Any]) -> None:
    complete, without_prediction, without_votes = images_make(campaign, 3, holdout=True)
    vote(complete, raters[0], 4, "yes")
    vote(complete, raters[1], 7, "unsure")
    vote(without_prediction, raters[0], 5)
    version = version_make(campaign)
    predictions_make(version, [without_votes, complete], [2.0, 6.5], watch=[0.2, 0.7])
    found = compare(campaign, version)
    assert found.image_ids.tolist() == [complete.pk]
    assert found.names == [complete.name]
    assert found.histograms[0].tolist() == [0, 0, 0, 1, 0, 0, 1, 0, 0, 0]
    assert found.mos.tolist() == [5.5]
    assert found.quality_mean.tolist() == [6.5]
    assert found.watch_probability.tolist() == [0.7]
    assert (found.watch_yes.tolist(), found.watch_no.tolist()) == ([1], [0])
    assert found.rated == 2


def test_answers_given_after_seeing_the_prediction_do_not_count(campaign: Campaign, raters: list[Any]) -> None:
    images = images_make(campaign, 2, holdout=True)
    vote(images[0], raters[0], 4)
    vote(images[0], raters[1], 10, saw_prediction=True)
    vote(images[1], raters[1], 10, saw_prediction=True)
    version = version_make(campaign)
    predictions_make(version, images, [5.0, 5.0])
    found = compare(campaign, version)
    assert found.mos.tolist() == [4.0]


def test_the_holdout_is_compared_by_default_and_all_photos_on_request(campaign: Campaign, raters: list[Any]) -> None:
    images = [*images_make(campaign, 1, holdout=True), *images_make(campaign, 2, prefix="train")]
    votes(images, raters, 5, "no")
    version = version_make(campaign)
    predictions_make(version, images, [5.0] * 3)
    assert len(compare(campaign, version)) == 1
    assert len(compare(campaign, version, split=None)) == 3


def test_ties_and_unsure_votes_give_no_majority(campaign: Campaign, raters: list[Any]) -> None:
    images = images_make(campaign, 3, holdout=True)
    votes(images, raters, 5, [["yes", "yes", "no"], ["yes", "no", "unsure"], ["unsure"] * 3])
    version = version_make(campaign)
    predictions_make(version, images, [5.0] * 3)
    found = compare(campaign, version)
    assert found.has_majority.tolist() == [True, False, False]
    assert found.is_watch[0] == 1


def test_the_comparison_of_an_empty_campaign_is_empty(campaign: Campaign) -> None:
    found = compare(campaign, version_make(campaign))
    assert len(found) == 0
    assert found.highest == 10


def test_a_part_keeps_rows_and_votes_together(comparison: Comparison) -> None:
    rows = comparison.quality_mean > np.median(comparison.quality_mean)
    part = comparison.part(rows)
    assert len(part) == rows.sum() == 15
    assert set(part.votes.image_ids.tolist()) == set(part.image_ids.tolist())
    assert len(part.votes) == 45
    np.testing.assert_allclose(part.mos, comparison.mos[rows])
    assert part.names == [name for name, keep in zip(comparison.names, rows, strict=True) if keep]


def test_figures_agree_with_scipy_and_formulas(comparison: Comparison) -> None:
    figures = ScoreFigures.of(comparison, seed=1)
    assert figures.srcc.value == pytest.approx(stats.spearmanr(comparison.quality_mean, comparison.mos).statistic)
    assert figures.bias.value == pytest.approx(np.mean(comparison.quality_mean - comparison.mos))
    assert figures.bias.low < figures.bias.value < figures.bias.high
    assert figures.srcc.n == 30
    assert figures.votes == 90
    assert figures.ceiling.form is Form.CONSISTENCY  # the same three people rated all photos
    icc = figures.ceiling.icc.value
    assert 0 < icc < 1
    assert figures.ceiling.value.value == pytest.approx(np.sqrt(3 * icc / (1 + 2 * icc)))
    assert 0 < figures.split_half < 1


def test_the_same_seed_gives_the_same_figures(comparison: Comparison) -> None:
    assert ScoreFigures.of(comparison, seed=3) == ScoreFigures.of(comparison, seed=3)


def test_watch_roc_auc_leaves_out_photos_without_a_majority(campaign: Campaign, raters: list[Any]) -> None:
    images = images_make(campaign, 4, holdout=True)
    votes(images, raters[:1], 5, ["yes", "no", "unsure", "no"])
    version = version_make(campaign)
    predictions_make(version, images, [5.0] * 4, watch=[0.6, 0.7, 0.9, 0.1])
    assert watch_roc_auc(compare(campaign, version), seed=1).value == pytest.approx(0.5)


def test_more_photos_need_no_more_queries(campaign: Campaign, raters: list[Any]) -> None:
    version = version_make(campaign)
    for count in (1, 20):
        images = images_make(campaign, count, holdout=True, prefix=f"of-{count}")
        votes(images, raters, 5, "no")
        predictions_make(version, images, [5.0] * count)
        with CaptureQueriesContext(connection) as captured:
            compare(campaign, version)
        assert len(captured) == 3

"""Rank correlations of single annotators."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import spearmanr

from annotation.measures.agreement.ranks import leave_one_out_srcc, pairwise_srcc, retest_srcc


def panel(rng, people=5, photos=60):
    ids, raters = np.repeat(np.arange(photos), people), np.tile(np.arange(people), photos)
    return ids, raters, rng.normal(0, 1, photos)[ids] + rng.normal(0, 1, people)[raters] + rng.normal(0, 1, len(ids))


def test_pairs_equal_scipy_on_common_photos(rng):
    ids, raters, scores = panel(rng)
    kept = rng.random(len(ids)) < 0.8
    ids, raters, scores = ids[kept], raters[kept], scores[kept]
    by = [dict(zip(ids[raters == one], scores[raters == one], strict=True)) for one in range(5)]
    expected = []
    for first, second in combinations(range(5), 2):
        common = sorted(by[first].keys() & by[second].keys())
        expected.append(spearmanr([by[first][i] for i in common], [by[second][i] for i in common]).statistic)
    found = pairwise_srcc(ids, raters, scores, seed=1)
    assert found.value == pytest.approx(np.median(expected))
    assert found.n == 10
    assert found.low <= found.value <= found.high


def test_leave_one_out_equals_scipy_against_the_mean_of_the_others(rng):
    ids, raters, scores = panel(rng)
    table = scores.reshape(60, 5)
    expected = [spearmanr(table[:, one], np.delete(table, one, axis=1).mean(axis=1)).statistic for one in range(5)]
    found = leave_one_out_srcc(ids, raters, scores, seed=1)
    assert found.value == pytest.approx(np.median(expected))
    assert found.n == 5
    assert found.value > pairwise_srcc(ids, raters, scores, seed=1).value  # a mean of four is more exact than one


def test_a_large_panel_is_sampled(rng):
    ids, raters, scores = panel(rng, people=50, photos=20)
    assert pairwise_srcc(ids, raters, scores, seed=1).n == 40 * 39 // 2
    assert leave_one_out_srcc(ids, raters, scores, seed=1).n == 50


@pytest.mark.parametrize("measure", [pairwise_srcc, leave_one_out_srcc])
@pytest.mark.parametrize(
    ("ids", "raters"),
    [([], []), (range(30), [1] * 30), (range(30), range(30)), ([1] * 30, range(30))],
    ids=["no votes", "one annotator", "no overlap", "one photo"],
)
def test_without_common_photos_it_is_undefined(measure, ids, raters):
    found = measure(list(ids), list(raters), np.arange(len(list(ids))), seed=1)
    assert np.isnan(found.value)
    assert found.n == 0


@pytest.mark.parametrize("measure", [pairwise_srcc, leave_one_out_srcc])
def test_order_does_not_matter(measure, rng):
    ids, raters, scores = panel(rng)
    order = rng.permutation(len(ids))
    before, after = measure(ids, raters, scores, seed=1), measure(ids[order], raters[order], scores[order], seed=1)
    assert (after.value, after.low, after.high) == pytest.approx((before.value, before.low, before.high))


@pytest.mark.parametrize("measure", [pairwise_srcc, leave_one_out_srcc])
def test_a_few_annotators_have_no_interval(measure, rng):
    found = measure(*panel(rng, people=4), seed=1)
    assert 0 < found.value < 1
    assert np.isnan([found.low, found.high]).all()


def test_the_retest_ignores_how_severe_people_are():
    """Two people repeat nothing but their own level, so their pairs do not agree within a person."""
    rng = np.random.default_rng(3)
    raters = np.repeat([1, 2], 100)
    level = np.where(raters == 1, 2, 9)
    first, second = level + rng.normal(0, 1, 200), level + rng.normal(0, 1, 200)
    assert spearmanr(first, second).statistic > 0.6
    found = retest_srcc(first, second, raters, seed=1)
    assert found.low < 0.1
    assert found.n == 200


def test_a_few_repeats_say_nothing():
    found = retest_srcc([1, 2, 3], [1, 2, 3], [1, 1, 1], seed=1)
    assert np.isnan(found.value)
    assert found.n == 3


def test_repeats_of_different_length_are_refused():
    with pytest.raises(ValueError, match="not pairs"):
        retest_srcc([1, 2], [1], [1, 1], seed=1)

"""Annotator agreement: examples computed by hand, a second implementation, and property tests."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from annotation.measures import agreement, opinion

tables = st.lists(st.lists(st.integers(1, 10), min_size=1, max_size=6), min_size=2, max_size=8)


def as_votes(table):
    """Turn one list of scores per image into (image ids, scores)."""
    return [image for image, scores in enumerate(table) for _ in scores], [x for scores in table for x in scores]


def reference_icc1(table):
    """Return ICC(1) from explicit sums of squares over the votes."""
    all_scores = [x for scores in table for x in scores]
    grand_mean = sum(all_scores) / len(all_scores)
    between = sum(len(scores) * (sum(scores) / len(scores) - grand_mean) ** 2 for scores in table) / (len(table) - 1)
    within = sum((x - sum(s) / len(s)) ** 2 for s in table for x in s) / (len(all_scores) - len(table))
    k = (len(all_scores) - sum(len(s) ** 2 for s in table) / len(all_scores)) / (len(table) - 1)
    return (between - within) / (between + (k - 1) * within)


def test_published_example_of_shrout_and_fleiss():
    # Their table of 6 targets and 4 raters: BMS 11.24, WMS 6.26, so ICC(1,1) = 4.98/(11.24+3·6.26) = .17.
    table = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    assert agreement.icc1(*as_votes(table)) == pytest.approx(0.166, abs=5e-4)


def test_unequal_numbers_of_votes_computed_by_hand():
    # Images {1, 3} and {5}: grand mean 3; between 2·1 + 1·4 = 6 and within 2, each with one degree of freedom;
    # k0 = (3 − 5/3)/1 = 4/3; ICC = (6 − 2)/(6 + 2/3) = .6.
    assert agreement.icc1([1, 1, 2], [1, 3, 5]) == pytest.approx(0.6)


def test_perfect_agreement_has_an_icc_of_one():
    assert agreement.icc1([1, 1, 2, 2], [3, 3, 8, 8]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("ids", "scores"),
    [([], []), ([1, 1], [3, 4]), ([1, 2, 3], [3, 4, 5]), ([1, 1, 2, 2], [5, 5, 5, 5])],
    ids=["no votes", "one image", "one vote each", "one score only"],
)
def test_undefined_agreement_is_nan(ids, scores):
    assert math.isnan(agreement.icc1(ids, scores))


def test_votes_and_images_of_different_length_are_refused():
    with pytest.raises(ValueError, match="do not match"):
        agreement.icc1([1, 2], [3])


@given(tables)
def test_icc1_equals_explicit_sums_of_squares(table):
    assume(any(len(scores) > 1 for scores in table) and len({x for scores in table for x in scores}) > 1)
    assert agreement.icc1(*as_votes(table)) == pytest.approx(reference_icc1(table), abs=1e-9)


@given(tables, st.randoms())
def test_the_order_of_the_votes_does_not_matter(table, random):
    assume(len({x for scores in table for x in scores}) > 1)
    votes = list(zip(*as_votes(table), strict=True))
    before = agreement.icc1(*zip(*votes, strict=True))
    random.shuffle(votes)
    assert agreement.icc1(*zip(*votes, strict=True)) == pytest.approx(before, abs=1e-9, nan_ok=True)


@given(tables)
def test_icc1_of_histograms_equals_icc1_of_votes(table):
    _, histograms = opinion.image_histograms(*as_votes(table), lowest=1, highest=10)
    histograms = np.vstack([histograms, np.zeros(10)])  # an image without votes changes nothing
    expected = agreement.icc1(*as_votes(table))
    assert agreement.icc1_of_histograms(histograms) == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_icc1_estimates_the_simulated_share_of_variance(rng):
    quality = rng.normal(0, 1, 4000)
    scores = quality[:, None] + rng.normal(0, 2, (4000, 5))  # 1/(1 + 4) = .2
    ids = np.repeat(np.arange(4000), 5)
    assert agreement.icc1(ids, scores.ravel()) == pytest.approx(0.2, abs=0.02)

"""Variance components and both two-way ICCs.

The golden numbers are those of `pingouin` 0.7 (`intraclass_corr`), computed once in another environment.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.measures.agreement.crossed import variance_components

SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
TWELVE = [
    [5, 3, 4, 4, 4], [5, 6, 6, 6, 2], [5, 4, 5, 4, 4], [3, 3, 5, 4, 3], [6, 3, 5, 5, 4], [3, 3, 6, 3, 4],
    [6, 4, 8, 7, 3], [8, 8, 7, 9, 6], [6, 6, 4, 5, 3], [5, 2, 4, 5, 5], [8, 4, 5, 7, 3], [6, 5, 8, 7, 5],
]  # fmt: skip


def columns(table):
    """Return (image ids, annotator ids, scores) of a table with one row per photo; 0 is a missing vote."""
    table = np.asarray(table)
    photo, rater = np.nonzero(table)
    return photo, rater, table[photo, rater]


@pytest.mark.parametrize(
    ("table", "consistency", "agreement"),
    [(SHROUT_FLEISS, 0.714841, 0.289764), (TWELVE, 0.442109, 0.354788)],
    ids=["Shrout & Fleiss", "12 photos"],
)
def test_complete_votes_give_the_iccs_of_pingouin(table, consistency, agreement):
    found = variance_components(*columns(table))
    assert found.consistency == pytest.approx(consistency, abs=1e-6)
    assert found.agreement == pytest.approx(agreement, abs=1e-6)


def least_squares_rest(photo, rater, scores):
    """Return the residual sum of squares of an additive model, by a dense least-squares fit."""
    design = np.hstack([np.eye(photo.max() + 1)[photo], np.eye(rater.max() + 1)[rater]])
    return float(((scores - design @ np.linalg.lstsq(design, scores, rcond=None)[0]) ** 2).sum())


@given(st.integers(0, 10_000))
def test_missing_votes_satisfy_the_equations_of_the_docstring(seed):
    rng = np.random.default_rng(seed)
    kept = rng.random((8, 4)) < 0.7
    table = np.where(kept, rng.integers(1, 11, (8, 4)), 0)
    photo, rater, scores = columns(table[table.any(axis=1)][:, table.any(axis=0)])
    found = variance_components(photo, rater, scores)
    if found is None:
        return
    votes, photos, raters = len(scores), photo.max() + 1, rater.max() + 1
    design = np.hstack([np.eye(photos)[photo], np.eye(raters)[rater]])
    parts = photos + raters - np.linalg.matrix_rank(design)
    both = least_squares_rest(photo, rater, scores)
    only_raters = least_squares_rest(np.zeros_like(photo), rater, scores)
    only_photos = least_squares_rest(photo, np.zeros_like(rater), scores)
    assert both == pytest.approx((votes - photos - raters + parts) * found.rest, abs=1e-6)
    assert only_raters - both == pytest.approx(
        (votes - raters) * found.photos + (photos - parts) * found.rest, abs=1e-6
    )
    assert only_photos - both == pytest.approx(
        (votes - photos) * found.annotators + (raters - parts) * found.rest, abs=1e-6
    )


def test_missing_votes_are_estimated_without_bias():
    """Three of ten people on each photo. REML of a mixed model gives such values too, but takes minutes."""
    found = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        people = np.concatenate([rng.choice(10, 3, replace=False) for _ in range(200)])
        ids = np.repeat(np.arange(200), 3)
        scores = rng.normal(0, 1, 200)[ids] + rng.normal(0, 0.8, 10)[people] + rng.normal(0, 1.5, 600)
        one = variance_components(ids, people, scores)
        found.append([one.photos, one.annotators, one.rest])
    assert np.mean(found, axis=0) == pytest.approx([1, 0.64, 2.25], abs=0.15)


@pytest.mark.parametrize(
    ("photo", "rater"),
    [([], []), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [1, 1, 1]), ([1, 1, 2, 2], [1, 2, 3, 4])],
    ids=["no votes", "one photo", "one annotator", "no overlap"],
)
def test_votes_that_cannot_tell_people_from_photos_have_no_estimate(photo, rater):
    assert variance_components(photo, rater, np.arange(len(photo))) is None


def test_constant_votes_have_no_variance():
    found = variance_components([1, 1, 2, 2], [1, 2, 1, 2], [5, 5, 5, 5])
    assert (found.photos, found.annotators, found.rest) == (0, 0, 0)
    assert np.isnan(found.consistency)


def test_two_votes_of_an_annotator_on_one_photo_are_refused():
    with pytest.raises(ValueError, match="two votes on one photo"):
        variance_components([1, 1, 2], [1, 1, 2], [3, 4, 5])


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="do not match"):
        variance_components([1, 1], [1, 2], [3])


def test_a_shift_of_all_scores_changes_nothing_and_a_factor_only_the_unit(rng):
    photo, rater, scores = columns(TWELVE)
    before, after = variance_components(photo, rater, scores), variance_components(photo, rater, 3 * scores + 100)
    assert after.consistency == pytest.approx(before.consistency)
    assert after.rest == pytest.approx(9 * before.rest)

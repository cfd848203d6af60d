"""Krippendorff's alpha.

The golden numbers are those of `krippendorff` 0.9, computed once in another environment.
"""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from annotation.measures.agreement.alpha import krippendorff_alpha

LEVELS = ("nominal", "ordinal", "interval")
# Krippendorff (2011): one row per annotator, 0 for a missing vote.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
).T
TWELVE = np.array(
    [
        [5, 0, 0, 4, 4], [0, 6, 6, 6, 2], [5, 0, 0, 4, 4], [3, 3, 5, 0, 3], [0, 0, 5, 5, 4], [3, 3, 6, 3, 4],
        [6, 4, 8, 7, 0], [8, 0, 7, 9, 0], [6, 6, 0, 5, 3], [5, 2, 0, 0, 5], [0, 4, 5, 7, 3], [0, 5, 8, 7, 5],
    ]
)  # fmt: skip
tables = st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=2, max_size=6)


def counts_of(table, highest=10):
    """Return how often each score from 1 on was given to each photo; 0 is a missing vote."""
    table = np.asarray(table)
    return np.stack([(table == score).sum(axis=1) for score in range(1, highest + 1)], axis=1)


def reference_alpha(table, level):
    """Return alpha from the definition: sums over pairs of votes."""
    photos = [[x for x in row if x] for row in table]
    photos = [row for row in photos if len(row) > 1]
    given_scores = Counter(x for row in photos for x in row)
    total = sum(given_scores.values())

    def squared(a, b):
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return float(a - b) ** 2
        low, high = min(a, b), max(a, b)
        between = sum(n for score, n in given_scores.items() if low <= score <= high)
        return (between - (given_scores[low] + given_scores[high]) / 2) ** 2

    observed = sum(squared(a, b) / (len(row) - 1) for row in photos for a, b in permutations(row, 2)) / total
    pooled = [x for row in photos for x in row]
    chance = sum(squared(a, b) for a, b in permutations(pooled, 2)) / (total * (total - 1))
    return 1 - observed / chance


@pytest.mark.parametrize(("level", "alpha"), list(zip(LEVELS, (0.743421, 0.815388, 0.849107), strict=True)))
def test_the_published_example_equals_the_package_krippendorff(level, alpha):
    found = krippendorff_alpha(counts_of(PUBLISHED), level=level)
    assert found.value == pytest.approx(alpha, abs=1e-6)
    assert found.n == 11  # one photo has a single vote
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize(("level", "alpha"), list(zip(LEVELS, (0.113080, 0.274074, 0.338805), strict=True)))
def test_missing_votes_equal_the_package_krippendorff(level, alpha):
    assert krippendorff_alpha(counts_of(TWELVE), level=level).value == pytest.approx(alpha, abs=1e-6)


@pytest.mark.parametrize("level", LEVELS)
@given(table=tables)
def test_alpha_follows_the_definition(level, table):
    pairs = [[x for x in row if x] for row in table]
    pooled = {x for row in pairs if len(row) > 1 for x in row}
    assume(len(pooled) > 1)
    found = krippendorff_alpha(counts_of(table, highest=4), level=level)
    assert found.value == pytest.approx(reference_alpha(table, level), abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
@given(table=tables, seed=st.integers(0, 100))
def test_the_order_of_photos_and_annotators_does_not_matter(level, table, seed):
    rng = np.random.default_rng(seed)
    moved = np.array(table)[rng.permutation(len(table))][:, rng.permutation(3)]
    before = krippendorff_alpha(counts_of(table), level=level).value
    assert krippendorff_alpha(counts_of(moved), level=level).value == pytest.approx(before, abs=1e-9, nan_ok=True)


def test_new_names_of_the_values_change_only_the_levels_that_use_their_order():
    counts = counts_of(PUBLISHED, highest=5)
    swapped = counts[:, [2, 0, 1, 3, 4]]
    assert krippendorff_alpha(swapped, level="nominal").value == krippendorff_alpha(counts, level="nominal").value
    assert krippendorff_alpha(swapped, level="ordinal").value != krippendorff_alpha(counts, level="ordinal").value


def test_a_longer_scale_changes_interval_and_not_ordinal():
    counts = counts_of(PUBLISHED, highest=5)
    stretched = {level: krippendorff_alpha(counts, level=level, values=[1, 2, 3, 4, 50]).value for level in LEVELS}
    assert stretched["ordinal"] == pytest.approx(0.815388, abs=1e-6)
    assert stretched["interval"] != pytest.approx(0.849107, abs=1e-3)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "counts",
    [np.zeros((0, 3)), [[1, 0, 0], [0, 1, 0]], [[0, 2, 0], [0, 3, 0]]],
    ids=["no photos", "one vote each", "constant votes"],
)
def test_without_disagreement_by_chance_alpha_is_undefined(level, counts):
    assert np.isnan(krippendorff_alpha(counts, level=level).value)


def test_one_photo_has_no_interval():
    found = krippendorff_alpha([[1, 2, 0]], level="interval")
    assert found.low == found.value == found.high
    assert found.n == 1


@pytest.mark.parametrize("level", LEVELS)
def test_random_votes_agree_as_by_chance(level, rng):
    found = krippendorff_alpha(counts_of(rng.integers(1, 11, (400, 3))), level=level)
    assert found.low < 0 < found.high
    assert found.high - found.low < 0.2


def test_the_interval_covers_the_alpha_of_many_photos(rng):
    """Interval alpha of many photos is 1/(1 + 1.5²) here, apart from rounding."""
    hits = 0
    for seed in range(60):
        one = np.random.default_rng(seed)
        scores = np.rint(50 + 10 * (one.normal(0, 1, (80, 1)) + one.normal(0, 1.5, (80, 3)))).clip(1, 100)
        found = krippendorff_alpha(counts_of(scores, highest=100), level="interval", seed=seed)
        hits += found.low <= 1 / (1 + 1.5**2) <= found.high
    assert hits >= 52  # 95 % of 60 is 57

"""Split-half reliability."""

from collections import defaultdict

import numpy as np
import pytest

from annotation.measures import agreement
from annotation.measures.agreement.halves import spearman_brown, split_half, split_half_srcc


def test_split_half_divides_the_votes_of_each_image(rng):
    ids, scores = [4, 4, 4, 9, 9, 5], [1, 2, 6, 3, 3, 8]
    first, second = agreement.split_half(ids, scores, rng=rng)
    assert len(first) == len(second) == 2  # image 5 has only one vote
    assert first[0] in (1, 2, 6)
    assert first[0] + 2 * second[0] == pytest.approx(9)
    assert (first[1], second[1]) == (3, 3)


def test_split_half_depends_only_on_the_given_generator():
    ids, scores = np.repeat(np.arange(20), 4), np.random.default_rng(1).integers(1, 11, 80)
    drawn = defaultdict(list)
    for seed in (1, 1, 2):
        drawn[seed].append(agreement.split_half(ids, scores, rng=np.random.default_rng(seed))[0].tolist())
    assert drawn[1][0] == drawn[1][1] != drawn[2][0]


def test_by_annotator_the_halves_have_the_same_people_on_all_images(rng):
    """Each annotator gives one fixed score, so the means are equal on all images exactly if the people are."""
    ids, people = np.repeat(np.arange(10), 4), np.tile(np.arange(4), 10)
    first, second = split_half(ids, 2**people, rng=rng, annotator_ids=people)
    assert len(set(first)) == len(set(second)) == 1
    assert 2 * first[0] + 2 * second[0] == 15


def test_halves_of_the_same_people_agree_better_than_halves_drawn_for_each_photo(rng):
    ids, people = np.repeat(np.arange(300), 4), np.tile(np.arange(4), 300)
    scores = rng.normal(0, 1, 300)[ids] + np.array([-2, -1, 1, 2])[people] + rng.normal(0, 1, 1200)
    by_people = split_half_srcc(ids, people, scores, seed=1)
    first, second = split_half(ids, scores, rng=rng)
    assert by_people.low > np.corrcoef(first, second)[0, 1]
    assert by_people.n == 300


def test_spearman_brown_predicts_the_reliability_of_all_votes():
    rng = np.random.default_rng(5)
    ids, people = np.repeat(np.arange(1000), 4), np.tile(np.arange(4), 1000)
    scores = rng.normal(0, 1, 1000)[ids] + rng.normal(0, 1.5, 4000)
    found = spearman_brown(ids, people, scores, seed=1)
    assert found.low < 1 / (1 + 1.5**2 / 4) < found.high
    assert found.value == pytest.approx(1 / (1 + 1.5**2 / 4), abs=0.04)


def test_without_photos_with_two_votes_it_is_undefined():
    assert np.isnan(split_half_srcc([1, 2], [1, 1], [3, 4], seed=1).value)
    assert np.isnan(spearman_brown([], [], [], seed=1).value)

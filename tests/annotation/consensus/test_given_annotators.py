"""Estimates of single photos by annotators that an earlier fit knows."""

import numpy as np
import pytest

from annotation.consensus.dawid_skene import labels_fit, posterior_given
from annotation.consensus.panel_model import AnnotatorLines, panel_fit, quality_given

PHOTOS, PEOPLE = 150, 14


@pytest.fixture
def panel(rng):
    truth = rng.normal(5.5, 1.4, PHOTOS)
    bias, noise = rng.normal(0, 0.8, PEOPLE), rng.uniform(0.7, 1.6, PEOPLE)
    photo = np.repeat(np.arange(PHOTOS), 5)
    rater = np.concatenate([rng.permutation(PEOPLE)[:5] for _ in range(PHOTOS)])
    return photo, rater, truth[photo] + bias[rater] + rng.normal(0, noise[rater])


def test_the_votes_of_the_fit_give_its_qualities_and_errors(panel):
    fit = panel_fit(*panel)
    again = quality_given(fit.lines, *panel)
    np.testing.assert_allclose(again.quality, fit.quality, atol=1e-3)
    np.testing.assert_allclose(again.quality_deviation, fit.quality_deviation, rtol=1e-2)
    np.testing.assert_array_equal(again.image_votes, fit.image_votes)


def test_new_photos_agree_with_the_full_fit_to_within_their_error(panel):
    photo, rater, scores = panel
    full, early = panel_fit(*panel), panel_fit(*(column[photo < 120] for column in panel))
    new = photo >= 120
    found = quality_given(early.lines, photo[new], rater[new], scores[new])
    difference = np.abs(found.quality - full.quality[120:])
    assert (difference < 0.5 * full.quality_deviation[120:]).all()
    np.testing.assert_allclose(found.quality_deviation, full.quality_deviation[120:], rtol=0.15)


def test_the_vote_of_an_unknown_annotator_counts_less_than_that_of_a_known_one():
    # All three known annotators are equal. Quality has variance 4, a vote has variance 1, and a bias has variance 1.
    ids, ones, small = np.array([1, 2, 3]), np.ones(3), np.full(3, 1e-9)
    lines = AnnotatorLines(ids, np.full(3, 50), 0 * ones, small, ones, small, ones, 5.0, 2.0, 1.0)
    known, unknown = (quality_given(lines, [1], [who], [8.0]) for who in (2, 999))
    assert known.quality[0] == pytest.approx(5 + 3 * 4 / (4 + 1))
    # The gain of the unknown annotator has variance .1: 1.1 of its square is expected.
    assert unknown.quality[0] == pytest.approx(5 + 3 * (1 / 2) / (1 / 4 + 1.1 / 2))
    assert unknown.quality_deviation[0] > known.quality_deviation[0]


def test_lines_without_any_known_annotator_still_give_an_estimate(panel):
    fit = panel_fit(*panel)
    found = quality_given(fit.lines, [7, 7, 8], [901, 902, 901], [9.0, 8.0, 2.0])
    assert found.quality[0] > fit.mean > found.quality[1]
    assert isinstance(fit.lines, AnnotatorLines)


def test_columns_of_different_length_are_refused(panel):
    with pytest.raises(ValueError, match="differ"):
        quality_given(panel_fit(*panel).lines, [1, 2], [1], [5.0])


def test_labels_of_the_fit_come_back_and_an_unknown_annotator_answers_as_the_mean_one(rng):
    truth = rng.integers(0, 2, 80)
    photo, rater = np.repeat(np.arange(80), 4), np.tile(np.arange(4), 80)
    right = rng.random(320) < np.array([0.95, 0.9, 0.8, 0.6])[rater]
    answers = np.where(right, truth[photo], 1 - truth[photo])
    fit = labels_fit(photo, rater, answers)
    images, posterior = posterior_given(fit, photo, rater, answers)
    np.testing.assert_array_equal(images, fit.image_ids)
    np.testing.assert_allclose(posterior, fit.posterior, atol=1e-4)
    _, one = posterior_given(fit, [5], [999], [1])
    _, best = posterior_given(fit, [5], [0], [1])
    _, worst = posterior_given(fit, [5], [3], [1])
    assert worst[0, 1] < one[0, 1] < best[0, 1]

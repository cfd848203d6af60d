"""The panel model: drawn panels with known truth, properties, and small cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from annotation.consensus.panel_model import panel_fit

PHOTOS, PEOPLE = 150, 14


@pytest.fixture
def panel(rng):
    """Draw a panel: 5 votes a photo; annotator 0 is severe, 1 is a random clicker, 2 is precise."""
    truth = rng.normal(5.5, 1.4, PHOTOS)
    bias, noise = rng.normal(0, 0.6, PEOPLE), rng.uniform(1.0, 1.6, PEOPLE)
    bias[0], noise[2] = -2.5, 0.3
    photo = np.repeat(np.arange(PHOTOS), 5)
    rater = np.concatenate([rng.permutation(PEOPLE)[:5] for _ in range(PHOTOS)])
    scores = truth[photo] + bias[rater] + rng.normal(0, noise[rater])
    scores = np.where(rater == 1, rng.integers(1, 11, len(rater)), np.clip(np.rint(scores), 1, 10))
    return truth, photo, rater, scores


def test_the_corrected_mos_is_nearer_to_the_truth_than_the_mos(panel):
    truth, photo, rater, scores = panel
    fit = panel_fit(photo, rater, scores)
    plain = np.bincount(photo, scores) / np.bincount(photo)
    assert spearmanr(fit.quality, truth)[0] > spearmanr(plain, truth)[0] + 0.03
    assert np.abs(fit.quality - truth).mean() < np.abs(plain - truth).mean()


def test_each_kind_of_annotator_is_found(panel):
    _, photo, rater, scores = panel
    fit = panel_fit(photo, rater, scores)
    assert fit.bias.argmin() == 0
    assert fit.bias[0] < -1.5
    assert fit.gain.argmin() == 1
    assert fit.gain[1] < 0.8
    assert fit.noise.argmin() == fit.information().argmax() == 2
    assert fit.information().argmin() == 1


def test_intervals_contain_the_truth(panel):
    truth, photo, rater, scores = panel
    fit = panel_fit(photo, rater, scores)
    covered = np.abs(fit.quality - truth) <= 1.96 * fit.quality_deviation
    assert 0.9 < covered.mean() <= 1
    assert fit.quality_deviation.mean() < 0.6 * truth.std()


def test_the_order_of_the_votes_and_the_ids_do_not_matter(panel, rng):
    _, photo, rater, scores = panel
    fit = panel_fit(photo, rater, scores)
    order = rng.permutation(len(scores))
    other = panel_fit(photo[order] * 3 + 70, 900 - rater[order], scores[order])
    np.testing.assert_allclose(other.quality, fit.quality, atol=1e-3)
    np.testing.assert_allclose(other.bias, fit.bias[::-1], atol=1e-3)


def test_a_shift_of_the_scale_shifts_the_quality_and_nothing_else(panel):
    _, photo, rater, scores = panel
    fit, shifted = panel_fit(photo, rater, scores), panel_fit(photo, rater, scores + 20)
    np.testing.assert_allclose(shifted.quality, fit.quality + 20, atol=1e-3)
    np.testing.assert_allclose(shifted.gain, fit.gain, atol=1e-3)


def test_a_longer_scale_stretches_all_but_the_gain(panel):
    _, photo, rater, scores = panel
    fit, longer = panel_fit(photo, rater, scores), panel_fit(photo, rater, 10 * scores)
    np.testing.assert_allclose(longer.quality, 10 * fit.quality, rtol=1e-3)
    np.testing.assert_allclose(longer.noise, 10 * fit.noise, rtol=1e-3)
    np.testing.assert_allclose(longer.gain, fit.gain, atol=1e-3)


def test_an_earlier_fit_as_the_start_gives_the_same_in_fewer_rounds(panel):
    _, photo, rater, scores = panel
    early = panel_fit(photo[:-40], rater[:-40], scores[:-40])
    full, continued = panel_fit(photo, rater, scores), panel_fit(photo, rater, scores, start=early)
    assert continued.rounds < full.rounds
    np.testing.assert_allclose(continued.quality, full.quality, atol=0.02)
    np.testing.assert_allclose(continued.noise, full.noise, atol=0.02)


def test_no_annotator_becomes_the_result(rng):
    # Two votes a photo, one of them always by annotator 0: plain maximum likelihood gives this annotator no noise.
    truth = rng.normal(0, 1, 60)
    photo = np.tile(np.arange(60), 2)
    rater = np.r_[np.zeros(60, int), rng.integers(1, 6, 60)]
    fit = panel_fit(photo, rater, truth[photo] + rng.normal(0, 1, 120))
    assert fit.noise.min() > 0.5


def test_annotators_without_common_photos_are_compared_with_the_mean_of_all():
    # Nothing tells a severe annotator from bad photos. Half-way between both is the answer of the model.
    fit = panel_fit([1, 2, 3, 4], [1, 1, 2, 2], [2, 3, 8, 9])
    assert fit.bias[0] < 0 < fit.bias[1]
    assert fit.quality[:2].mean() < 5.5 < fit.quality[2:].mean()
    assert np.diff(fit.quality).min() > 0


@pytest.mark.parametrize(
    ("images", "annotators", "scores"),
    [([7], [3], [4]), ([1, 2, 3], [1, 1, 1], [5, 5, 5]), ([1, 1, 1], [1, 2, 3], [2, 5, 8]), ([1, 1], [1, 1], [3, 9])],
    ids=["one vote", "constant votes", "one photo", "one annotator"],
)
def test_small_cases_have_finite_estimates_near_the_votes(images, annotators, scores):
    fit = panel_fit(images, annotators, scores)
    for values in (fit.quality, fit.quality_deviation, fit.bias, fit.gain, fit.noise):
        assert np.isfinite(values).all()
    assert min(scores) - 0.01 <= fit.quality.min() <= fit.quality.max() <= max(scores) + 0.01
    assert (fit.quality_deviation > 0).all()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(1, 10)), min_size=1, max_size=40))
def test_any_votes_have_finite_estimates(votes):
    images, annotators, scores = zip(*votes, strict=True)
    fit = panel_fit(images, annotators, scores)
    assert np.isfinite(fit.quality).all()
    assert np.isfinite(fit.information()).all()
    assert -5 < fit.quality.min() <= fit.quality.max() < 16


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        (([], [], []), "at least one vote"),
        (([1, 2], [1, 2], [3]), "do not match"),
        (([1], [1], [float("nan")]), "finite"),
    ],
)
def test_wrong_input_is_refused(votes, message):
    with pytest.raises(ValueError, match=message):
        panel_fit(*votes)

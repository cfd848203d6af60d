"""Votes with weights: 1 changes nothing, a small weight leaves the vote out, one between them counts less."""

import numpy as np
import pytest

from annotation.consensus.dawid_skene import labels_fit, posterior_given
from annotation.consensus.labels import majority_labels, watch_weights
from annotation.consensus.panel_model import panel_fit, quality_given
from annotation.measures.opinion import image_histograms, weighted_histograms

PHOTOS, PEOPLE = 60, 6
CLICKER = PEOPLE - 1
LITTLE = 1e-9


@pytest.fixture
def columns() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Everybody rates each photo; the last annotator gives the opposite scores."""
    rng = np.random.default_rng(8)
    truth = rng.normal(5.5, 1.5, (PHOTOS, 1))
    scores = np.clip(np.rint(truth + rng.normal(0, 1, (PHOTOS, PEOPLE))), 1, 10)
    scores[:, CLICKER] = 11 - scores[:, 0]
    return np.repeat(np.arange(PHOTOS), PEOPLE), np.tile(np.arange(PEOPLE), PHOTOS), scores.ravel()


@pytest.fixture
def answers(columns: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    image, rater, scores = columns
    return image, rater, (scores > 5.5).astype(int)


def weights_of(rater: np.ndarray, weight: float) -> np.ndarray:
    return np.where(rater == CLICKER, weight, 1.0)


def test_weights_of_one_change_nothing(columns: tuple[np.ndarray, ...], answers: tuple[np.ndarray, ...]) -> None:
    ones = np.ones(PHOTOS * PEOPLE)
    np.testing.assert_array_equal(panel_fit(*columns, weights=ones).quality, panel_fit(*columns).quality)
    np.testing.assert_array_equal(labels_fit(*answers, weights=ones).posterior, labels_fit(*answers).posterior)


def test_a_vote_of_nearly_no_weight_is_left_out(
    columns: tuple[np.ndarray, ...], answers: tuple[np.ndarray, ...]
) -> None:
    others = columns[1] != CLICKER
    weights = weights_of(columns[1], LITTLE)
    without = panel_fit(*(column[others] for column in columns))
    np.testing.assert_allclose(panel_fit(*columns, weights=weights).quality, without.quality, atol=1e-5)
    labels = labels_fit(*(column[others] for column in answers))
    np.testing.assert_allclose(labels_fit(*answers, weights=weights).posterior, labels.posterior, atol=1e-5)


def test_a_smaller_weight_moves_the_qualities_further_from_those_of_all_votes(columns: tuple[np.ndarray, ...]) -> None:
    fully = panel_fit(*columns).quality
    moved = [
        float(np.abs(panel_fit(*columns, weights=weights_of(columns[1], weight)).quality - fully).mean())
        for weight in (0.9, 0.5, 0.1)
    ]
    assert 0 < moved[0] < moved[1] < moved[2]


def test_half_a_vote_makes_the_error_larger(columns: tuple[np.ndarray, ...]) -> None:
    half = panel_fit(*columns, weights=np.full(len(columns[0]), 0.5))
    assert (half.quality_deviation > panel_fit(*columns).quality_deviation).all()
    assert half.image_votes.tolist() == [PEOPLE] * PHOTOS, "numbers of votes stay"
    assert half.annotator_votes.tolist() == [PHOTOS] * PEOPLE


def test_estimates_with_known_annotators_follow_the_weights_of_the_fit(columns: tuple[np.ndarray, ...]) -> None:
    weights = weights_of(columns[1], 0.3)
    fit = panel_fit(*columns, weights=weights)
    given = quality_given(fit.lines, *columns, weights=weights)
    np.testing.assert_allclose(given.quality, fit.quality, atol=0.01)
    np.testing.assert_allclose(given.quality_deviation, fit.quality_deviation, rtol=0.02)


def test_labels_with_known_annotators_follow_the_weights_of_the_fit(answers: tuple[np.ndarray, ...]) -> None:
    weights = weights_of(answers[1], 0.3)
    fit = labels_fit(*answers, weights=weights)
    images, posterior = posterior_given(fit, *answers, weights=weights)
    assert images.tolist() == fit.image_ids.tolist()
    np.testing.assert_allclose(posterior, fit.posterior, atol=1e-4)


def test_two_halves_of_a_vote_are_one_vote_for_labels() -> None:
    image, rater, answer = np.array([1, 1, 2, 2, 3]), np.array([1, 2, 1, 2, 1]), np.array([0, 1, 1, 1, 0])
    twice = [np.repeat(column, 2) for column in (image, rater, answer)]
    halves = labels_fit(*twice, weights=np.full(10, 0.5))
    np.testing.assert_allclose(halves.posterior, labels_fit(image, rater, answer).posterior)


@pytest.mark.parametrize(
    ("weights", "message"), [([1.0, 1.0], "do not match"), ([1, 0, 1], "above 0"), ([1, np.nan, 1], "above 0")]
)
def test_other_weights_are_refused(weights: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        panel_fit([1, 2, 3], [1, 1, 2], [4, 5, 6], weights=weights)
    with pytest.raises(ValueError, match=message):
        labels_fit([1, 2, 3], [1, 1, 2], [0, 1, 1], weights=weights)


def test_histograms_and_majorities_add_up_weights() -> None:
    ids, histogram = weighted_histograms([7, 7, 7], [1, 3, 3], [0.5, 1.0, 0.25], lowest=1, highest=3)
    assert (ids.tolist(), histogram.tolist()) == ([7], [[0.5, 0.0, 1.25]])
    assert image_histograms([7, 7, 7], [1, 3, 3], lowest=1, highest=3)[1].tolist() == [[1, 0, 2]]
    yes, no = watch_weights([0, 0, 0], [1, 0, 0], [1.0, 0.3, 0.3], photos=1)
    assert majority_labels(yes, no).tolist() == [1], "one vote outweighs two that count less"
    tie = watch_weights([0, 0, 0, 0], [1, 0, 0, 0], [0.3, 0.1, 0.1, 0.1], photos=1)
    assert majority_labels(*tie).tolist() == [-1], "sums of weights that differ by rounding are a tie"

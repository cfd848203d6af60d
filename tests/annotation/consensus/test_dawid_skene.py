"""Dawid and Skene's model: drawn votes with known labels, properties, and small cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.consensus.dawid_skene import labels_fit
from annotation.consensus.labels import majority_labels, watch_counts

PHOTOS, PEOPLE = 200, 11


@pytest.fixture
def panel(rng):
    """Draw 7 votes a photo; annotator 0 says 'watch' nearly always, 1 is inverted, 2 guesses."""
    truth = (rng.random(PHOTOS) < 0.3).astype(int)
    right = np.full((PEOPLE, 2), 0.85)
    right[0], right[1], right[2] = (0.1, 0.95), (0.1, 0.1), (0.5, 0.5)
    photo = np.repeat(np.arange(PHOTOS), 7)
    rater = np.concatenate([rng.permutation(PEOPLE)[:7] for _ in range(PHOTOS)])
    is_right = rng.random(len(photo)) < right[rater, truth[photo]]
    return truth, right, photo, rater, np.where(is_right, truth[photo], 1 - truth[photo])


def test_labels_and_mistakes_are_found_where_the_majority_errs(panel):
    truth, right, photo, rater, answers = panel
    fit = labels_fit(photo, rater, answers)
    majority = majority_labels(*reversed(watch_counts(photo, 1 - answers, photos=PHOTOS)))
    found = (fit.posterior[:, 1] > 0.5).astype(int)
    assert (found == truth).mean() > (majority == truth).mean() + 0.05
    np.testing.assert_allclose(fit.right, right, atol=0.15)


def test_posteriors_are_probabilities(panel):
    truth, _, photo, rater, answers = panel
    posterior = labels_fit(photo, rater, answers).posterior[:, 1]
    for low, high in ((0.0, 0.05), (0.95, 1.0)):
        sure = (posterior >= low) & (posterior <= high)
        assert truth[sure].mean() == pytest.approx(posterior[sure].mean(), abs=0.06)


def test_the_names_of_labels_photos_and_annotators_do_not_matter(panel, rng):
    _, _, photo, rater, answers = panel
    fit = labels_fit(photo, rater, answers)
    order = rng.permutation(len(photo))
    other = labels_fit(5 * photo[order], 100 - rater[order], 1 - answers[order])
    np.testing.assert_allclose(other.posterior[:, 0], fit.posterior[:, 1], atol=1e-4)
    np.testing.assert_allclose(other.confusion[::-1, ::-1, ::-1], fit.confusion, atol=1e-4)


def test_three_labels(rng):
    truth = rng.integers(0, 3, 90)
    photo, rater = np.repeat(np.arange(90), 5), np.tile(np.arange(5), 90)
    answers = np.where(rng.random(450) < 0.7, truth[photo], rng.integers(0, 3, 450))
    fit = labels_fit(photo, rater, answers, labels=3)
    assert (fit.posterior.argmax(axis=1) == truth).mean() > 0.9


def test_one_vote_is_believed_a_little_and_two_equal_ones_more():
    one, two = labels_fit([1], [1], [1]).posterior[0, 1], labels_fit([1, 1], [1, 2], [1, 1]).posterior[0, 1]
    assert 0.5 < one < two < 1


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=30))
def test_any_votes_give_probabilities(votes):
    fit = labels_fit(*zip(*votes, strict=True))
    np.testing.assert_allclose(fit.posterior.sum(axis=1), 1)
    np.testing.assert_allclose(fit.confusion.sum(axis=2), 1)
    assert (fit.confusion > 0).all()


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        (([], [], []), "at least one vote"),
        (([1, 2], [1], [0, 1]), "do not match"),
        (([1], [1], [2]), "from 0 to 1"),
        (([1], [1], [-1]), "from 0 to 1"),
        (([1], [1], [0.5]), "from 0 to 1"),
    ],
)
def test_wrong_input_is_refused(votes, message):
    with pytest.raises(ValueError, match=message):
        labels_fit(*votes)

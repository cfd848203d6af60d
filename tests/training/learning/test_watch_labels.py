"""The probabilities of a watch that the watch head learns from."""

import numpy as np
import pytest

from training.learning.dataset import RatedImages, RatedVotes
from training.learning.watch_labels import FIRST_RIGHT, label_reliability, watch_posteriors, watch_probabilities


def watch_votes(
    photos: np.ndarray, annotators: np.ndarray, watch: np.ndarray, weights: np.ndarray | None = None
) -> RatedVotes:
    """Return answers to the watch question; the scores are of no importance."""
    steps = np.zeros(len(photos), dtype=np.int64)
    full = np.ones(len(photos)) if weights is None else weights
    return RatedVotes(photos, annotators, steps, full, watch.astype(np.int8))


def test_a_wrong_vote_puts_no_floor_under_photos_without_a_watch() -> None:
    rng = np.random.default_rng(7)
    watch = rng.random(300) < 0.2
    rows = np.repeat(np.arange(300), 3)
    wrong = rng.random(900) < 0.05
    posterior = watch_posteriors(watch_votes(rows, rng.integers(0, 12, 900), watch[rows] ^ wrong), photos=300)
    assert np.quantile(posterior[~watch], 0.9) < 0.02  # a share of votes is 1/3 for a seventh of them


def test_photos_without_votes_for_or_against_have_no_posterior() -> None:
    votes = watch_votes(np.array([0, 0, 1]), np.array([1, 2, 1]), np.array([1, 1, -1]))
    assert np.isnan(watch_posteriors(votes, photos=3)).tolist() == [False, True, True]
    nothing = np.zeros(0, dtype=np.int64)
    assert np.isnan(watch_posteriors(watch_votes(nothing, nothing, nothing), photos=2)).all()


def test_a_vote_of_small_weight_loses_against_a_full_one() -> None:
    photos, annotators = np.repeat(np.arange(40), 2), np.tile([1, 2], 40)
    watch = np.where(annotators == 1, photos % 2 == 0, photos % 2 == 1)  # they always disagree
    weights = np.where(annotators == 1, 1.0, 0.2)
    posterior = watch_posteriors(watch_votes(photos, annotators, watch, weights), photos=40)
    assert (posterior > 0.5).tolist() == [place % 2 == 0 for place in range(40)]


@pytest.mark.parametrize("known", ["numbers of votes", "single votes"])
def test_without_single_votes_the_share_stands_for_the_posterior(known: str) -> None:
    rated = RatedImages(
        image_ids=np.arange(3),
        groups=np.array(["a", "b", "c"]),
        histograms=np.ones((3, 10), dtype=np.float32),
        watch_yes=np.array([2, 0, 0], dtype=np.float32),
        watch_no=np.array([2, 1, 0], dtype=np.float32),
        votes=None
        if known == "numbers of votes"
        else watch_votes(np.array([0, 1]), np.array([1, 1]), np.array([1, 0])),
    )
    found = watch_probabilities(rated)
    assert np.isnan(found[2])
    if known == "numbers of votes":
        assert found[:2].tolist() == [0.5, 0.0]
    else:
        assert found[0] > 0.5 > found[1]


def labelled(labels: list[int], votes: RatedVotes | None = None) -> RatedImages:
    """Return photos with imported labels (1, 0, or -1 for none) and these votes."""
    nothing = np.zeros(0, dtype=np.int64)
    count = len(labels)
    return RatedImages(
        image_ids=np.arange(count),
        groups=np.arange(count).astype(str),
        histograms=np.zeros((count, 10), dtype=np.float32),
        watch_yes=np.zeros(count, dtype=np.float32),
        watch_no=np.zeros(count, dtype=np.float32),
        votes=votes or watch_votes(nothing, nothing, nothing),
        watch_labels=np.array(labels, dtype=np.int8),
    )


def test_labels_of_nobody_are_right_as_often_as_is_assumed_until_people_have_answered() -> None:
    found = watch_probabilities(labelled([1, 0, -1]))
    assert found[:2] == pytest.approx([FIRST_RIGHT, 1 - FIRST_RIGHT])
    assert np.isnan(found[2])


def test_labels_are_trusted_as_much_as_the_people_of_the_campaign() -> None:
    rng = np.random.default_rng(3)
    watch, rows = rng.random(400) < 0.3, np.repeat(np.arange(400), 3)
    said = watch[rows] ^ (rng.random(1200) < 0.2)
    votes = watch_votes(rows, rng.integers(0, 12, 1200), said)
    found = watch_probabilities(labelled([-1] * 400 + [1, 0], votes))
    right = [watch[rows][said == label].mean() for label in (True, False)]  # how often a yes and a no shows a watch
    # The probabilities by people are a little too sure of themselves, and so are the labels.
    assert found[400:] == pytest.approx(right, abs=0.1)
    assert found[:400] == pytest.approx(watch_posteriors(votes, photos=402)[:400])  # labels do not change the people


def test_a_single_vote_does_not_say_how_often_people_are_right() -> None:
    people = np.array([0.8, 0.3, np.nan])
    votes = watch_votes(np.array([0, 1]), np.array([1, 2]), np.array([1, 0]))
    assert label_reliability(people, votes) == pytest.approx((FIRST_RIGHT, FIRST_RIGHT))


def test_a_label_is_one_more_vote_and_people_who_agree_win_against_it() -> None:
    photos, people = np.repeat(np.arange(60), 3), np.tile([1, 2, 3], 60)
    votes = watch_votes(photos, people, photos % 3 == 0)
    plain = watch_posteriors(votes, photos=60)
    against = [int(photo % 3 != 0) for photo in range(60)]
    found = watch_probabilities(labelled(against, votes))
    assert ((found > 0.5) == (plain > 0.5)).all()
    assert np.abs(np.log(found / (1 - found))).max() < np.abs(np.log(plain / (1 - plain))).max()
    agreeing = watch_probabilities(labelled([1 - label for label in against], votes))
    assert (np.abs(agreeing - 0.5) >= np.abs(plain - 0.5) - 1e-6).all()

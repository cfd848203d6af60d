"""Votes are drawn without replacement from those of a photo, or given by simulated annotators."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from training.simulation.defaults import made_ratings
from training.simulation.ratings import QUALITY, WATCH, Ratings, VoteTable
from training.simulation.votes import VoteSource


@pytest.fixture
def rated() -> Ratings:
    """Twelve photos; photo n has the real votes 1 … n + 1, by the annotators 0 … n."""
    made = made_ratings(QUALITY, photos=12, seed=1)
    photo = np.concatenate([np.full(n + 1, n) for n in range(12)])
    annotator = np.concatenate([np.arange(n + 1) for n in range(12)])
    votes = VoteTable(photo, annotator, annotator + 1.0)
    return replace(made, votes=votes, panel=None, lowest=1, highest=12)


def drawn(source: VoteSource, photo: int) -> list[tuple[float, int]]:
    return [source.next(photo) for _ in range(source.available[photo])]


def test_each_real_vote_is_drawn_once_with_its_annotator(rated: Ratings):
    source = VoteSource(rated, np.array([2, 5]), most=30, clicks=0.0, seed=1)

    assert source.available.tolist() == [3, 6]
    assert sorted(drawn(source, 1)) == [(score, score - 1) for score in range(1, 7)]
    with pytest.raises(IndexError, match="only 6 votes"):
        source.next(1)


def test_the_votes_of_a_photo_do_not_depend_on_what_was_asked_before(rated: Ratings):
    one, other = (VoteSource(rated, np.arange(12), most=30, clicks=0.2, seed=4) for _ in range(2))
    drawn(one, 3)

    assert drawn(one, 9) == drawn(other, 9)


def test_a_share_of_the_votes_are_random_clicks():
    ratings = made_ratings(WATCH, photos=400, seed=2)
    source = VoteSource(ratings, np.arange(400), most=10, clicks=0.2, seed=1)

    wrong = Counter(vote != ratings.truth[photo] for photo in range(400) for vote, _ in drawn(source, photo))

    assert wrong[True] / wrong.total() == pytest.approx(0.1, abs=0.02)  # half of the clicks are right


def test_simulated_annotators_rate_a_photo_once_each():
    ratings = made_ratings(QUALITY, photos=40, seed=3)
    source = VoteSource(ratings, np.arange(40), most=25, clicks=0.0, seed=1)

    votes = drawn(source, 7)

    assert len({annotator for _, annotator in votes}) == 25
    assert {score for score, _ in votes} <= set(range(1, 8))

"""Reasons say what is known of a photo, and nothing that is hidden from the reader."""

import dataclasses

import pytest

from inference.acquisition.reasons import PhotoFacts, reason_text

FACTS = PhotoFacts(votes=1, votes_needed=3, watch_probability=0.42, watch_threshold=0.4, quality_mean=6.25)
HIDDEN = PhotoFacts(votes=1, votes_needed=3, is_hidden=True)
OF_THE_MODEL = ["watch_margin", "watch_entropy", "watch_bald", "information_gain", "disagreement"]


def test_the_numbers_of_the_photo_are_in_the_reason() -> None:
    assert reason_text("watch_margin", FACTS, stored="") == (
        "unsure about the watch; the champion says 0.42 at a threshold of 0.40"
    )
    assert reason_text("information_gain", FACTS, stored="").endswith("the champion says 6.2")
    assert reason_text("fewest_votes", FACTS, stored="") == "it has the fewest votes: 1 of 3"


def test_a_photo_without_votes() -> None:
    assert reason_text("fewest_votes", dataclasses.replace(FACTS, votes=0), stored="") == "no votes yet"


@pytest.mark.parametrize("lane", OF_THE_MODEL)
def test_what_the_model_says_is_hidden_before_the_own_answer(lane: str) -> None:
    assert reason_text(lane, HIDDEN, stored="gap 3.1 points") == (
        "the model's opinion, which you see after your own answer"
    )


@pytest.mark.parametrize("lane", OF_THE_MODEL)
def test_without_a_model_a_reason_has_no_numbers(lane: str) -> None:
    words = reason_text(lane, PhotoFacts(votes=0, votes_needed=3), stored="")
    assert words
    assert not any(letter.isdigit() for letter in words)


def test_an_unknown_lane_says_its_own_reason() -> None:
    assert reason_text("new_lane", FACTS, stored="its own words") == "its own words"

"""Reasons say what is known of a photo, and nothing that is hidden from the reader."""

import dataclasses

import pytest

from inference.acquisition.reasons import PhotoFacts, reason_text, start_reason, start_text
from inference.acquisition.registry import STRATEGIES

FACTS = PhotoFacts(votes=1, votes_needed=3, watch_probability=0.42, watch_threshold=0.4, quality_mean=6.25)
HIDDEN = PhotoFacts(votes=1, votes_needed=3, is_hidden=True)
OF_THE_MODEL = ["watch_margin", "watch_entropy", "watch_bald", "relabel_or_new", "information_gain", "disagreement"]


def test_each_reason_says_which_model_it_is_about() -> None:
    words = reason_text("watch_margin", FACTS, stored="")
    assert words == (
        "the queue's own model is unsure whether it shows a watch. The champion "
        "is unsure too: 42 %, and above 40 % it says 'watch'."
    )
    assert reason_text("information_gain", FACTS, stored="").endswith("The champion expects 6.2.")
    assert "than the champion expects (6.2)" in reason_text("disagreement", FACTS, stored="")


@pytest.mark.parametrize(
    ("said", "limit", "words"),
    [
        (0.003, 0.05, "says 'no watch': under 1 %, and above 5 % it says 'watch'."),
        (0.999, 0.05, "says 'watch': over 99 %, where above 5 % is enough."),
        (0.06, 0.05, "is unsure too: 6 %, and above 5 % it says 'watch'."),
        (0.0, 0.0, "is unsure too: under 1 %, and above 0 % it says 'watch'."),
    ],
)
def test_the_champion_is_quoted_in_words(said: float, limit: float, words: str) -> None:
    facts = dataclasses.replace(FACTS, watch_probability=said, watch_threshold=limit)
    assert reason_text("watch_entropy", facts, stored="").endswith(f"The champion {words}")


def test_votes_are_in_the_reasons_of_lanes_that_look_at_them() -> None:
    assert reason_text("fewest_votes", FACTS, stored="").endswith("the fewest votes: 1 of 3")
    assert reason_text("fewest_votes", dataclasses.replace(FACTS, votes=0), stored="") == "nobody has rated it yet"
    assert "(1 of 3 votes)" in reason_text("anchors", FACTS, stored="")
    assert "its votes (1)" in reason_text("relabel_or_new", FACTS, stored="")
    assert "is unsure whether" in reason_text("relabel_or_new", dataclasses.replace(FACTS, votes=0), stored="")


def test_every_lane_has_words_of_its_own() -> None:
    for name in STRATEGIES:
        assert reason_text(name, FACTS, stored="stored") != "stored", name


def test_a_lane_says_what_it_starts_with() -> None:
    fewest = STRATEGIES["fewest_votes"].reason
    stored = start_reason(fewest, "features").format(votes=0, votes_needed=3, priority=1.0)
    facts = dataclasses.replace(FACTS, votes=0)
    assert start_text(start_reason(fewest, "features"), facts, fewest=fewest) == (
        "nobody has rated it yet. This lane chooses in this way at the start: the photos have no features yet."
    )
    typical = start_reason(STRATEGIES["typical_first"].reason, "watch_spread")
    words = start_text(typical, facts, fewest=fewest)
    assert words is not None
    assert words.startswith("many similar photos have no votes")
    assert words.endswith("too few watch labels to learn from.")
    assert stored == "fewest votes: 0 of 3 (start: the photos have no features yet)"
    assert start_text("another reason", facts, fewest=fewest) is None


@pytest.mark.parametrize("lane", OF_THE_MODEL)
def test_what_the_model_says_is_hidden_before_the_own_answer(lane: str) -> None:
    assert reason_text(lane, HIDDEN, stored="gap 3.1 points") == (
        "a model says something about it that you see after your own answer"
    )


@pytest.mark.parametrize("lane", OF_THE_MODEL)
def test_without_a_model_a_reason_has_no_numbers(lane: str) -> None:
    words = reason_text(lane, PhotoFacts(votes=0, votes_needed=3), stored="")
    assert words
    assert "The champion" not in words


def test_an_unknown_lane_says_its_own_reason() -> None:
    assert reason_text("new_lane", FACTS, stored="its own words") == "its own words"

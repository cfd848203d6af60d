"""The verdicts of the page Next photos, in words."""

import dataclasses

import pytest

from annotation.measures.intervals import Interval
from tests.training.evaluation.test_curve_gain import report
from training.evaluation.choice_words import Pays, Stop, VotesNeeded, choice_title, order_words, pays, stop_words
from training.evaluation.order_curve import OrderCurve, OrderPoint, OrderTask

LITTLE = report(Interval(0.002, -0.004, 0.008, 187), Interval(0.004, -0.002, 0.009, 187))
HELPS = report(Interval(0.012, 0.002, 0.022, 187), Interval(0.02, 0.01, 0.03, 187))
CANNOT_TELL = report(Interval(0.002, -0.02, 0.024, 187), Interval(0.0, -0.04, 0.04, 187))
NEEDED = VotesNeeded(votes=1340, hours=2.14, photos=120, half_width=0.5, watch=0)


def curve(
    gain: tuple[float, float, float], saved: tuple[float, float, float] | None = None, task: str = "score"
) -> OrderCurve:
    point = OrderPoint(180.0, Interval(2.0, 1.5, 2.5, 90, 80))
    return OrderCurve(
        task=OrderTask(task),
        in_order=[point],
        at_random=[point],
        before=20,
        random_answers=200,
        all_answers=900,
        gain=Interval(*gain, 90, 80),
        saved=None if saved is None else Interval(*saved, 90, 80),
        equal=180.0,
    )


def test_a_choice_that_pays_says_votes_and_hours_with_intervals() -> None:
    words = order_words(curve((0.12, 0.04, 0.2), (60, 20, 90)), seconds_per_answer=60.0)
    assert (words.decision, words.title) == (Pays.YES, "The choice pays for scores")
    assert "squared error of predictions is 12 % lower (+4 to +20)" in words.sentences[0]
    assert words.sentences[-1] == "Votes saved out of 180: 60 (20–90). At 60.0 s an answer this is 1.0 hours (0.3–1.5)."


def test_a_choice_that_costs_says_so() -> None:
    words = order_words(curve((-0.12, -0.2, -0.04), (-60, -90, -20), "watch"), seconds_per_answer=None)
    assert (words.decision, words.title) == (Pays.NO, "For watches, random photos teach more")
    assert "Brier score of predictions is 12 % higher (+4 to +20)" in words.sentences[0]
    assert "Votes saved out of 180: −60 (−90 to −20)." in words.sentences[-1]


def test_overlapping_intervals_cannot_tell_and_save_nothing() -> None:
    words = order_words(curve((0.05, -0.01, 0.11), (60, 20, 90)), seconds_per_answer=4.0)
    assert words.decision == Pays.UNKNOWN
    assert words.sentences[-1] == "Votes and hours saved: cannot tell."


def test_a_saving_outside_the_curve_cannot_be_told() -> None:
    assert "cannot tell" in order_words(curve((0.3, 0.2, 0.4)), seconds_per_answer=4.0).sentences[-1]


@pytest.mark.parametrize(
    ("gains", "title"),
    [
        ([], "Cannot tell yet whether the choice pays"),
        ([(0.1, 0.05, 0.15), (0.1, 0.05, 0.15)], "The choice pays"),
        ([(0.1, 0.05, 0.15), (0.0, -0.05, 0.05)], "The choice pays for scores"),
        ([(-0.1, -0.2, -0.05), (0.0, -0.05, 0.05)], "The choice does not pay"),
        ([(0.0, -0.05, 0.05)], "Cannot tell whether the choice pays"),
    ],
)
def test_the_verdict_over_scores_and_watches(gains: list[tuple[float, float, float]], title: str) -> None:
    words = [
        order_words(curve(gain, task=task), seconds_per_answer=None)
        for gain, task in zip(gains, ("score", "watch"), strict=False)
    ]
    assert choice_title(words) == title


def test_one_side_of_zero_decides() -> None:
    assert [pays(curve(gain)) for gain in ((0.1, 0.0, 0.2), (0.1, 0.01, 0.2), (-0.1, -0.2, -0.01))] == [
        Pays.UNKNOWN,
        Pays.YES,
        Pays.NO,
    ]


def test_stop_for_the_model_but_not_for_the_intervals() -> None:
    words = stop_words(NEEDED, LITTLE, margin=0.01)
    assert words.decision == Stop.GO_ON
    assert words.sentences[0] == (
        "Stop when the interval of every photo is within ± 0.5 points: 120 photos still miss it, which takes about "
        "1,340 votes. At the present pace this is 2.1 hours."
    )
    assert "more votes hardly help the model" in words.sentences[1]


def test_without_a_target_a_flat_curve_is_enough_to_stop() -> None:
    words = stop_words(dataclasses.replace(NEEDED, half_width=0, hours=0.25), LITTLE, margin=0.01)
    assert (words.decision, words.title) == (Stop.STOP, "You can stop: more votes hardly help the model")
    assert words.sentences[0].endswith("120 photos still miss 1,340 votes. At the present pace this is 15 minutes.")


@pytest.mark.parametrize(
    ("votes", "curve_report", "decision", "title"),
    [
        (0, None, Stop.STOP, "every photo has the votes that it needs"),
        (0, LITTLE, Stop.STOP, "every photo has the votes that it needs"),
        (0, HELPS, Stop.GO_ON, "more photos would still help the model"),
        (10, HELPS, Stop.GO_ON, "more votes still help the model"),
        (10, CANNOT_TELL, Stop.UNKNOWN, "nothing says yet that you can stop"),
        (10, None, Stop.UNKNOWN, "nothing says yet that you can stop"),
    ],
)
def test_every_other_state(votes: int, curve_report: object, decision: Stop, title: str) -> None:
    needed = dataclasses.replace(NEEDED, votes=votes, half_width=0, watch=0.9, hours=None)
    words = stop_words(needed, curve_report, margin=0.01)  # type: ignore[arg-type]
    assert words.decision == decision
    assert title in words.title
    if votes:
        assert "watch label of every photo is certain enough" in words.sentences[0]

"""Tests of what a model decides about one photo."""

from dataclasses import replace

import pytest

from inference.decisions.limits import Limits, decide

LIMITS = Limits(
    accept_from=7.0, reject_below=3.0, watch_from=0.9, no_watch_below=0.1, half_width=1.5, confidence=0.95,
    calibrated_on=200,
)  # fmt: skip
NOTHING = Limits(None, None, None, None, None, 0.95, 12)
CLASSES = (0.1, 0.3, 0.6)


@pytest.mark.parametrize(
    ("mean", "watch", "quality_decided", "watch_decided"),
    [
        (7.0, 0.9, "accepted", "yes"),
        (6.99, 0.89, "pending", "unsure"),
        (3.0, 0.1, "pending", "unsure"),
        (2.99, 0.09, "rejected", "no"),
        (float("nan"), float("nan"), "pending", "unsure"),
    ],
)
def test_accept_and_watch_include_their_limit_and_the_others_do_not(
    mean: float, watch: float, quality_decided: str, watch_decided: str
) -> None:
    decision = decide(LIMITS, quality_mean=mean, class_probabilities=CLASSES, watch_probability=watch)
    assert (decision.quality, decision.watch) == (quality_decided, watch_decided)


def test_without_limits_people_decide_and_the_reasons_say_why() -> None:
    decision = decide(NOTHING, quality_mean=9.9, class_probabilities=CLASSES, watch_probability=1.0)
    assert (decision.quality, decision.watch, decision.score_interval) == ("pending", "unsure", None)
    assert all("too few audit votes" in reason for reason in decision.reasons)


def test_one_limit_alone_decides_on_its_side_only() -> None:
    accepts = replace(LIMITS, reject_below=None, no_watch_below=None)
    decision = decide(accepts, quality_mean=1.0, class_probabilities=(0.8, 0.1, 0.1), watch_probability=0.0)
    assert (decision.quality, decision.watch) == ("pending", "unsure")
    assert "rejected (80 %)" in decision.reasons[0]


def test_the_interval_is_around_the_predicted_mean() -> None:
    decision = decide(LIMITS, quality_mean=5.0, class_probabilities=CLASSES, watch_probability=0.5)
    assert decision.score_interval == (3.5, 6.5)

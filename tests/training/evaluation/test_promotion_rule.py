"""The promotion rule: its four decisions, its power, and its description in the docs."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from scipy import stats

from training.evaluation.looks import LOOKS, Look
from training.evaluation.promotion_rule import (
    HOLDOUT_FOR_PROMOTION,
    Decision,
    Problem,
    Rule,
    description,
    promotion_verdict,
)
from training.evaluation.registry import METRICS as REGISTRY
from training.evaluation.registry import ScaleAndThresholds

WATCH_F1 = REGISTRY["watch_f1"]
PROMOTE, REFUSE, NO_BETTER, CANNOT_TELL = Decision
METRICS = {"quality_rps": {"value": 1.2}}
SRCC = Rule(better="quality_srcc")
F1 = Rule(better="watch_f1")
NOT_WORSE = Rule(better="", margin=0.03)


def entry(value: float | None, error: float = 0.01, groups: int = 60) -> dict[str, Any]:
    ends = (None, None) if value is None else (value - 1.96 * error, value + 1.96 * error)
    known = {"groups": groups} if value is None else {"groups": groups, "error": error}
    return {"value": value, "low": ends[0], "high": ends[1], "n": 3 * groups, **known}


class RightDecisions:
    """Predictions that are right about every watch, and nothing else."""

    def __init__(self, labels: np.ndarray) -> None:
        self.watch_probability = labels.astype(float)
        self.quality_mean = np.full(len(labels), 5.0)
        self.distribution = np.full((len(labels), 10), 0.1)


def equal_decisions(labels: np.ndarray) -> tuple[Any, ...]:
    """Return what a difference takes, of two models that are right about every watch."""
    scale = ScaleAndThresholds(1, 4, 7, 0.5, 4, 7)
    return RightDecisions(labels), RightDecisions(labels), labels, scale, scale


def differences(
    rps: dict[str, Any] | None = None, srcc: dict[str, Any] | None = None, f1: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return differences in which nothing has changed, except for those given; RPS is better when it is lower."""
    return {
        "quality_rps": rps or entry(0, 0.005),
        "quality_srcc": srcc or entry(0, 0.005),
        "watch_f1": f1 or entry(0, 0.005),
    }


@pytest.mark.parametrize(
    ("stored", "rule", "decision", "words"),
    [
        (differences(entry(-0.05)), Rule(), PROMOTE, "Quality RPS −0.050 (−0.070 to −0.030, 180 photos in 60 groups)"),
        (differences(entry(-0.05)), Rule(), PROMOTE, "not measured worse by more than 0.01"),
        (differences(entry(0.05)), Rule(), REFUSE, "worse than the champion"),
        (differences(entry(-0.05), entry(-0.05)), Rule(), REFUSE, "worse than the champion by more than 0.01"),
        (differences(entry(-0.05), f1=entry(-0.65)), Rule(), REFUSE, "Watch F1 −0.650"),
        (differences(entry(-0.05), f1=entry(-0.03, 0.03)), Rule(), CANNOT_TELL, "too small to exclude chance"),
        (differences(entry(-0.05), f1=entry(-0.005, 0.001)), Rule(), PROMOTE, "Watch F1 −0.005"),
        (differences(entry(-0.05), f1=entry(None)), Rule(), PROMOTE, "Watch F1 could not be compared"),
        (differences(entry(-0.005, 0.005)), Rule(), NO_BETTER, "A gain of 2 % in Quality RPS is excluded"),
        (differences(entry(-0.02, 0.02)), Rule(), CANNOT_TELL, "smallest gain that it would see"),
        (differences(entry(None)), Rule(), CANNOT_TELL, "too few votes"),
        ({}, Rule(), CANNOT_TELL, "too few votes"),
        (differences(entry(-0.5, groups=19)), Rule(), CANNOT_TELL, "Only 57 photos in 19 groups"),
        (differences(srcc=entry(0.06)), Rule(), NO_BETTER, "Quality RPS"),
        (differences(srcc=entry(0.06)), SRCC, PROMOTE, "Quality SRCC +0.060"),
        (differences(entry(0.05), entry(0.06)), SRCC, REFUSE, "Quality RPS +0.050"),
        (differences(f1=entry(0.06)), F1, PROMOTE, "Watch F1 +0.060"),
        (differences(), NOT_WORSE, PROMOTE, "a loss of more than 0.03 is excluded"),
        (differences(f1=entry(0, 0.03)), NOT_WORSE, CANNOT_TELL, "is not excluded"),
        (differences(f1=entry(-0.2, 0.03)), NOT_WORSE, REFUSE, "worse than the champion by more than 0.03"),
        (differences(entry(0.02, 0.001)), NOT_WORSE, PROMOTE, "a loss of more than 0.03 is excluded"),
    ],
)
def test_the_decision_and_its_reason(stored: dict[str, Any], rule: Rule, decision: Decision, words: str) -> None:
    verdict = promotion_verdict(stored, metrics=METRICS, rule=rule)
    assert verdict.decision is decision, verdict.text
    assert words in verdict.reason
    assert verdict.promote is (decision is PROMOTE)
    assert verdict.text.startswith(decision.value.capitalize() + ": ")


def test_a_challenger_that_repairs_bias_only_is_promoted() -> None:
    """Its scores are all one point lower: the ranks stay, the distributions fit better."""
    assert promotion_verdict(differences(entry(-0.1), entry(0, 0)), metrics=METRICS).promote


def test_a_problem_comes_before_all_figures() -> None:
    verdict = promotion_verdict(differences(entry(-0.5)), problems=[Problem(REFUSE, "It has seen the holdout.")])
    assert (verdict.decision, verdict.reason) == (REFUSE, "It has seen the holdout.")


def test_the_same_figures_need_more_at_a_further_look() -> None:
    stored = differences(entry(-0.025))
    assert promotion_verdict(stored, metrics=METRICS).promote
    later = promotion_verdict(stored, metrics=METRICS, look=Look(2))
    assert later.decision is CANNOT_TELL
    assert "at look 2 at this holdout (99.74 % interval)" in later.reason
    used_up = promotion_verdict(differences(entry(-0.5)), metrics=METRICS, look=Look(LOOKS + 1))
    assert used_up.decision is CANNOT_TELL
    assert "needs fresh photos" in used_up.reason
    worse = promotion_verdict(differences(entry(0.5)), metrics=METRICS, look=Look(LOOKS + 1))
    assert worse.decision is REFUSE, "a worse challenger is refused with any holdout"


def test_the_smallest_visible_gain_and_the_needed_holdout_have_a_power_of_80_percent(
    rng: np.random.Generator,
) -> None:
    verdict = promotion_verdict(differences(entry(0, 0.02)), metrics=METRICS)
    assert verdict.smallest is not None
    error = 0.02 / 1.2
    drawn = rng.normal(verdict.smallest, error, 20_000)
    assert np.mean(drawn > stats.t.ppf(0.975, 59) * error) == pytest.approx(0.8, abs=0.02)
    for gain, groups in verdict.needed.items():
        drawn = rng.normal(gain, error * np.sqrt(60 / groups), 20_000)
        assert np.mean(drawn > stats.t.ppf(0.975, 59) * error * np.sqrt(60 / groups)) == pytest.approx(0.8, abs=0.02)


def test_old_evaluations_without_a_standard_error_have_one_from_their_interval() -> None:
    old = {"quality_rps": {"value": -0.05, "low": -0.09, "high": -0.01, "n": 60}}
    assert promotion_verdict(old, metrics=METRICS).promote
    assert not promotion_verdict({"quality_rps": old["quality_rps"] | {"high": 0.02}}, metrics=METRICS).promote


def test_the_description_names_every_number_of_the_rule() -> None:
    for part in ("Quality RPS", "Quality SRCC", "Watch F1", "95 %", f"At least {HOLDOUT_FOR_PROMOTION} groups", "0.01"):
        assert part in description(Rule())
    assert "none of Quality RPS, Quality SRCC and Watch F1 is worse" in description(NOT_WORSE)
    assert "0.03 (of Quality RPS: 3 % of the champion's)" in description(NOT_WORSE)


def test_the_docs_contain_the_description() -> None:
    page = (Path(settings.BASE_DIR) / "docs/reference/metrics.md").read_text()
    assert description(Rule()) in re.sub(r"\s+", " ", page)


def test_equal_decisions_on_a_few_watches_exclude_no_loss() -> None:
    """They differ in no resample, so a challenger that misses 15 % of the watches was promoted in up to 47 %."""
    labels = np.array([1] * 8 + [0] * 32)
    same = WATCH_F1.difference(*equal_decisions(labels), groups=np.arange(40), seed=1)
    assert (same.value, same.low, same.high, same.error) == (0, 0, 0, 0)
    stored = differences(entry(0.0, 0.0), entry(0.0, 0.0)) | {"watch_f1": same.as_json()}
    verdict = promotion_verdict(stored, metrics=METRICS, rule=Rule(better="", margin=0.03))
    assert verdict.decision is Decision.CANNOT_TELL
    assert "Watch F1 +0.000 (+0.000 to +0.000, 40 photos): a loss of more than 0.03 is not excluded" in verdict.text


def test_equal_decisions_on_many_watches_exclude_a_loss() -> None:
    labels = np.array([1] * 400 + [0] * 400)
    same = WATCH_F1.difference(*equal_decisions(labels), groups=np.arange(800), seed=1)
    stored = differences(entry(0.0, 0.0), entry(0.0, 0.0)) | {"watch_f1": same.as_json()}
    assert promotion_verdict(stored, metrics=METRICS, rule=Rule(better="", margin=0.01)).promote


def test_the_holdout_that_equal_models_need_grows_with_the_margin_alone() -> None:
    """The error of what no photo has shown falls with the number of photos: half the margin, twice the photos."""
    labels = np.array([1] * 20 + [0] * 80)
    same = WATCH_F1.difference(*equal_decisions(labels), groups=np.arange(100), seed=1)
    stored = differences(entry(0.0, 0.0), entry(0.0, 0.0)) | {"watch_f1": same.as_json()}
    needed = [
        promotion_verdict(stored, metrics=METRICS, rule=Rule(better="", margin=margin)).needed[margin]
        for margin in (0.02, 0.01)
    ]
    assert needed[1] == pytest.approx(2 * needed[0], abs=2)

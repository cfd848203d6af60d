"""When a challenger replaces the champion: the rule, its numbers, and its description in words.

Pages, commands and docs take their sentence from `DESCRIPTION`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.measures.intervals import CONFIDENCE
from training.evaluation.registry import METRICS, MeasuredMetric, measured

# With fewer photos an interval says more about the draw than about the models.
HOLDOUT_FOR_PROMOTION = 20
GAIN = METRICS["quality_srcc"]
"""Must be better: the interval of the difference lies above zero."""
NO_LOSS = METRICS["watch_roc_auc"]
"""Must not be worse: the interval of the difference does not lie below zero."""

DESCRIPTION = (
    f"A challenger passes the promotion rule when its {GAIN.label} is better than the champion's and its "
    f"{NO_LOSS.label} is not worse, both measured on the same holdout photos. Better means that the "
    f"{100 * CONFIDENCE:.0f} % interval of the paired difference lies above zero; worse, that it lies below. "
    f"At least {HOLDOUT_FOR_PROMOTION} holdout photos must have votes."
)


@dataclass(frozen=True)
class Verdict:
    """What the rule says about a challenger, and why."""

    promote: bool
    reason: str


def promotion_verdict(differences: Mapping[str, Mapping[str, Any]]) -> Verdict:
    """Apply the rule to the `differences` of an evaluation against the champion."""
    found = {one.metric.name: one for one in measured(differences)}
    gain, loss = found.get(GAIN.name), found.get(NO_LOSS.name)
    if gain is None or gain.low is None:
        return Verdict(False, "The holdout has too few votes to compare the two models.")
    if gain.n < HOLDOUT_FOR_PROMOTION:
        return Verdict(False, f"Only {gain.n} holdout photos have votes; the rule asks for {HOLDOUT_FOR_PROMOTION}.")
    gained = f"{GAIN.label} {_difference_text(gain)}"
    if gain.low <= 0:
        return Verdict(False, f"{gained}: the interval does not lie above zero.")
    if loss is None or loss.high is None:
        return Verdict(True, f"{gained}: above zero. {NO_LOSS.label} could not be compared.")
    if loss.high < 0:
        return Verdict(False, f"{gained}, but {NO_LOSS.label} {_difference_text(loss)}: that is a loss.")
    return Verdict(True, f"{gained}: above zero. {NO_LOSS.label} {_difference_text(loss)}: no significant loss.")


def _difference_text(difference: MeasuredMetric) -> str:
    return f"{difference.signed} ({difference.signed_interval}, n = {difference.n})"

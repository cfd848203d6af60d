"""The promotion rule: when a challenger replaces the champion.

Pages, commands and docs describe the rule with `DESCRIPTION`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.measures.intervals import CONFIDENCE
from training.evaluation.registry import METRICS, MeasuredMetric, measured

# With fewer photos the interval depends more on which photos are in the holdout than on the models.
HOLDOUT_FOR_PROMOTION = 20
GAIN = METRICS["quality_srcc"]
"""Must be better: the whole interval of the difference is above zero."""
NO_LOSS = METRICS["watch_roc_auc"]
"""Must not be worse: the interval of the difference is not entirely below zero."""

DESCRIPTION = (
    f"A challenger passes the promotion rule when its {GAIN.label} is better than the champion's and its "
    f"{NO_LOSS.label} is not worse, both measured on the same holdout photos. Better means that the "
    f"{100 * CONFIDENCE:.0f} % interval of the paired difference lies above zero. Worse means that it lies below zero. "
    f"At least {HOLDOUT_FOR_PROMOTION} holdout photos must have votes."
)


@dataclass(frozen=True)
class Verdict:
    """The decision of the rule about a challenger, with its reason."""

    promote: bool
    reason: str


def promotion_verdict(differences: Mapping[str, Mapping[str, Any]]) -> Verdict:
    """Apply the rule to the `differences` of an evaluation against the champion."""
    found = {one.metric.name: one for one in measured(differences)}
    gain, loss = found.get(GAIN.name), found.get(NO_LOSS.name)
    if gain is None or gain.low is None:
        return Verdict(False, "The holdout has too few votes to compare the two models.")
    if gain.n < HOLDOUT_FOR_PROMOTION:
        return Verdict(False, f"Only {gain.n} holdout photos have votes; the rule requires {HOLDOUT_FOR_PROMOTION}.")
    gained = f"{GAIN.label} {_difference_text(gain)}"
    if gain.low <= 0:
        return Verdict(False, f"{gained}: the interval does not lie above zero.")
    if loss is None or loss.high is None:
        return Verdict(True, f"{gained}: above zero. {NO_LOSS.label} could not be compared.")
    if loss.high < 0:
        return Verdict(False, f"{gained}, but {NO_LOSS.label} {_difference_text(loss)}: it is worse.")
    return Verdict(True, f"{gained}: above zero. {NO_LOSS.label} {_difference_text(loss)}: not worse.")


def _difference_text(difference: MeasuredMetric) -> str:
    return f"{difference.signed} ({difference.signed_interval}, n = {difference.n})"

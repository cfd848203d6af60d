"""Rules that find annotators whose answers a reviewer should look at. Each gives a verdict with its evidence.

A rule says 'fine', 'flagged', or 'not enough answers to tell'. A flag is a reason to look, not proof. The rules compare
an annotator with the group, so they need no limit that fits every campaign: people agree less about beauty than about
blur.

The rule for scores needs two reasons: a rank correlation that may be 0, and votes that say little by the panel model.
In a small panel, the others' means are noisy, and the first reason alone flags too many people. The numbers are in
docs/reference/consensus.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

import numpy as np

from annotation.measures.intervals import Interval, wilson_interval
from annotation.measures.signs import minus, signed
from annotation.raters.attention import STRAIGHT_LINE_FEWEST, ScoreSpread
from annotation.raters.panel_agreement import Bt500Counts, WatchAgreement, rank_interval
from annotation.raters.self_agreement import SelfAgreement

FEWEST = 10
"""Photos below which an annotator says nothing about the group's median, and below which labels give no verdict."""
FEWEST_SHOWN = 5
"""No figure is shown for fewer answers than this."""
FEWEST_TIMES = 20
FEWEST_DRIFT = 40
FEWEST_BT500 = 20
FEWEST_GOLD = 5
LEAST_INFORMATION = 0.25
"""Votes that say less than this part of what a typical vote says, by the panel model, are a reason to flag.

Of .15, .2, .25, .3 and .35, the value that flags the fewest real people while it finds 90 % of random clickers, on 20
drawn panels of 12 people and 20 panels of 20 people of OASIS. Other panels measure it (`benchmarks/`).
"""
LEAST_GOLD = 0.8
"""Flagged when the whole interval of the share of correct gold answers is below this."""
MOST_SKIPPED = 0.3
FEWEST_SEEN = 20
WATCH_MARGIN = 0.1
"""Flagged when the whole interval of watch agreement is this much below the group's median."""
FAST_PART, FAST_MOST = 1 / 3, 1.0
"""A fast answer takes less than this part of the group's median time, and less than this many seconds."""
DRIFT_PART = 0.08
"""Drift is flagged when its interval is beyond this part of the length of the scale, over the whole time seen."""
_MOST_NEEDED = 1000  # where a larger number of answers would be needed, the number says nothing


class Verdict(StrEnum):
    """What a rule, or all rules together, say about an annotator."""

    FLAGGED = "flagged"
    FINE = "fine"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """Return the verdict in words."""
        return {"flagged": "check", "fine": "fine", "unknown": "not enough answers to tell"}[self.value]


@dataclass(frozen=True)
class Finding:
    """The verdict of one rule about one annotator."""

    rule: str
    verdict: Verdict
    evidence: str
    """One sentence without a full stop, with n."""
    needed: int | None = None
    """With 'not enough answers to tell': about how many answers are needed in all; None when this is unknown."""


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """Return 'flagged' if a rule flags, 'fine' if the scores or the watch labels agree with the others, else 'unknown'.

    The other rules cannot say that an annotator is fine: a random clicker can be slow, steady and rested.
    """
    if any(one.verdict == Verdict.FLAGGED for one in findings):
        return Verdict.FLAGGED
    if any(one.verdict == Verdict.FINE and one.rule in (SCORES, WATCH) for one in findings):
        return Verdict.FINE
    return Verdict.UNKNOWN


SCORES, WATCH, SPEED = "scores", "watch labels", "speed"
SAME, GOLD, REPEATS, SKIPS = "same score", "gold photos", "repeats", "skips"
SESSION_DRIFT, WEEKS_DRIFT, BT500 = "drift in a session", "drift over weeks", "BT.500"


def group_median(values: Sequence[float], counts: Sequence[int]) -> float:
    """Return the median of the annotators with at least `FEWEST` answers; NaN with fewer than three of them."""
    known = [value for value, n in zip(values, counts, strict=True) if n >= FEWEST and not np.isnan(value)]
    return float(np.median(known)) if len(known) > 2 else float("nan")


def scores_finding(correlation: Interval, median: float, information: float) -> Finding:
    """Judge Spearman's correlation of own scores with the others' means; `median` is the group's.

    `information`: how much a vote of the annotator says, as a part of what a typical vote says, by the panel model.
    Flagged when the interval lies below 0; or when it includes 0, its upper end is below the median, and the
    information is below `LEAST_INFORMATION`. Fine when the interval lies above 0. Otherwise nobody can tell.
    """
    n, value = correlation.n, correlation.value
    shown = minus(f"{value:.2f} ({correlation.low:.2f} to {correlation.high:.2f})")
    group = f"group: {median:.2f}, n = {n}"
    if n < 4 or np.isnan(value):
        why = f"{_counted(n, 'photo')} that others rated too" if n < 4 else f"no two different scores, n = {n}"
        return Finding(SCORES, Verdict.UNKNOWN, why, _answers_needed(0.0, median, n))
    if correlation.low > 0:
        return Finding(SCORES, Verdict.FINE, f"scores rank the photos like the others' scores: {shown}, {group}")
    says = f"a vote says {_percent(information)} of what a typical vote says"
    if correlation.high < 0 and correlation.high < median:
        evidence = f"scores rank the photos opposite to the others' scores: rank correlation {shown}, {group}"
        return Finding(SCORES, Verdict.FLAGGED, evidence)
    if correlation.high < median:
        if information >= LEAST_INFORMATION:
            return Finding(SCORES, Verdict.UNKNOWN, f"rank correlation {shown}, {group}, but {says}")
        evidence = "scores rank the photos no better than chance against the others' scores: rank correlation "
        return Finding(SCORES, Verdict.FLAGGED, f"{evidence}{shown}, {group}; {says}")
    return Finding(SCORES, Verdict.UNKNOWN, f"rank correlation {shown}, {group}", _answers_needed(value, median, n))


def _answers_needed(value: float, median: float, n: int) -> int | None:
    """Return about how many answers make the interval leave 0 or the median, if the correlation stays as it is."""
    if np.isnan(median) or median <= 0:
        return None
    for count in range(max(n + 1, FEWEST), _MOST_NEEDED):
        interval = rank_interval(value, count)
        if interval.low > 0 or interval.high < median:
            return count
    return None


def watch_finding(agreement: WatchAgreement, median: float) -> Finding:
    """Judge the watch labels against the majority of the others; `median` is the group's share of equal labels.

    Flagged when Wilson's interval lies below the median and includes the agreement by chance (Cohen's kappa 0), or when
    all of it lies `WATCH_MARGIN` below the median. Fine when it lies above chance. In a campaign with few watches,
    chance agreement is high, and the rule needs many answers.
    """
    if agreement.n < FEWEST:
        return Finding(WATCH, Verdict.UNKNOWN, f"{_counted(agreement.n, 'photo')} that others labelled too", FEWEST)
    share = wilson_interval(agreement.hits, agreement.n)
    shown = (
        f"{_percent(share.value)} ({_percent(share.low)} to {_percent(share.high)}) equal the others' majority, "
        f"by chance {_percent(agreement.chance)}, group {_percent(median)}, n = {share.n}"
    )
    if share.high < median - WATCH_MARGIN or (share.high < median and share.low <= agreement.chance):
        return Finding(WATCH, Verdict.FLAGGED, f"watch labels differ from the others': {shown}")
    if share.low > agreement.chance:
        return Finding(WATCH, Verdict.FINE, f"watch labels: {shown}")
    return Finding(WATCH, Verdict.UNKNOWN, f"watch labels: {shown}", _labels_needed(share.value, agreement.chance))


def _labels_needed(share: float, chance: float) -> int | None:
    """Return about how many labels separate the share from chance; None for equal ones or very many."""
    if share <= chance:
        return None
    count = ceil(1.96**2 * chance * (1 - chance) / (share - chance) ** 2) + 4
    return count if count < _MOST_NEEDED else None


def speed_limit(group_seconds: float) -> float:
    """Return the time, in seconds, below which an answer is fast, from the group's median time; NaN without one."""
    return min(FAST_PART * group_seconds, FAST_MOST)


def speed_finding(median_seconds: float, fast: int, n: int, group_seconds: float) -> Finding:
    """Judge the time from showing a photo to the answer. Flagged when more than half of the answers are fast.

    `fast` of n answers took less than `speed_limit(group_seconds)`. The whole interval of their share must lie above
    a half, from `FEWEST_TIMES` answers on.
    """
    if n < FEWEST_TIMES or np.isnan(group_seconds):
        return Finding(SPEED, Verdict.UNKNOWN, f"{_counted(n, 'answer')} with a time", FEWEST_TIMES)
    share = wilson_interval(fast, n)
    shown = f"median {median_seconds:.1f} s, group {group_seconds:.1f} s, n = {n}"
    if share.low > 0.5:
        limit = speed_limit(group_seconds)
        return Finding(
            SPEED, Verdict.FLAGGED, f"{_percent(share.value)} of the answers take less than {limit:.1f} s: {shown}"
        )
    return Finding(SPEED, Verdict.FINE, shown)


def same_score_finding(spread: ScoreSpread | None, n: int) -> Finding:
    """Judge the variance of the latest scores (`attention.score_spread`); `n` is their number."""
    if spread is None:
        return Finding(SAME, Verdict.UNKNOWN, _counted(n, "score"), STRAIGHT_LINE_FEWEST)
    shown = f"variance {spread.variance:.2f}, limit {spread.limit:.2f}, n = {spread.n}"
    if spread.is_straight:
        return Finding(SAME, Verdict.FLAGGED, f"the last {spread.n} scores are nearly the same: {shown}")
    return Finding(SAME, Verdict.FINE, shown)


def gold_finding(gold: Interval | None) -> Finding:
    """Judge the share of correct answers to gold photos (`attention.gold_hits`)."""
    if gold is None or gold.n < FEWEST_GOLD:
        return Finding(GOLD, Verdict.UNKNOWN, _counted(gold.n if gold else 0, "gold photo"), FEWEST_GOLD)
    correct = f"{round(gold.value * gold.n)} of {gold.n} gold photos correct"
    if gold.high < LEAST_GOLD:
        return Finding(GOLD, Verdict.FLAGGED, f"only {correct}")
    return Finding(GOLD, Verdict.FINE, correct)


def repeats_finding(repeats: SelfAgreement | None, loosest: float) -> Finding:
    """Judge self-agreement; `loosest` is the repeatability, in points, of answers of two different people."""
    if repeats is None or repeats.n < FEWEST_SHOWN:
        return Finding(REPEATS, Verdict.UNKNOWN, _counted(repeats.n if repeats else 0, "repeated photo"), FEWEST_SHOWN)
    shown = f"typical difference {repeats.rmse.value:.1f} points, n = {repeats.n}"
    if repeats.repeatability.low > loosest:
        return Finding(REPEATS, Verdict.FLAGGED, f"rates repeated photos differently: {shown}")
    return Finding(REPEATS, Verdict.FINE, shown)


def skips_finding(skips: int, seen: int) -> Finding:
    """Judge the share of skips among the latest `seen` answers and skips."""
    if seen < FEWEST_SEEN:
        return Finding(SKIPS, Verdict.UNKNOWN, _counted(seen, "photo"), FEWEST_SEEN)
    flagged = skips / seen > MOST_SKIPPED
    return Finding(SKIPS, Verdict.FLAGGED if flagged else Verdict.FINE, f"skipped {skips} of the last {seen} photos")


def drift_finding(rule: str, slope: Interval, span: float, scale_length: int, unit: str) -> Finding:
    """Judge the slope of the difference from the others, in points per `unit`, over `span` units.

    Flagged when the whole interval of the drift over the span is beyond `DRIFT_PART` of the scale.
    """
    if slope.n < FEWEST_DRIFT or np.isnan(slope.value) or span <= 0:
        return Finding(rule, Verdict.UNKNOWN, _counted(slope.n, "answer"), FEWEST_DRIFT)
    low, high = signed(slope.low), signed(slope.high)
    shown = f"{signed(slope.value)} points per {unit} ({low} to {high}), n = {slope.n}"
    least = min(abs(slope.low), abs(slope.high)) * span if slope.low * slope.high > 0 else 0.0
    if least > DRIFT_PART * scale_length:
        way = "higher" if slope.value > 0 else "lower"
        return Finding(rule, Verdict.FLAGGED, f"scores become {way}, compared with the others: {shown}")
    return Finding(rule, Verdict.FINE, shown)


def bt500_finding(counts: Bt500Counts) -> Finding:
    """Judge as ITU-R BT.500 does: many scores far from the panel's, on both sides."""
    if counts.n < FEWEST_BT500:
        return Finding(BT500, Verdict.UNKNOWN, f"{_counted(counts.n, 'photo')} with four votes", FEWEST_BT500)
    shown = f"{counts.above} scores far above and {counts.below} far below the panel's, n = {counts.n}"
    return Finding(BT500, Verdict.FLAGGED if counts.is_rejected else Verdict.FINE, shown)


def _percent(share: float) -> str:
    return "unknown" if np.isnan(share) else f"{100 * share:.0f} %"


def _counted(n: int, thing: str) -> str:
    return f"{n} {thing}{'' if n == 1 else 's'}"

"""Rules that find annotators whose answers a reviewer should look at. Each gives a verdict with its evidence.

A rule says 'fine', 'flagged', or 'not enough answers to tell'. A flag is a reason to look, not proof. The rules compare
an annotator with the group, so they need no limit that fits every campaign: people agree less about beauty than about
blur. A rule with an interval says 'fine' only where the whole interval lies on the good side of its limit: 4 of 5
correct gold photos are no reason to flag, and no proof of care either.

The rule for scores needs two reasons: a rank correlation that may be 0, and votes that say little by the panel model.
In a small panel, the others' means are noisy, and the first reason alone flags too many people. The numbers are in
docs/reference/consensus.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

import numpy as np

from annotation.language import gettext, gettext_noop
from annotation.measures.group_shares import percents, trials_needed
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
        return gettext(
            {
                "flagged": gettext_noop("check"),
                "fine": gettext_noop("fine"),
                "unknown": gettext_noop("not enough answers to tell"),
            }[self.value]
        )


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


# The names of the rules. The page translates them.
SCORES, WATCH, SPEED = gettext_noop("scores"), gettext_noop("watch labels"), gettext_noop("speed")
SAME, GOLD = gettext_noop("same score"), gettext_noop("gold photos")
REPEATS, SKIPS = gettext_noop("repeats"), gettext_noop("skips")
SESSION_DRIFT, WEEKS_DRIFT, BT500 = gettext_noop("drift in a session"), gettext_noop("drift over weeks"), "BT.500"


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
    shown = minus(f"{value:.2f} ({correlation.low:.2f}–{correlation.high:.2f})")
    shown += ", " + gettext("group: %(median)s, n = %(n)s") % {"median": f"{median:.2f}", "n": n}
    if n < 4 or np.isnan(value):
        rated = gettext("%(photos)s that others rated too") % {"photos": _photos(n)}
        why = rated if n < 4 else gettext("no two different scores, n = %(n)s") % {"n": n}
        return Finding(SCORES, Verdict.UNKNOWN, why, _answers_needed(0.0, median, n))
    if correlation.low > 0:
        evidence = gettext("scores rank the photos like the others' scores: %(shown)s") % {"shown": shown}
        return Finding(SCORES, Verdict.FINE, evidence)
    correlated = gettext("rank correlation %(shown)s") % {"shown": shown}
    says = gettext("a vote says %(share)s of what a typical vote says") % {"share": _percent(information)}
    if correlation.high < 0 and correlation.high < median:
        opposite = gettext("scores rank the photos opposite to the others' scores")
        return Finding(SCORES, Verdict.FLAGGED, f"{opposite}: {correlated}")
    if correlation.high < median:
        if information >= LEAST_INFORMATION:
            but = gettext("%(correlated)s, but %(says)s") % {"correlated": correlated, "says": says}
            return Finding(SCORES, Verdict.UNKNOWN, but)
        chance = gettext("scores rank the photos no better than chance against the others' scores")
        return Finding(SCORES, Verdict.FLAGGED, f"{chance}: {correlated}; {says}")
    return Finding(SCORES, Verdict.UNKNOWN, correlated, _answers_needed(value, median, n))


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
        labelled = gettext("%(photos)s that others labelled too") % {"photos": _photos(agreement.n)}
        return Finding(WATCH, Verdict.UNKNOWN, labelled, FEWEST)
    share = wilson_interval(agreement.hits, agreement.n)
    shown = gettext(
        "%(share)s (%(low)s–%(high)s) equal the others' majority, by chance %(chance)s, group %(group)s, n = %(n)s"
    ) % {
        "share": _percent(share.value),
        "low": percents([share.low])[0],
        "high": _percent(share.high),
        "chance": _percent(agreement.chance),
        "group": _percent(median),
        "n": share.n,
    }
    if share.high < median - WATCH_MARGIN or (share.high < median and share.low <= agreement.chance):
        return Finding(
            WATCH, Verdict.FLAGGED, gettext("watch labels differ from the others': %(shown)s") % {"shown": shown}
        )
    if share.low > agreement.chance:
        return Finding(WATCH, Verdict.FINE, shown)
    is_above = share.value > agreement.chance  # else more labels do not show that they are better than chance
    return Finding(WATCH, Verdict.UNKNOWN, shown, _needed(share.value, agreement.chance) if is_above else None)


def _needed(share: float, limit: float) -> int | None:
    """Return about how many answers separate the share from the limit, if it stays as it is; None for very many."""
    count = trials_needed(share, limit)
    return ceil(count) if count < _MOST_NEEDED else None


def speed_limit(group_seconds: float) -> float:
    """Return the time, in seconds, below which an answer is fast, from the group's median time; NaN without one."""
    return min(FAST_PART * group_seconds, FAST_MOST)


def speed_finding(median_seconds: float, fast: int, n: int, group_seconds: float) -> Finding:
    """Judge the time from showing a photo to the answer. Flagged when more than half of the answers are fast.

    `fast` of n answers took less than `speed_limit(group_seconds)`. The whole interval of their share must lie above
    a half, from `FEWEST_TIMES` answers on. Fine when it lies below a half.
    """
    if n < FEWEST_TIMES or np.isnan(group_seconds):
        return Finding(
            SPEED, Verdict.UNKNOWN, gettext("%(answers)s with a time") % {"answers": _answers(n)}, FEWEST_TIMES
        )
    share = wilson_interval(fast, n)
    shown = gettext("median %(own)s s, group %(group)s s, n = %(n)s") % {
        "own": f"{median_seconds:.1f}",
        "group": f"{group_seconds:.1f}",
        "n": n,
    }
    if share.low > 0.5:
        evidence = gettext("%(share)s of the answers take less than %(limit)s s: %(shown)s") % {
            "share": _percent(share.value),
            "limit": f"{speed_limit(group_seconds):.1f}",
            "shown": shown,
        }
        return Finding(SPEED, Verdict.FLAGGED, evidence)
    if share.high < 0.5:
        return Finding(SPEED, Verdict.FINE, shown)
    return Finding(SPEED, Verdict.UNKNOWN, shown, _needed(share.value, 0.5))


def same_score_finding(spread: ScoreSpread | None, n: int) -> Finding:
    """Judge the variance of the latest scores (`attention.score_spread`); `n` is their number."""
    if spread is None:
        return Finding(
            SAME, Verdict.UNKNOWN, _counted(n, gettext("%(n)s score"), gettext("%(n)s scores")), STRAIGHT_LINE_FEWEST
        )
    shown = gettext("variance %(variance)s, limit %(limit)s, n = %(n)s") % {
        "variance": f"{spread.variance:.2f}",
        "limit": f"{spread.limit:.2f}",
        "n": spread.n,
    }
    if spread.is_straight:
        evidence = gettext("the last %(n)s scores are nearly the same: %(shown)s") % {"n": spread.n, "shown": shown}
        return Finding(SAME, Verdict.FLAGGED, evidence)
    return Finding(SAME, Verdict.FINE, shown)


def gold_finding(gold: Interval | None) -> Finding:
    """Judge the share of correct answers to gold photos (`attention.gold_hits`).

    Flagged when its whole interval lies below `LEAST_GOLD`, fine when it lies at it or above.
    """
    if gold is None or gold.n < FEWEST_GOLD:
        answered = _counted(gold.n if gold else 0, gettext("%(n)s gold photo"), gettext("%(n)s gold photos"))
        return Finding(GOLD, Verdict.UNKNOWN, answered, FEWEST_GOLD)
    hits = {"hits": round(gold.value * gold.n), "n": gold.n}
    if gold.high < LEAST_GOLD:
        return Finding(GOLD, Verdict.FLAGGED, gettext("only %(hits)s of %(n)s gold photos correct") % hits)
    shown = gettext("%(hits)s of %(n)s gold photos correct") % hits
    if gold.low >= LEAST_GOLD:
        return Finding(GOLD, Verdict.FINE, shown)
    return Finding(GOLD, Verdict.UNKNOWN, shown, _needed(gold.value, LEAST_GOLD))


def repeats_finding(repeats: SelfAgreement | None, loosest: float) -> Finding:
    """Judge self-agreement; `loosest` is the repeatability, in points, of answers of two different people.

    Flagged when the whole interval of the own repeatability lies above that, fine when it lies below.
    """
    if repeats is None or repeats.n < FEWEST_SHOWN:
        n = repeats.n if repeats else 0
        repeated = _counted(n, gettext("%(n)s repeated photo"), gettext("%(n)s repeated photos"))
        return Finding(REPEATS, Verdict.UNKNOWN, repeated, FEWEST_SHOWN)
    shown = gettext("typical difference %(points)s points, n = %(n)s") % {
        "points": f"{repeats.rmse.value:.1f}",
        "n": repeats.n,
    }
    if repeats.repeatability.low > loosest:
        return Finding(
            REPEATS, Verdict.FLAGGED, gettext("rates repeated photos differently: %(shown)s") % {"shown": shown}
        )
    return Finding(REPEATS, Verdict.FINE if repeats.repeatability.high < loosest else Verdict.UNKNOWN, shown)


def skips_finding(skips: int, seen: int) -> Finding:
    """Judge the share of skips among the latest `seen` answers and skips."""
    if seen < FEWEST_SEEN:
        return Finding(SKIPS, Verdict.UNKNOWN, _photos(seen), FEWEST_SEEN)
    flagged = skips / seen > MOST_SKIPPED
    evidence = gettext("skipped %(skips)s of the last %(seen)s photos") % {"skips": skips, "seen": seen}
    return Finding(SKIPS, Verdict.FLAGGED if flagged else Verdict.FINE, evidence)


def drift_finding(rule: str, slope: Interval, span: float, scale_length: int, unit: str) -> Finding:
    """Judge the slope of the difference from the others, in points per `unit`, over `span` units.

    Flagged when the whole interval of the drift over the span is beyond `DRIFT_PART` of the scale, fine when it is
    within that on both sides.
    """
    if slope.n < FEWEST_DRIFT or np.isnan(slope.value) or span <= 0:
        return Finding(rule, Verdict.UNKNOWN, _answers(slope.n), FEWEST_DRIFT)
    shown = gettext("%(points)s points per %(unit)s (%(low)s to %(high)s), n = %(n)s") % {
        "points": signed(slope.value),
        "unit": unit,
        "low": signed(slope.low),
        "high": signed(slope.high),
        "n": slope.n,
    }
    limit = DRIFT_PART * scale_length
    least = min(abs(slope.low), abs(slope.high)) * span if slope.low * slope.high > 0 else 0.0
    if least > limit:
        higher = gettext("scores become higher, compared with the others: %(shown)s")
        lower = gettext("scores become lower, compared with the others: %(shown)s")
        return Finding(rule, Verdict.FLAGGED, (higher if slope.value > 0 else lower) % {"shown": shown})
    is_small = max(abs(slope.low), abs(slope.high)) * span <= limit
    return Finding(rule, Verdict.FINE if is_small else Verdict.UNKNOWN, shown)


def bt500_finding(counts: Bt500Counts) -> Finding:
    """Judge as ITU-R BT.500 does: many scores far from the panel's, on both sides."""
    if counts.n < FEWEST_BT500:
        return Finding(
            BT500, Verdict.UNKNOWN, gettext("%(photos)s with four votes") % {"photos": _photos(counts.n)}, FEWEST_BT500
        )
    shown = gettext("%(above)s scores far above and %(below)s far below the panel's, n = %(n)s") % {
        "above": counts.above,
        "below": counts.below,
        "n": counts.n,
    }
    return Finding(BT500, Verdict.FLAGGED if counts.is_rejected else Verdict.FINE, shown)


def _percent(share: float) -> str:
    return gettext("unknown") if np.isnan(share) else f"{percents([share])[0]} %"


def _counted(n: int, one: str, several: str) -> str:
    return (one if n == 1 else several) % {"n": n}


def _photos(n: int) -> str:
    return _counted(n, gettext("%(n)s photo"), gettext("%(n)s photos"))


def _answers(n: int) -> str:
    return _counted(n, gettext("%(n)s answer"), gettext("%(n)s answers"))

"""The promotion rule: when a challenger replaces the champion.

A campaign chooses the rule: better in one metric and not worse in the others, or not worse in any. The metrics are
`GUARDED`: RPS, SRCC and watch F1 at the deployed threshold.

* RPS is what 'better' means unless the campaign chooses another metric. It is a proper score: it improves with better
  ranks, with less bias and with honest distributions, and it saw a true gain of .06 SRCC more often than SRCC did.
* Only one metric must be better. Two would give chance two opportunities.
* The test is Student's t of the gain over its bootstrap standard error, with one degree of freedom less than groups, at
  the level of this look at the holdout (`training.evaluation.looks`).
* Two models that decide alike on all watches of a holdout have no difference in any resample of it. The error of F1
  then comes from what could not be seen: `least_error` of the metric.
* 'Not worse' allows a loss up to the margin δ, measured on the holdout. In the rule 'not worse in any', all losses
  above δ must be excluded by the same test.

Sources: Walker & Nowacki (2011), 'Understanding equivalence and noninferiority testing', for the second rule; Cohen
(1988), 'Statistical power analysis', for the gain that is seen with a power of 80 %.

Pages, commands and docs describe the rule with `description`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, hypot, inf, sqrt
from typing import Any

from training.evaluation.looks import FIRST, LOOKS, Look
from training.evaluation.measured import MeasuredMetric, measured
from training.evaluation.registry import METRICS

Stored = Mapping[str, Mapping[str, Any]]

# With fewer groups the interval depends more on which photos are in the holdout than on the models.
HOLDOUT_FOR_PROMOTION = 20
POWER = 0.8
RPS, SRCC, F1 = METRICS["quality_rps"], METRICS["quality_srcc"], METRICS["watch_f1"]
GUARDED = (RPS, SRCC, F1)
#: Gains that a holdout should see: of SRCC and F1 as they are, of RPS as a share of the champion's. On simulated panels
#: a gain of .06 SRCC is a gain of 1.6 % in RPS.
WANTED = {RPS.name: (0.01, 0.02), SRCC.name: (0.03, 0.06), F1.name: (0.03, 0.06)}


class Decision(StrEnum):
    """What the rule says about a challenger."""

    PROMOTE = "promote"
    REFUSE = "refuse"
    NO_BETTER = "no better"
    CANNOT_TELL = "cannot tell"

    @property
    def words(self) -> str:
        """Return the decision as a sentence begins: 'Promote', 'Refuse', 'No better' or 'Cannot tell'."""
        return self.value.capitalize()


@dataclass(frozen=True)
class Rule:
    """The rule of a campaign."""

    better: str = RPS.name
    """Name of the metric that must be better; '' for 'not worse in any'."""
    margin: float = 0.01
    """δ, the loss that is allowed: of SRCC and F1 as it is, of RPS as a share of the champion's; 0 or more."""

    @property
    def description(self) -> str:
        """Return the rule in words."""
        return description(self)


@dataclass(frozen=True)
class Problem:
    """A reason why the figures of an evaluation cannot be used as they are (`training.evaluation.faults`)."""

    decision: Decision
    text: str


@dataclass(frozen=True)
class Verdict:
    """What the rule says about a challenger, and why."""

    decision: Decision
    reason: str
    smallest: float | None = None
    """The smallest gain that this holdout shows with a probability of 80 %, as in `WANTED`; None if it is unknown."""
    needed: Mapping[float, int] = field(default_factory=dict)
    """How many groups of photos the holdout needs for each wanted gain."""

    @property
    def promote(self) -> bool:
        """Return whether the challenger passes."""
        return self.decision is Decision.PROMOTE

    @property
    def text(self) -> str:
        """Return the decision with its reason."""
        return f"{self.decision.words}: {self.reason}"


def description(rule: Rule) -> str:
    """Return a rule in words."""
    names = [metric.label for metric in GUARDED]
    margin = f"{rule.margin:g} (of {RPS.label}: {100 * rule.margin:g} % of the champion's)"
    last = (
        f"At least {HOLDOUT_FOR_PROMOTION} groups of holdout photos must have votes; near-duplicates are one group. "
        f"Further looks at the same holdout need a clearer result, and after {LOOKS} looks it is used up."
    )
    if not rule.better:
        return (
            f"A challenger passes the promotion rule when none of {_listed(names)} is worse than the champion's by "
            f"more than {margin}: the interval of the paired difference excludes such a loss. {last}"
        )
    others = [name for name in names if name != METRICS[rule.better].label]
    return (
        f"A challenger passes the promotion rule when its {METRICS[rule.better].label} is better than the champion's, "
        "both measured on the same holdout photos: the interval of the paired difference, 95 % at the first look, "
        f"excludes zero. Its {_listed(others)} may not be measured worse by more than {margin}. {last}"
    )


def promotion_verdict(
    differences: Stored,
    *,
    metrics: Stored | None = None,
    rule: Rule | None = None,
    look: Look = FIRST,
    problems: Sequence[Problem] = (),
) -> Verdict:
    """Apply a rule to the `differences` and the challenger's `metrics` of an evaluation against the champion.

    Without `metrics`, margins and gains of RPS are in scores. `problems` come before all figures.
    """
    rule = rule or Rule()
    for problem in problems:
        return Verdict(problem.decision, problem.text)
    gains = {gain.name: gain for gain in _gains(differences, metrics or {})}
    first = gains.get(rule.better or RPS.name)
    if first is None:
        name = METRICS[rule.better or RPS.name].label
        return Verdict(Decision.CANNOT_TELL, f"The holdout has too few votes to compare the {name} of the two models.")
    if first.groups < HOLDOUT_FOR_PROMOTION:
        return Verdict(
            Decision.CANNOT_TELL,
            f"Only {first.found.count_text} of the holdout {'has' if first.found.n == 1 else 'have'} votes; the rule "
            f"requires {HOLDOUT_FOR_PROMOTION} groups.",
        )
    return _better(first, gains, rule, look) if rule.better else _not_worse(gains, rule, look)


class _Gain:
    """The gain of a challenger in a metric: above 0 is better. RPS counts as a share of the champion's."""

    def __init__(self, found: MeasuredMetric, value: float, low: float, high: float, unit: float) -> None:
        from scipy.special import stdtrit

        sign = 1.0 if found.metric.higher_is_better else -1.0
        self.found, self.name, self.unit = found, found.metric.name, unit
        self.groups = found.n if found.groups is None else found.groups
        self.value = sign * value / unit
        self.degrees = max(self.groups - 1, 1)
        # Evaluations from before the standard error was stored have only the ends of their interval.
        self._sampled = (found.error if found.error is not None else (high - low) / (2 * 1.96)) / unit
        self._unseen = (found.least_error or 0.0) / unit
        self.error = hypot(self._sampled, self._unseen)
        self.is_worse = self.value + float(stdtrit(self.degrees, 0.975)) * self.error < 0

    def critical(self, level: float) -> float:
        """Return the quantile of Student's t that a one-sided test at this level needs."""
        from scipy.special import stdtrit

        return float(stdtrit(self.degrees, 1 - level))

    def smallest(self, level: float) -> float:
        """Return the smallest gain that the test sees with a probability of 80 %."""
        from scipy.special import stdtrit

        return (self.critical(level) + float(stdtrit(self.degrees, POWER))) * self.error

    def needed(self, gain: float, level: float) -> int:
        """Return how many groups see this gain with a probability of 80 %; at least those of the rule.

        The error of resamples falls with √groups, that of what no photo has shown with their number.
        """
        wanted, sampled, unseen = (self.error * gain / self.smallest(level)) ** 2, self._sampled**2, self._unseen**2
        times = 2 * unseen / (sqrt(sampled**2 + 4 * unseen * wanted) - sampled) if unseen > 0 else sampled / wanted
        return max(ceil(self.groups * times), HOLDOUT_FOR_PROMOTION)

    @property
    def text(self) -> str:
        """Return for example 'Quality RPS −0.041 (−0.060 … −0.022, 200 photos in 67 groups)'."""
        found = self.found
        return f"{found.metric.label} {found.signed} ({found.signed_interval}, {found.count_text})"

    def amount(self, gain: float) -> str:
        """Return a gain in words, for example '.06 in Quality SRCC', or '1.5 % in Quality RPS'."""
        number = f"{100 * gain:.2g} %" if self.unit != 1 else f"{gain:.2g}"
        return f"{number} in {self.found.metric.label}"


def _gains(differences: Stored, metrics: Stored) -> Iterator[_Gain]:
    """Yield the gains in the guarded metrics that could be compared."""
    for found in measured(differences):
        if found.metric not in GUARDED or found.value is None or found.low is None or found.high is None:
            continue
        own = metrics.get(found.metric.name, {}).get("value")
        champion = own - found.value if found.metric is RPS and own is not None else 1.0
        yield _Gain(found, found.value, found.low, found.high, champion if champion > 0 else 1.0)


_USED_UP = f"The holdout is used up: {LOOKS} challengers were compared with this champion on it. It needs fresh photos."


def _better(first: _Gain, gains: Mapping[str, _Gain], rule: Rule, look: Look) -> Verdict:
    smallest, needed = first.smallest(look.level), _needed(first, look)
    power: dict[str, Any] = {} if look.is_used_up else {"smallest": smallest, "needed": needed}
    others = [gain for gain in gains.values() if gain is not first]
    lost = [gain for gain in others if gain.value < -rule.margin]
    if first.is_worse:
        return Verdict(Decision.REFUSE, f"{first.text}: worse than the champion.", **power)
    if worse := [gain for gain in lost if gain.is_worse]:
        return Verdict(
            Decision.REFUSE, f"{_texts(worse)}: worse than the champion by more than {rule.margin:g}.", **power
        )
    if first.value - first.critical(look.level) * first.error > 0:
        if lost:
            reason = (
                f"{first.text} is better, but {_texts(lost)} is measured worse by more than {rule.margin:g}, and the "
                "holdout is too small to exclude chance."
            )
            return Verdict(Decision.CANNOT_TELL, reason, **power)
        kept = f" {_texts(others)}: not measured worse by more than {rule.margin:g}." if others else ""
        missing = [metric.label for metric in GUARDED if metric.name not in gains]
        unknown = f" {_listed(missing)} could not be compared." if missing else ""
        return Verdict(Decision.PROMOTE, f"{first.text}: better{look.text}.{kept}{unknown}", **power)
    if look.is_used_up:
        return Verdict(Decision.CANNOT_TELL, f"{first.text}. {_USED_UP}")
    most = first.value + first.critical(0.025) * first.error
    wanted = max(WANTED[first.name])
    if most < wanted:
        reason = f"{first.text}: not better{look.text}. A gain of {first.amount(wanted)} is excluded."
        return Verdict(Decision.NO_BETTER, reason, **power)
    reason = (
        f"{first.text}: a gain is not shown{look.text}, and a gain of {first.amount(wanted)} is not excluded. "
        f"{_power_text(first, smallest, needed)}"
    )
    return Verdict(Decision.CANNOT_TELL, reason, **power)


def _not_worse(gains: Mapping[str, _Gain], rule: Rule, look: Look) -> Verdict:
    if worse := [gain for gain in gains.values() if gain.is_worse and gain.value < -rule.margin]:
        return Verdict(Decision.REFUSE, f"{_texts(worse)}: worse than the champion by more than {rule.margin:g}.")
    if look.is_used_up:
        return Verdict(Decision.CANNOT_TELL, f"{_texts(list(gains.values()))}. {_USED_UP}")
    open_ = [
        gain for gain in gains.values() if gain.value - gain.critical(look.level) * gain.error <= -rule.margin
        and gain.error > 0
    ]  # fmt: skip
    missing = [metric.label for metric in GUARDED if metric.name not in gains]
    unknown = f" {_listed(missing)} could not be compared." if missing else ""
    if not open_:
        return Verdict(
            Decision.PROMOTE,
            f"{_texts(list(gains.values()))}: a loss of more than {rule.margin:g} is excluded{look.text}.{unknown}",
        )
    need = max(gain.needed(rule.margin, look.level) for gain in open_) if rule.margin else 0
    more = f" Equal models would need about {need:,} groups of holdout photos to show it." if need else ""
    return Verdict(
        Decision.CANNOT_TELL,
        f"{_texts(open_)}: a loss of more than {rule.margin:g} is not excluded{look.text}.{more}",
        smallest=max(gain.smallest(look.level) for gain in open_),
        needed={rule.margin: need} if need else {},
    )


def _needed(gain: _Gain, look: Look) -> dict[float, int]:
    if not gain.error or look.is_used_up:
        return {}
    return {wanted: gain.needed(wanted, look.level) for wanted in WANTED[gain.name]}


def _power_text(gain: _Gain, smallest: float, needed: Mapping[float, int]) -> str:
    """Return which gain the holdout could have seen, and the holdout that the wanted gains need."""
    if not 0 < smallest < inf:
        return ""
    holdouts = " and ".join(f"{groups:,} for {gain.amount(wanted)}" for wanted, groups in needed.items())
    return (
        f"The smallest gain that it would see with a probability of 80 % is {gain.amount(smallest)}. "
        f"A holdout needs about this many groups of photos: {holdouts}."
    )


def _texts(gains: Sequence[_Gain]) -> str:
    return _listed([gain.text for gain in gains])


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


DESCRIPTION = description(Rule())
"""The rule of a new campaign."""

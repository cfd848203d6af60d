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

from annotation.language import gettext, gettext_noop, ngettext
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
        return gettext(_DECISIONS[self])


_DECISIONS = {
    Decision.PROMOTE: gettext_noop("Promote"),
    Decision.REFUSE: gettext_noop("Refuse"),
    Decision.NO_BETTER: gettext_noop("No better"),
    Decision.CANNOT_TELL: gettext_noop("Cannot tell"),
}


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
    last = gettext(
        "At least %(groups)s groups of holdout photos must have votes; near-duplicates are one group. Further looks at "
        "the same holdout need a clearer result, and after %(looks)s looks it is used up."
    ) % {"groups": HOLDOUT_FOR_PROMOTION, "looks": LOOKS}
    values = {
        "margin": f"{rule.margin:g}",
        "rps": gettext(RPS.label),
        "percent": f"{100 * rule.margin:g}",
        "others": _listed([gettext(one.label) for one in GUARDED if one.name != rule.better]),
    }
    if not rule.better:
        words = gettext(
            "A challenger passes the promotion rule when none of %(others)s is worse than the champion's by more than "
            "%(margin)s (of %(rps)s: %(percent)s %% of the champion's): the interval of the paired difference excludes "
            "such a loss."
        )
    else:
        words = gettext(
            "A challenger passes the promotion rule when its %(better)s is better than the champion's, both measured "
            "on the same holdout photos: the interval of the paired difference, 95 %% at the first look, excludes "
            "zero. Its %(others)s may not be measured worse by more than %(margin)s (of %(rps)s: %(percent)s %% of the "
            "champion's)."
        )
        values["better"] = gettext(METRICS[rule.better].label)
    return f"{words % values} {last}"


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
        name = gettext(METRICS[rule.better or RPS.name].label)
        few = gettext("The holdout has too few votes to compare the %(metric)s of the two models.") % {"metric": name}
        return Verdict(Decision.CANNOT_TELL, few)
    if first.groups < HOLDOUT_FOR_PROMOTION:
        return Verdict(
            Decision.CANNOT_TELL,
            ngettext(
                "Only %(photos)s of the holdout has votes; the rule requires %(groups)s groups.",
                "Only %(photos)s of the holdout have votes; the rule requires %(groups)s groups.",
                first.found.n,
            )
            % {"photos": first.found.count_text, "groups": HOLDOUT_FOR_PROMOTION},
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
        return f"{gettext(found.metric.label)} {found.signed} ({found.signed_interval}, {found.count_text})"

    def amount(self, gain: float) -> str:
        """Return a gain in words, for example '.06 in Quality SRCC', or '1.5 % in Quality RPS'."""
        number = f"{100 * gain:.2g} %" if self.unit != 1 else f"{gain:.2g}"
        return gettext("%(number)s in %(metric)s") % {"number": number, "metric": gettext(self.found.metric.label)}


def _gains(differences: Stored, metrics: Stored) -> Iterator[_Gain]:
    """Yield the gains in the guarded metrics that could be compared."""
    for found in measured(differences):
        if found.metric not in GUARDED or found.value is None or found.low is None or found.high is None:
            continue
        own = metrics.get(found.metric.name, {}).get("value")
        champion = own - found.value if found.metric is RPS and own is not None else 1.0
        yield _Gain(found, found.value, found.low, found.high, champion if champion > 0 else 1.0)


def _used_up() -> str:
    return gettext(
        "The holdout is used up: %(looks)s challengers were compared with this champion on it. It needs fresh photos."
    ) % {"looks": LOOKS}


def _better(first: _Gain, gains: Mapping[str, _Gain], rule: Rule, look: Look) -> Verdict:
    smallest, needed = first.smallest(look.level), _needed(first, look)
    power: dict[str, Any] = {} if look.is_used_up else {"smallest": smallest, "needed": needed}
    others = [gain for gain in gains.values() if gain is not first]
    lost = [gain for gain in others if gain.value < -rule.margin]
    values = {"gain": first.text, "margin": f"{rule.margin:g}", "look": look.text}
    if first.is_worse:
        return Verdict(Decision.REFUSE, gettext("%(gain)s: worse than the champion.") % values, **power)
    if worse := [gain for gain in lost if gain.is_worse]:
        return Verdict(Decision.REFUSE, _worse(worse, rule), **power)
    if first.value - first.critical(look.level) * first.error > 0:
        if lost:
            reason = gettext(
                "%(gain)s is better, but %(lost)s is measured worse by more than %(margin)s, and the holdout is too "
                "small to exclude chance."
            ) % (values | {"lost": _texts(lost)})
            return Verdict(Decision.CANNOT_TELL, reason, **power)
        found = [gettext("%(gain)s: better%(look)s.") % values]
        if others:
            kept = gettext("%(gains)s: not measured worse by more than %(margin)s.")
            found.append(kept % (values | {"gains": _texts(others)}))
        return Verdict(Decision.PROMOTE, " ".join([*found, *_not_compared(gains)]), **power)
    if look.is_used_up:
        return Verdict(Decision.CANNOT_TELL, f"{first.text}. {_used_up()}")
    most = first.value + first.critical(0.025) * first.error
    values["wanted"] = first.amount(max(WANTED[first.name]))
    if most < max(WANTED[first.name]):
        reason = gettext("%(gain)s: not better%(look)s. A gain of %(wanted)s is excluded.") % values
        return Verdict(Decision.NO_BETTER, reason, **power)
    reason = gettext("%(gain)s: a gain is not shown%(look)s, and a gain of %(wanted)s is not excluded.") % values
    return Verdict(Decision.CANNOT_TELL, f"{reason} {_power_text(first, smallest, needed)}", **power)


def _not_worse(gains: Mapping[str, _Gain], rule: Rule, look: Look) -> Verdict:
    if worse := [gain for gain in gains.values() if gain.is_worse and gain.value < -rule.margin]:
        return Verdict(Decision.REFUSE, _worse(worse, rule))
    if look.is_used_up:
        return Verdict(Decision.CANNOT_TELL, f"{_texts(list(gains.values()))}. {_used_up()}")
    open_ = [
        gain for gain in gains.values() if gain.value - gain.critical(look.level) * gain.error <= -rule.margin
        and gain.error > 0
    ]  # fmt: skip
    values = {"gains": _texts(open_ or list(gains.values())), "margin": f"{rule.margin:g}", "look": look.text}
    if not open_:
        excluded = gettext("%(gains)s: a loss of more than %(margin)s is excluded%(look)s.") % values
        return Verdict(Decision.PROMOTE, " ".join([excluded, *_not_compared(gains)]))
    need = max(gain.needed(rule.margin, look.level) for gain in open_) if rule.margin else 0
    reason = gettext("%(gains)s: a loss of more than %(margin)s is not excluded%(look)s.") % values
    if need:
        more = gettext("Equal models would need about %(groups)s groups of holdout photos to show it.")
        reason += " " + more % {"groups": f"{need:,}"}
    return Verdict(
        Decision.CANNOT_TELL,
        reason,
        smallest=max(gain.smallest(look.level) for gain in open_),
        needed={rule.margin: need} if need else {},
    )


def _worse(gains: Sequence[_Gain], rule: Rule) -> str:
    return gettext("%(gains)s: worse than the champion by more than %(margin)s.") % {
        "gains": _texts(gains),
        "margin": f"{rule.margin:g}",
    }


def _not_compared(gains: Mapping[str, _Gain]) -> list[str]:
    """Return which guarded metrics are unknown, as a sentence; nothing if none is."""
    missing = [gettext(metric.label) for metric in GUARDED if metric.name not in gains]
    return [gettext("%(metrics)s could not be compared.") % {"metrics": _listed(missing)}] if missing else []


def _needed(gain: _Gain, look: Look) -> dict[float, int]:
    if not gain.error or look.is_used_up:
        return {}
    return {wanted: gain.needed(wanted, look.level) for wanted in WANTED[gain.name]}


def _power_text(gain: _Gain, smallest: float, needed: Mapping[float, int]) -> str:
    """Return which gain the holdout could have seen, and the holdout that the wanted gains need."""
    if not 0 < smallest < inf:
        return ""
    holdouts = [
        gettext("%(groups)s for %(wanted)s") % {"groups": f"{groups:,}", "wanted": gain.amount(wanted)}
        for wanted, groups in needed.items()
    ]
    return gettext(
        "The smallest gain that it would see with a probability of 80 %% is %(smallest)s. "
        "A holdout needs about this many groups of photos: %(holdouts)s."
    ) % {"smallest": gain.amount(smallest), "holdouts": _listed(holdouts)}


def _texts(gains: Sequence[_Gain]) -> str:
    return _listed([gain.text for gain in gains])


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return gettext("%(first)s and %(last)s") % {"first": ", ".join(names[:-1]), "last": names[-1]}

"""Metrics with their values and intervals, as an evaluation stores them, and as pages and commands print them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from annotation.language import gettext, gettext_noop, ngettext
from annotation.measures.agreement.worth import worth_text
from annotation.measures.signs import ends_shown, minus
from training.evaluation.registry import METRICS, Metric

_STORED = ("value", "low", "high", "groups", "error", "least_error", "ceiling")


@dataclass(frozen=True)
class MeasuredMetric:
    """A metric with its value and interval; `value` is None if it could not be computed."""

    metric: Metric
    value: float | None
    low: float | None
    high: float | None
    n: int
    groups: int | None
    """Number of groups of near-duplicates; None in evaluations that drew photos."""
    error: float | None
    """Standard error; None if it is unknown."""
    ceiling: float | None
    ceiling_interval: tuple[float, float] | None = None
    ceiling_form: str = ""
    """Name of the intraclass correlation; '' in evaluations that did not store it, which used ICC(1)."""
    least_error: float | None = None
    """Of a difference: the standard error of what the photos could not show; None in older evaluations."""
    worth: tuple[float, float, float] | None = None
    """How many annotators would correlate with the MOS as well, with the ends of the interval; 1,000 is everybody."""

    @property
    def ceiling_text(self) -> str:
        """Return the ceiling with its interval and form, for example '0.86 (0.82–0.89), ICC(C,1)'."""
        text = _text(self.ceiling, self.metric.digits)
        if self.ceiling_interval is not None:
            low, high = (_text(end, self.metric.digits) for end in self.ceiling_interval)
            text += f" ({ends_shown(low, high)})"
        return f"{text}, {self.ceiling_form or 'ICC(1)'}"

    @property
    def worth_text(self) -> str:
        """Return how many annotators the version is worth, for example '3.2 annotators (2.1–5.4)'; '' if unknown."""
        return worth_text(*self.worth) if self.worth else ""

    @property
    def count_text(self) -> str:
        """Return the number of photos, and of groups if it is known and differs, such as '200 photos in 67 groups'."""
        photos = ngettext("%(n)s photo", "%(n)s photos", self.n) % {"n": f"{self.n:,}"}
        if self.groups is None or self.groups == self.n:
            return photos
        return ngettext("%(photos)s in %(n)s group", "%(photos)s in %(n)s groups", self.groups) % {
            "photos": photos,
            "n": f"{self.groups:,}",
        }

    @property
    def text(self) -> str:
        """Return the value with the metric's number of digits, or a dash."""
        return _text(self.value, self.metric.digits)

    @property
    def signed(self) -> str:
        """Return the value with its sign, for differences."""
        return _text(self.value, self.metric.digits, sign=True)

    @property
    def interval(self) -> str:
        """Return the interval, or '' if there is none."""
        digits = self.metric.digits
        return ends_shown(_text(self.low, digits), _text(self.high, digits)) if self.known else ""

    @property
    def signed_interval(self) -> str:
        """Return the interval with signs, for differences."""
        digits = self.metric.digits
        return ends_shown(_text(self.low, digits, sign=True), _text(self.high, digits, sign=True)) if self.known else ""

    @property
    def known(self) -> bool:
        """Return whether it could be computed."""
        return self.value is not None

    @property
    def verdict(self) -> str:
        """Return 'better', 'worse', 'no clear difference' (the interval contains zero) or 'unknown'."""
        if self.low is None or self.high is None:
            return gettext_noop("unknown")
        if self.low <= 0 <= self.high:
            return gettext_noop("no clear difference")
        return gettext_noop("better") if (self.low > 0) == self.metric.higher_is_better else gettext_noop("worse")

    @property
    def verdict_words(self) -> str:
        """Return the verdict in the language of the reader."""
        return gettext(self.verdict)


def measured(stored: Mapping[str, Mapping[str, Any]]) -> Iterator[MeasuredMetric]:
    """Yield the metrics stored in an evaluation's `metrics` or `differences`, in the order of METRICS."""
    for name, metric in METRICS.items():
        if name in stored:
            yield measured_as(metric, stored[name])


def measured_as(metric: Metric, entry: Mapping[str, Any]) -> MeasuredMetric:
    """Return a metric with the value that is stored in the form of an evaluation."""
    interval, worth = entry.get("ceiling_interval"), entry.get("worth")
    values: dict[str, Any] = {name: entry.get(name) for name in _STORED}
    return MeasuredMetric(
        metric,
        n=int(entry["n"]),
        **values,
        ceiling_interval=None if interval is None else (interval[0], interval[1]),
        ceiling_form=entry.get("ceiling_form", ""),
        worth=None if worth is None else (worth[0], worth[1], worth[2]),
    )


def measured_pairs(
    metrics: Mapping[str, Mapping[str, Any]], differences: Mapping[str, Mapping[str, Any]]
) -> list[tuple[MeasuredMetric, MeasuredMetric | None]]:
    """Return each metric of an evaluation with its difference from the champion, or None if there is none."""
    difference_of = {one.metric.name: one for one in measured(differences)}
    return [(one, difference_of.get(one.metric.name)) for one in measured(metrics)]


def _text(number: float | None, digits: int, *, sign: bool = False) -> str:
    if number is None:
        return "–"
    return minus(f"{number:{'+' if sign else ''}.{digits}f}")

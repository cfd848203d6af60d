"""Two model versions on the same holdout photos: their figures, the differences, and what follows, in words. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.language import gettext, gettext_noop
from annotation.measures.signs import minus
from training.evaluation.measured import MeasuredMetric, measured_as
from training.evaluation.promotion_rule import HOLDOUT_FOR_PROMOTION
from training.evaluation.registry import METRICS, Column, Metric, Predictions, ScaleAndThresholds, Votes


def _distance(predictions: Predictions, histograms: Column, scale: ScaleAndThresholds) -> Column:
    counts = np.asarray(histograms, dtype=np.float64)
    scores = scale.lowest + np.arange(counts.shape[-1])
    distances: Column = np.abs(predictions.quality_mean - counts @ scores / counts.sum(axis=-1))
    return distances


def _mean(distances: Column) -> Column:
    mean: Column = distances.mean(axis=-1)
    return mean


_MAE = Metric(
    name="quality_mae",
    label=gettext_noop("Quality MAE"),
    explanation=gettext_noop("Mean absolute difference of predicted mean and MOS."),
    higher_is_better=False,
    digits=2,
    unit="points",
    votes=Votes.QUALITY,
    function=_mean,
    prediction_input=_distance,
)
#: What is compared. The verdict on quality is by the first, that on the watch label by the last.
PAIR_METRICS = (METRICS["quality_rps"], METRICS["quality_srcc"], _MAE, METRICS["watch_f1"])
# A difference of this many standard errors is seen with a probability of 80 % by a 95 % interval (1.96 + 0.84).
_SEEN = 2.8


@dataclass(frozen=True)
class PairFigure:
    """One metric of both versions."""

    first: MeasuredMetric
    second: MeasuredMetric
    difference: MeasuredMetric
    """First minus second, from a paired bootstrap over groups of near-duplicates."""

    @property
    def metric(self) -> Metric:
        """Return the metric."""
        return self.difference.metric


def pair_figures(stored: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[PairFigure]:
    """Yield figures that are stored as {metric: {"first", "second", "difference"}}, in the order of PAIR_METRICS."""
    for metric in PAIR_METRICS:
        if metric.name in stored:
            parts = stored[metric.name]
            yield PairFigure(*(measured_as(metric, parts[part]) for part in ("first", "second", "difference")))


@dataclass(frozen=True)
class PairVerdict:
    """What a comparison says about one label."""

    label: str
    """"Quality" or "Watch"."""
    better: str
    """"first", "second", or "" if the photos cannot tell."""
    text: str
    """A sentence."""


def pair_verdicts(figures: Mapping[str, PairFigure], first: int, second: int) -> list[PairVerdict]:
    """Return the verdicts on quality, by the RPS, and on the watch label, by F1 at each version's threshold.

    One metric decides each of them, because with four the chance of a wrong 'better' would be nearly four times as
    large. `first` and `second` are the numbers of the versions.
    """
    decisive = (("Quality", PAIR_METRICS[0]), ("Watch", PAIR_METRICS[-1]))
    return [_verdict(label, figures[metric.name], first, second) for label, metric in decisive]


def _verdict(label: str, figure: PairFigure, first: int, second: int) -> PairVerdict:
    found, metric = figure.difference, figure.metric
    words = _WORDS[label]
    values = {"photos": found.count_text, "metric": metric.label_words, "needed": HOLDOUT_FOR_PROMOTION}
    if found.value is None or found.low is None or found.high is None or not found.n:
        return PairVerdict(label, "", gettext(words.nothing))
    if (found.groups or found.n) < HOLDOUT_FOR_PROMOTION:
        return PairVerdict(label, "", gettext(words.too_few) % values)
    unit = f" {metric.unit_words}" if metric.unit else ""
    if found.verdict in ("better", "worse"):
        better, worse = (first, second) if found.verdict == "better" else (second, first)
        ends = "–".join(f"{end:.{metric.digits}f}" for end in sorted((abs(found.low), abs(found.high))))
        values |= {
            "better": better,
            "worse": worse,
            "size": f"{abs(found.value):.{metric.digits}f}{unit}",
            "interval": f"{ends}{unit}",
        }
        text = gettext(words.higher if metric.higher_is_better else words.lower) % values
        return PairVerdict(label, "first" if found.verdict == "better" else "second", text)
    if found.low == found.high:
        return PairVerdict(label, "", gettext(words.equal) % values)
    error = found.error if found.error is not None else (found.high - found.low) / (2 * 1.96)
    seen = minus(f"{_SEEN * error:.{metric.digits}f}")
    values |= {
        "first": first,
        "second": second,
        "difference": found.signed,
        "interval": f"{found.signed_interval}{unit}",
        "seen": f"{seen}{unit}",
    }
    return PairVerdict(label, "", gettext(words.unclear) % values)


@dataclass(frozen=True)
class _Words:
    """Sentences about one label."""

    nothing: str
    too_few: str
    higher: str
    lower: str
    equal: str
    unclear: str


_WORDS = {
    "Quality": _Words(
        gettext_noop("Quality: cannot tell, because no photo with such votes can be compared."),
        gettext_noop(
            "Quality: cannot tell, because only %(photos)s can be compared, and %(needed)s groups of near-duplicates "
            "are needed."
        ),
        gettext_noop(
            "Quality: version %(better)s is better than version %(worse)s. Its %(metric)s is higher by %(size)s (95 %% "
            "interval %(interval)s, %(photos)s)."
        ),
        gettext_noop(
            "Quality: version %(better)s is better than version %(worse)s. Its %(metric)s is lower by %(size)s (95 %% "
            "interval %(interval)s, %(photos)s)."
        ),
        gettext_noop("Quality: both versions are equal on these photos (%(photos)s)."),
        gettext_noop(
            "Quality: cannot tell. The %(metric)s of version %(first)s minus that of version %(second)s is "
            "%(difference)s (95 %% interval %(interval)s, %(photos)s). These photos would show a difference of "
            "%(seen)s in four of five cases, and smaller ones less often."
        ),
    ),
    "Watch": _Words(
        gettext_noop("Watch: cannot tell, because no photo with such votes can be compared."),
        gettext_noop(
            "Watch: cannot tell, because only %(photos)s can be compared, and %(needed)s groups of near-duplicates are "
            "needed."
        ),
        gettext_noop(
            "Watch: version %(better)s is better than version %(worse)s. Its %(metric)s is higher by %(size)s (95 %% "
            "interval %(interval)s, %(photos)s)."
        ),
        gettext_noop(
            "Watch: version %(better)s is better than version %(worse)s. Its %(metric)s is lower by %(size)s (95 %% "
            "interval %(interval)s, %(photos)s)."
        ),
        gettext_noop("Watch: both versions are equal on these photos (%(photos)s)."),
        gettext_noop(
            "Watch: cannot tell. The %(metric)s of version %(first)s minus that of version %(second)s is "
            "%(difference)s (95 %% interval %(interval)s, %(photos)s). These photos would show a difference of "
            "%(seen)s in four of five cases, and smaller ones less often."
        ),
    ),
}

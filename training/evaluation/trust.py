"""Whether a version may be trusted, in one sentence, from what an evaluation has stored.

For pages that must not wait for the calibration page. Sorting has the requirement, the rule and the evidence of the
verdict there (`training.evaluation.calibration.verdict`), so the two pages never differ about it. The watch label has
only its figure here: an evaluation stores no share of missed watches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.language import gettext
from annotation.measures.intervals import Interval
from training.evaluation.calibration.evidence import FEWEST_PHOTOS
from training.evaluation.calibration.verdict import SORTING_SRCC, Level, level_of
from training.evaluation.measured import MeasuredMetric, measured
from training.evaluation.stored_words import words_shown


@dataclass(frozen=True)
class Trust:
    """The verdict about a version."""

    level: Level
    sentence: str
    cautions: tuple[str, ...] = ()
    """Faults that the evaluation found, as sentences. With one there is no verdict: the figures may be wrong."""


def trust(
    number: int | None, metrics: Mapping[str, Mapping[str, Any]] | None, findings: Sequence[Mapping[str, Any]] = ()
) -> Trust:
    """Return the verdict about version `number` with the `metrics` and `findings` that its evaluation has stored.

    None for `number`: there is no version. None for `metrics`: it was not evaluated.
    """
    if number is None:
        return Trust(Level.UNKNOWN, gettext("There is no model yet."))
    if metrics is None:
        return Trust(
            Level.UNKNOWN,
            gettext("Version %(number)s has not been measured yet, so do not rely on it.") % {"number": number},
        )
    by_name = {one.metric.name: one for one in measured(metrics)}
    srcc, watch = by_name.get("quality_srcc"), by_name.get("watch_f1")
    cautions = tuple(words_shown(str(one["text"])) or str(one["text"]) for one in findings)
    photos = (srcc.n if srcc.groups is None else srcc.groups) if srcc else 0
    if photos < FEWEST_PHOTOS:
        seen = gettext("%(photos)s of %(fewest_photos)s rated holdout photos (near-duplicates count once)") % {
            "photos": f"{photos:,}",
            "fewest_photos": FEWEST_PHOTOS,
        }
        return Trust(
            Level.UNKNOWN,
            gettext("Not enough evidence for a verdict on version %(number)s yet: %(seen)s.")
            % {"number": number, "seen": seen},
            cautions,
        )
    assert srcc is not None  # it has photos
    if cautions:
        fault = gettext("No verdict on version %(number)s, because its evaluation found a fault (%(srcc)s).") % {
            "number": number,
            "srcc": _figure(srcc),
        }
        return Trust(Level.UNKNOWN, fault, cautions)
    level = _level(srcc)
    words = {
        Level.YES: gettext(
            "Version %(number)s is good for sorting photos by quality (%(figure)s; required %(required)s)."
        ),
        Level.NO: gettext(
            "Version %(number)s is not good for sorting photos by quality (%(figure)s; required %(required)s)."
        ),
        Level.UNKNOWN: gettext(
            "Version %(number)s has too few photos to tell whether it is good for sorting photos by quality "
            "(%(figure)s; required %(required)s)."
        ),
    }[level]
    sentence = words % {"number": number, "figure": _figure(srcc), "required": f"{SORTING_SRCC:.2f}"}
    if watch is not None and watch.known:
        sentence += " " + gettext("Watch labels: %(watch)s.") % {"watch": _figure(watch)}
    return Trust(level, sentence)


def _level(one: MeasuredMetric) -> Level:
    if one.value is None or one.low is None or one.high is None:
        return Level.UNKNOWN
    return level_of(Interval(one.value, one.low, one.high, one.n), SORTING_SRCC, is_higher_better=True)


def _figure(one: MeasuredMetric) -> str:
    """Return for example 'SRCC 0.700 (0.612 … 0.781), n = 60'."""
    name = one.metric.label.split(" ", 1)[1]
    return f"{name} {one.text} ({one.interval}), n = {one.n:,}" if one.known else f"{name} –"

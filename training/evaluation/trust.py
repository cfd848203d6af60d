"""Whether a version may be trusted, in one sentence, from what an evaluation has stored.

The limits are on the lower end of the 95 % interval, so a small holdout earns no trust. A correlation of .5 is 'large'
(Cohen 1988, 'Statistical power analysis'), and an area under the curve of .9 is 'outstanding' (Hosmer & Lemeshow 2000,
'Applied logistic regression'). The calibration page has the whole verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from annotation.measures.signs import minus
from training.evaluation.measured import MeasuredMetric, measured

#: With fewer rated holdout photos there is no verdict.
FEWEST_PHOTOS = 30
_RANKS, _RANKS_ROUGHLY = 0.5, 0.2
_FINDS, _FINDS_ROUGHLY = 0.9, 0.7


class Level(StrEnum):
    """How far a version may be trusted."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Trust:
    """The verdict about a version."""

    level: Level
    sentence: str
    cautions: tuple[str, ...] = ()
    """Faults that the evaluation found, as sentences."""


def trust(
    number: int | None, metrics: Mapping[str, Mapping[str, Any]] | None, findings: Sequence[Mapping[str, Any]] = ()
) -> Trust:
    """Return the verdict about version `number` with the `metrics` and `findings` that its evaluation has stored.

    None for `number`: there is no version. None for `metrics`: it was not evaluated.
    """
    if number is None:
        return Trust(Level.UNKNOWN, "There is no model yet.")
    if metrics is None:
        return Trust(Level.UNKNOWN, f"Version {number} has not been measured yet, so do not rely on it.")
    by_name = {one.metric.name: one for one in measured(metrics)}
    ranks, finds = by_name.get("quality_srcc"), by_name.get("watch_roc_auc")
    photos = ranks.n if ranks else 0
    cautions = tuple(str(one["text"]) for one in findings)
    if photos < FEWEST_PHOTOS:
        seen = f"only {photos:,} holdout photo{'' if photos == 1 else 's'} with votes"
        words = f"Too early to say whether version {number} may be trusted: {seen}, and {FEWEST_PHOTOS} are needed."
        return Trust(Level.UNKNOWN, words, cautions)
    sorts, sorts_words = _level(ranks, _RANKS, _RANKS_ROUGHLY, "to sort photos by quality")
    watches, watches_words = _level(finds, _FINDS, _FINDS_ROUGHLY, "to find watches")
    known = [(level, words) for level, words in ((sorts, sorts_words), (watches, watches_words)) if words]
    yes = [words for level, words in known if level is Level.YES]
    partly = [words for level, words in known if level is Level.PARTLY]
    no = [words for level, words in known if level is Level.NO]
    parts = [
        *([f"may be trusted {' and '.join(yes)}"] if yes else []),
        *([f"may be used with care {' and '.join(partly)}"] if partly else []),
        *([f"may not be trusted {' or '.join(no)}"] if no else []),
    ]
    level = Level.YES if len(yes) == len(known) else Level.NO if len(no) == len(known) else Level.PARTLY
    if cautions and level is Level.YES:
        level = Level.PARTLY
    return Trust(level, f"Version {number} {', but '.join(parts)}.", cautions)


def _level(one: MeasuredMetric | None, good: float, fair: float, use: str) -> tuple[Level, str]:
    """Return how far one use may be trusted, and the use with its figure; '' if it could not be measured."""
    if one is None or one.value is None or one.low is None or one.high is None:
        return Level.UNKNOWN, ""
    figure = f"{one.metric.label.split(' ', 1)[1]} {_number(one.value)}, {_number(one.low)}–{_number(one.high)}"
    level = Level.YES if one.low >= good else Level.PARTLY if one.low >= fair else Level.NO
    return level, f"{use} ({figure}, n = {one.n:,})"


def _number(value: float) -> str:
    return minus(f"{value:.2f}")

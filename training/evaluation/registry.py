"""The figures of an evaluation: their names, what they mean, and which way is better."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measure of a model version against people."""

    name: str
    """As in Evaluation.metrics."""
    label: str
    explanation: str
    higher_is_better: bool
    digits: int = 3


FIGURES = (
    Figure("quality_srcc", "Quality SRCC", "Spearman's rank correlation of predicted means with the MOS.", True),
    Figure("quality_plcc", "Quality PLCC", "Pearson's linear correlation of predicted means with the MOS.", True),
    Figure("quality_rmse", "Quality RMSE", "Typical distance of the predicted mean from the MOS, in scores.", False, 2),
    Figure("quality_emd", "Quality EMD", "Earth mover's distance (r = 2) of the distributions from the votes.", False),
    Figure("quality_rps", "Quality RPS", "Ranked probability score per vote, in scores.", False),
    Figure("class_accuracy", "Class accuracy", "Share of photos put into the class that the MOS puts them in.", True),
    Figure("watch_roc_auc", "Watch ROC AUC", "Chance that a watch gets a higher probability than another photo.", True),
    Figure("watch_f1", "Watch F1", "F1 of the decisions at the campaign's watch threshold.", True),
    Figure("watch_accuracy", "Watch accuracy", "Share of right decisions at the campaign's watch threshold.", True),
    Figure("watch_brier", "Watch Brier", "Mean squared error of the watch probability.", False),
)


@dataclass(frozen=True)
class MeasuredFigure:
    """A figure with its number and interval; `value` is None where it could not be told."""

    figure: Figure
    value: float | None
    low: float | None
    high: float | None
    n: int
    ceiling: float | None

    @property
    def text(self) -> str:
        """Return the number with its digits, or a dash."""
        return _text(self.value, self.figure.digits)

    @property
    def signed(self) -> str:
        """Return the number with its sign, for differences."""
        return _text(self.value, self.figure.digits, sign=True)

    @property
    def interval(self) -> str:
        """Return the interval, or '' where there is none."""
        return f"{_text(self.low, self.figure.digits)} … {_text(self.high, self.figure.digits)}" if self.known else ""

    @property
    def signed_interval(self) -> str:
        """Return the interval with signs, for differences."""
        digits = self.figure.digits
        return f"{_text(self.low, digits, sign=True)} … {_text(self.high, digits, sign=True)}" if self.known else ""

    @property
    def known(self) -> bool:
        """Return whether it could be told at all."""
        return self.value is not None

    @property
    def verdict(self) -> str:
        """Return 'better', 'worse' or 'no clear difference' (interval around zero) of a difference."""
        if self.low is None or self.high is None:
            return "cannot be told"
        if self.low <= 0 <= self.high:
            return "no clear difference"
        return "better" if (self.low > 0) == self.figure.higher_is_better else "worse"


def measured(stored: Mapping[str, Mapping[str, Any]]) -> Iterator[MeasuredFigure]:
    """Yield the figures that an evaluation's `metrics` or `differences` hold, in the order of FIGURES."""
    for figure in FIGURES:
        if figure.name in stored:
            entry = stored[figure.name]
            yield MeasuredFigure(
                figure, entry["value"], entry["low"], entry["high"], int(entry["n"]), entry.get("ceiling")
            )


def _text(number: float | None, digits: int, *, sign: bool = False) -> str:
    if number is None:
        return "–"
    # A typographic minus, as wide as the plus.
    return f"{number:{'+' if sign else ''}.{digits}f}".replace("-", "−")

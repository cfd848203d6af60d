"""How well the predicted quality classes agree with those of the mean opinion scores."""

from dataclasses import dataclass

import numpy as np

from annotation.language import gettext
from annotation.measures import classification, correlation
from annotation.measures.decision_intervals import accuracy_interval, f1_interval
from annotation.measures.group_shares import percents
from annotation.measures.intervals import Interval, interval, paired_interval
from training.evaluation.comparison import Comparison

CLASS_NAMES = ("rejected", "pending", "accepted")


@dataclass(frozen=True)
class ClassRow:
    """One class: the photos that people put into it, where the model puts those, and F1."""

    name: str
    people: int
    model: int
    counts: tuple[int, ...]
    """Of the photos that people put into the class: how many the model puts into each."""
    f1: Interval

    @property
    def cells(self) -> list[tuple[str, int, int]]:
        """Return (name, photos, depth of colour 0 … 5 by the share of the row) for each class of the model."""
        return [
            (name, count, round(5 * count / max(self.people, 1)))
            for name, count in zip(CLASS_NAMES, self.counts, strict=True)
        ]


@dataclass(frozen=True)
class ClassFigures:
    """Agreement of predicted classes with the classes of the MOS, on the same photos."""

    rows: tuple[ClassRow, ...]
    accuracy: Interval
    macro_f1: Interval
    srcc: Interval
    """Spearman's rank correlation of the classes; NaN where one side has a single class."""
    most_common: str
    """The most frequent class of the MOS."""
    over_most_common: Interval
    """Accuracy minus that of always saying the most frequent class."""

    @property
    def finding(self) -> str:
        """Return the result in one sentence."""
        if self.over_most_common.low > 0:
            words = gettext(
                "The class is right for %(right)s %% of %(photos)s photos; always “%(name)s” would be right for "
                "%(rival)s %%"
            )
        elif self.over_most_common.high < 0:
            words = gettext(
                "The class is right for %(right)s %% of %(photos)s photos, which is worse than no model: always "
                "“%(name)s” would be right for %(rival)s %%"
            )
        else:
            words = gettext(
                "The class is right for %(right)s %% of %(photos)s photos; whether that is better than no model "
                "cannot be told: always “%(name)s” would be right for %(rival)s %%"
            )
        rival = self.accuracy.value - self.over_most_common.value
        return words % {
            "right": percents([self.accuracy.value])[0],
            "photos": f"{self.accuracy.n:,}",
            "name": gettext(self.most_common),
            "rival": percents([rival])[0],
        }


def class_figures(comparison: Comparison, *, seed: int) -> ClassFigures | None:
    """Return the figures of a comparison; None without photos. The same seed gives the same intervals.

    Classes are those of the version: its limits on predicted means may differ from the campaign's.
    """
    if not len(comparison):
        return None
    scale, groups = comparison.scale, comparison.groups
    people = classification.quality_classes(comparison.mos, reject_at=scale.reject_at, pending_at=scale.pending_at)
    model = classification.quality_classes(
        comparison.quality_mean, reject_at=scale.predicted_reject_at, pending_at=scale.predicted_pending_at
    )
    counts = np.zeros((len(CLASS_NAMES), len(CLASS_NAMES)), dtype=np.int64)
    np.add.at(counts, (people, model), 1)
    most = int(counts.sum(axis=1).argmax())
    rows = tuple(
        ClassRow(
            name,
            people=int(counts[code].sum()),
            model=int(counts[:, code].sum()),
            counts=tuple(counts[code].tolist()),
            f1=f1_interval(model == code, people == code, groups=groups),
        )
        for code, name in enumerate(CLASS_NAMES)
    )
    constant = np.full_like(people, most)
    return ClassFigures(
        rows=rows,
        accuracy=accuracy_interval(model, people, groups=groups),
        macro_f1=interval(classification.macro_f1, model, people, seed=seed, groups=groups),
        srcc=interval(correlation.srcc, model, people, seed=seed, groups=groups),
        most_common=CLASS_NAMES[most],
        over_most_common=paired_interval(classification.accuracy, model, constant, people, seed=seed, groups=groups),
    )

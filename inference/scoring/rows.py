"""The result for one photo as one row, the same for the command, the page and the API. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from annotation.files.names import text_storable
from annotation.measures.class_limits import class_limits
from inference.scoring.decode import mean_and_std, quality_class

if TYPE_CHECKING:  # web processes must not load SciPy or ONNX Runtime
    from inference.distortion.combine import DistortionScores
    from inference.scoring.pipeline import PhotoResult
    from inference.scoring.predictor import ScoreBatch

DECIMALS = 6  # of every number in a row, so that each kind of table holds the same one

_DISTORTION_FIELDS = {
    "blur": "blur",
    "noise": "noise",
    "exposure": "exposure",
    "compression": "compression",
    "distortion_quality": "quality",
}

# The value of a cell; None if there is no value.
Cell = str | float | bool | None
Cells = dict[str, Cell]


@dataclass(frozen=True)
class Rules:
    """Scale, synsets and thresholds that turn a model's output into a row."""

    synsets: tuple[int, ...]
    """ImageNet classes whose probabilities are added up to the watch probability."""
    lowest: int = 1
    """The lowest score of the scale."""
    bins: int = 10
    """K, the number of scores."""
    threshold: float = 0.05
    """A photo counts as a watch above this watch probability, 0 … 1."""
    reject_at: float = math.nan
    """Rejected up to this mean score, pending up to `pending_at`, then accepted. On the scale. The defaults are those
    of the scale (`annotation.measures.class_limits`)."""
    pending_at: float = math.nan

    def __post_init__(self) -> None:
        defaults = class_limits(self.lowest, self.highest)
        for name, default in zip(("reject_at", "pending_at"), defaults, strict=True):
            if math.isnan(getattr(self, name)):
                object.__setattr__(self, name, default)

    @property
    def highest(self) -> int:
        """Return the highest score of the scale."""
        return self.lowest + self.bins - 1


@dataclass(frozen=True)
class Column:
    """A column of the table: its name and the type of its values, which may also be None."""

    name: str
    kind: type[str] | type[float] | type[bool]


@dataclass(frozen=True)
class ScoreRow:
    """The result for one photo; only `reason` is set if it could not be scored."""

    file: str
    """As text of `annotation.files.names`."""
    watch_probability: float | None = None
    """0 … 1"""
    watch: bool | None = None
    quality_mean: float | None = None
    """On the scale, as `quality_std`."""
    quality_std: float | None = None
    distribution: tuple[float, ...] = ()
    """[K], lowest score first; adds up to one."""
    quality_class: str | None = None
    distortion: "DistortionScores | None" = None
    """None also if distortions were not measured."""
    parts: tuple[float, ...] = ()
    """Probability of each synset."""
    reason: str = ""
    """Why the photo could not be scored, or ''."""

    def cells(self, rules: Rules) -> Cells:
        """Return {column: value} for all columns of `columns` with `parts`."""
        bad = bool(self.reason)
        scores = [None] * rules.bins if bad else self.distribution
        parts = [None] * len(rules.synsets) if bad else self.parts
        return {
            "file": self.file,
            "watch_probability": self.watch_probability,
            "watch": self.watch,
            "quality_mean": self.quality_mean,
            "quality_std": self.quality_std,
            **dict(zip(_score_names(rules), scores, strict=True)),
            "quality_class": self.quality_class,
            **{name: getattr(self.distortion, field, None) for name, field in _DISTORTION_FIELDS.items()},
            "reason": text_storable(self.reason),
            **dict(zip(_part_names(rules), parts, strict=True)),
        }


def columns(rules: Rules, *, parts: bool = False) -> tuple[Column, ...]:
    """Return the columns of a table, in order.

    Columns of the distribution are named after the scores: q1 … q10 on the scale 1-10, q0 … q4 on the scale 0-4.
    With `parts`, a column for the probability of each synset follows: synset_409 and so on.
    """
    return (
        Column("file", str),
        Column("watch_probability", float),
        Column("watch", bool),
        Column("quality_mean", float),
        Column("quality_std", float),
        *(Column(name, float) for name in _score_names(rules)),
        Column("quality_class", str),
        *(Column(name, float) for name in _DISTORTION_FIELDS),
        Column("reason", str),
        *(Column(name, float) for name in _part_names(rules) if parts),
    )


def score_rows(
    files: Sequence[str], results: "Sequence[PhotoResult]", scores: "ScoreBatch | None", rules: Rules
) -> list[ScoreRow]:
    """Return the rows of photos. `scores` has one row for each result with features, in their order.

    Label and class are computed from the rounded numbers, so that they agree with the table.
    """
    means, stds = mean_and_std(scores.distribution, rules.lowest) if scores else ((), ())
    place = 0
    rows: list[ScoreRow] = []
    for file, result in zip(files, results, strict=True):
        if result.features is None or scores is None:
            rows.append(ScoreRow(file, reason=result.reason))
            continue
        watch, mean = _rounded(scores.watch_probability[place]), _rounded(means[place])
        rows.append(
            ScoreRow(
                file=file,
                watch_probability=watch,
                watch=watch > rules.threshold,
                quality_mean=mean,
                quality_std=_rounded(stds[place]),
                distribution=tuple(_rounded(share) for share in scores.distribution[place]),
                quality_class=quality_class([mean], reject_at=rules.reject_at, pending_at=rules.pending_at)[0],
                distortion=result.distortion and _distortion_rounded(result.distortion),
                parts=tuple(_rounded(share) for share in scores.synset_probabilities[place]),
            )
        )
        place += 1
    return rows


def _score_names(rules: Rules) -> list[str]:
    return [f"q{score}" for score in range(rules.lowest, rules.lowest + rules.bins)]


def _part_names(rules: Rules) -> list[str]:
    return [f"synset_{synset}" for synset in rules.synsets]


def _distortion_rounded(scores: "DistortionScores") -> "DistortionScores":
    numbers: dict[str, Any] = {
        field: _rounded(getattr(scores, field)) for field in (*_DISTORTION_FIELDS.values(), "laplacian_variance")
    }
    return replace(scores, **numbers)


def _rounded(number: float) -> float:
    value = round(float(number), DECIMALS)
    assert math.isfinite(value), "results have no NaN"
    return value

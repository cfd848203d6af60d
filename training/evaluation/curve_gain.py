"""What a learning curve says: the gain of the last 200 answers, and a forecast for the next 200, with intervals.

Both come from a curve a − b/√n through the points with the most answers n, which forecasts best. The two points that
lie 200 answers apart are too noisy alone. Nobody knows the true form. A curve a + b·log n flattens later, and a + b·√n,
for campaigns that still learn steeply, hardly: the interval contains those of all three. The benchmark `learning_curve`
compares them with others, and measures how often intervals cover.

Source: Nadeau & Bengio (2003), 'Inference for the generalization error', for intervals from folds: those learned
from nearly the same photos, so 1/K + 1/(K − 1) is in place of 1/K.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from annotation.measures.intervals import CONFIDENCE, Interval
from training.evaluation.learning_curve import RECIPE, STEP, CurveScores

Floats = NDArray[np.float64]
# Takes numbers of answers [S]; returns the x [S] of a curve that is a straight line in it.
Form = Callable[[Floats], Floats]

#: The curve goes through points with at least this share of the answers.
UPPER = 0.24


@dataclass(frozen=True)
class CurveRow:
    """A point of the curve."""

    answers: float
    photos: float
    rps: Interval
    srcc: Interval


@dataclass(frozen=True)
class CurveReport:
    """The curve of a campaign. Gains are above 0 where predictions become better, also those of RPS."""

    rows: list[CurveRow]
    """By number of answers, ascending."""
    total: int
    """All answers; nine tenths of them were learned from at a time."""
    photos: int
    groups: int
    folds: int
    recipe: str
    prior_rps: float
    prior_srcc: float
    ceiling: Interval | None
    """√r_k of these votes."""
    rps_last: Interval
    rps_next: Interval
    srcc_last: Interval
    srcc_next: Interval

    @property
    def newest(self) -> CurveRow:
        """Return the point with the most answers."""
        return self.rows[-1]


def curve_report(scores: CurveScores, *, ceiling: Interval | None) -> CurveReport:
    """Return what the curve says. `ceiling`: √r_k of the votes, None if it is unknown."""

    def interval(of_folds: Floats) -> Interval:
        return fold_interval(of_folds, scores.rated, scores.groups)

    rps_last, rps_next = gain_intervals(scores, -scores.rps)
    srcc_last, srcc_next = gain_intervals(scores, scores.srcc)
    return CurveReport(
        rows=[
            CurveRow(float(answers), float(photos), interval(of_rps), interval(of_srcc))
            for answers, photos, of_rps, of_srcc in zip(
                scores.answers, scores.photos, scores.rps, scores.srcc, strict=True
            )
        ],
        total=scores.total,
        photos=scores.rated,
        groups=scores.groups,
        folds=scores.rps.shape[1],
        recipe=RECIPE,
        prior_rps=float(scores.prior_rps.mean()),
        prior_srcc=float(scores.prior_srcc.mean()),
        ceiling=ceiling,
        rps_last=rps_last,
        rps_next=rps_next,
        srcc_last=srcc_last,
        srcc_next=srcc_next,
    )


def inverse_root(answers: Floats) -> Floats:
    """Return the x of a curve a − b/√n."""
    place: Floats = -(np.asarray(answers, dtype=np.float64) ** -0.5)
    return place


def logarithm(answers: Floats) -> Floats:
    """Return the x of a curve a + b·log n."""
    place: Floats = np.log(answers)
    return place


def square_root(answers: Floats) -> Floats:
    """Return the x of a curve a + b·√n."""
    place: Floats = np.sqrt(np.asarray(answers, dtype=np.float64))
    return place


#: The first gives the value; the interval contains those of all.
FORMS: tuple[Form, ...] = (inverse_root, logarithm, square_root)


def gain_intervals(scores: CurveScores, figures: Floats, *, forms: Sequence[Form] = FORMS) -> tuple[Interval, Interval]:
    """Return the gain of the last 200 answers and that of the next 200; figures [S, K], larger is better."""
    by_form = [
        [
            fold_interval(of_folds, scores.rated, scores.groups)
            for of_folds in gains(scores.answers, figures, scores.total, form)
        ]
        for form in forms
    ]
    last, following = (
        replace(found[0], low=min(one.low for one in found), high=max(one.high for one in found))
        for found in zip(*by_form, strict=True)
    )
    return last, following


def gains(answers: Floats, figures: Floats, total: int, form: Form, *, upper: float = UPPER) -> tuple[Floats, Floats]:
    """Return the gain of the last 200 of `total` answers and that of the next 200, by each fold [K].

    answers [S], ascending; figures [S, K], larger is better. The curve is fitted by least squares through the points
    with at least a share `upper` of the answers.
    """
    kept = answers >= upper * answers[-1]
    places = form(answers[kept])
    centred = places - places.mean()
    slopes: Floats = centred @ figures[kept] / (centred @ centred)
    fewer, now, more = form(np.array([total - STEP, total, total + STEP], dtype=np.float64))
    return slopes * (now - fewer), slopes * (more - now)


def fold_interval(of_folds: Floats, photos: int, groups: int) -> Interval:
    """Return the mean of the figures of folds [K] with its 95 % interval by Student's t."""
    from scipy.special import stdtrit

    count = len(of_folds)
    error = float(of_folds.std(ddof=1)) * float(np.sqrt(1 / count + 1 / (count - 1)))
    mean, half = float(of_folds.mean()), float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * error
    return Interval(mean, mean - half, mean + half, photos, groups)

"""What many simulated campaigns say together: curves with intervals, and the answers that a mixture needs.

A curve is the mean over seeds with Student's interval. Two mixtures are compared seed by seed, because the same seed
means the same photos and the same votes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.measures.intervals import Interval, mean_interval
from training.simulation.replay import Replay

Floats = NDArray[np.float64]

#: Figures for which lower is better.
LOWER_IS_BETTER = frozenset({"mos_rmse", "mixed_rmse"})
_RESAMPLES = 1000
_SEED = 1


@dataclass(frozen=True)
class Curve:
    """One figure of one mixture, after each number of answers."""

    label: str
    clicks: float
    figure: str
    answers: tuple[int, ...]
    """Those that every seed reached."""
    values: Floats
    """[seeds, answers]."""

    @property
    def points(self) -> list[Interval]:
        """Return the mean over seeds with its 95 % interval, for each number of answers."""
        return [mean_interval(column) for column in self.values.T]

    @property
    def means(self) -> Floats:
        """Return the mean over seeds [answers]."""
        found: Floats = self.values.mean(axis=0)
        return found

    @property
    def best(self) -> float:
        """Return the best mean of the curve."""
        return float(self.means.min() if self.figure in LOWER_IS_BETTER else self.means.max())

    def at(self, answers: int) -> Interval:
        """Return the mean with its interval after this number of answers, one of `answers`."""
        return mean_interval(self.values[:, self.answers.index(answers)])


def curve_of(replays: Sequence[Replay], label: str, figure: str, clicks: float) -> Curve:
    """Return the curve of a mixture; raises ValueError if none of the campaigns has it."""
    own = [one for one in replays if one.label == label and one.clicks == clicks]
    if not own:
        raise ValueError(f"there is no campaign of {label!r} with {clicks:.0%} random clicks")
    shortest = min((one.answers for one in own), key=len)
    return Curve(label, clicks, figure, shortest, np.array([one.figures[figure][: len(shortest)] for one in own]))


def ceiling_of(replays: Sequence[Replay], figure: str) -> float:
    """Return the mean figure with all votes of all photos."""
    by_seed = {one.seed: one.ceiling[figure] for one in replays if one.ceiling}
    return float(np.mean(list(by_seed.values())))


def answers_needed(curve: Curve, level: float) -> Interval:
    """Return the answers after which the mean curve reaches the level for the first time.

    Between two numbers of answers it is a straight line, and it starts at the first one. NaN: it does not reach the
    level. The interval draws seeds (percentile bootstrap); its high end is infinite where more than one in forty of the
    drawn curves does not reach the level.
    """
    rng = np.random.default_rng(_SEED)
    seeds = len(curve.values)
    drawn = curve.values[rng.integers(seeds, size=(_RESAMPLES, seeds))].mean(axis=1)
    sign = -1.0 if curve.figure in LOWER_IS_BETTER else 1.0
    value = _crossing(curve.answers, sign * curve.means, sign * level)
    found = np.array([_crossing(curve.answers, sign * one, sign * level) for one in drawn])
    if np.isnan(value):
        return Interval(value, value, value, seeds)
    low, high = np.quantile(np.where(np.isnan(found), np.inf, found), [0.025, 0.975], method="nearest")
    return Interval(value, min(float(low), value), max(float(high), value), seeds)


def _crossing(answers: Sequence[int], values: Floats, level: float) -> float:
    reached = np.flatnonzero(values >= level)
    if not len(reached):
        return float("nan")
    first = int(reached[0])
    if not first:
        return float(answers[0])
    before, after = values[first - 1], values[first]
    return float(answers[first - 1] + (answers[first] - answers[first - 1]) * (level - before) / (after - before))


def advantage(ours: Curve, theirs: Curve) -> list[Interval]:
    """Return how much better ours is, seed by seed, with its interval, for each number of answers of both.

    Above 0: better, also for figures for which lower is better.
    """
    count = min(len(ours.answers), len(theirs.answers))
    sign = -1.0 if ours.figure in LOWER_IS_BETTER else 1.0
    return [mean_interval(column) for column in sign * (ours.values[:, :count] - theirs.values[:, :count]).T]


def worse_at(ours: Curve, theirs: Curve) -> list[int]:
    """Return the numbers of answers at which ours is worse beyond the interval of the difference."""
    return [answers for answers, one in zip(ours.answers, advantage(ours, theirs), strict=False) if one.high < 0]


def curves_json(replays: Sequence[Replay]) -> list[dict[str, Any]]:
    """Return all curves as JSON values."""
    kinds = dict.fromkeys((one.label, one.clicks) for one in replays)
    found = []
    for label, clicks in kinds:
        for figure in next(one.figures for one in replays if one.label == label):
            curve = curve_of(replays, label, figure, clicks)
            found.append(
                {
                    "mixture": label,
                    "clicks": clicks,
                    "figure": figure,
                    "answers": list(curve.answers),
                    "points": [point.as_json() for point in curve.points],
                }
            )
    return found

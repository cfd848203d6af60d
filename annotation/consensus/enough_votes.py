"""When a photo has enough votes, and which photos get the votes that others do not need.

A photo stops when each target of the rule is reached: the 95 % interval of its corrected MOS is narrow enough, and the
probability of its watch label is high enough. The votes that it no longer needs go, one at a time, to photos that have
all their votes and have not reached the targets; the widest interval comes first. The sum of votes stays what it was.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.consensus.panel_model import ERROR_FACTOR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUANTILE = 1.96
"""Half the width of a 95 % interval, in standard errors."""


@dataclass(frozen=True)
class StopRule:
    """The targets of a campaign."""

    half_width: float
    """Largest half of the 95 % interval of the corrected MOS, points. 0: no target."""
    watch: float
    """Smallest probability of the likelier watch label, .5 … 1. 0: no target."""
    fewest: int
    """No photo stops with fewer votes."""
    most: int
    """No photo gets more votes by this rule."""

    @property
    def is_on(self) -> bool:
        """Return whether there is a target."""
        return self.half_width > 0 or self.watch > 0

    def reached(self, votes: ArrayLike, errors: ArrayLike, posterior: ArrayLike) -> NDArray[np.bool_]:
        """Return for each photo [N] whether it has enough votes.

        `errors`: standard error of the corrected MOS, points; `posterior`: probability of a watch. NaN: unknown.
        Without a target, no photo stops.
        """
        number, label = np.asarray(votes), np.asarray(posterior, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            narrow = QUANTILE * np.asarray(errors, dtype=np.float64) <= self.half_width
            certain = np.maximum(label, 1 - label) >= self.watch
        enough = (narrow | (self.half_width == 0)) & (certain | (self.watch == 0))
        return enough & (number >= self.fewest) & self.is_on


def votes_plan(
    rule: StopRule, *, votes: ArrayLike, leases: ArrayLike, usual: ArrayLike, reached: ArrayLike, errors: ArrayLike
) -> Ints:
    """Return how many votes each photo needs [N].

    `votes`, `leases`: votes and live leases now; `usual`: votes of a photo without the rule; `reached`: as
    `StopRule.reached` says; `errors`: standard errors, NaN for unknown. A live lease is kept: its answer is wanted.
    The same input gives the same plan, and without photos that stop it is `usual`, except where a photo has more.
    """
    taken = np.asarray(votes, dtype=np.int64) + np.asarray(leases, dtype=np.int64)
    base, stops = np.asarray(usual, dtype=np.int64), np.asarray(reached, dtype=bool)
    needed = np.where(stops, np.maximum(taken, rule.fewest), np.maximum(base, np.minimum(taken, rule.most)))
    free = int(base.sum() - needed.sum())
    waiting = np.flatnonzero(~stops & (taken >= needed) & (needed < rule.most))
    if free > 0 and len(waiting):
        width = np.nan_to_num(np.asarray(errors, dtype=np.float64)[waiting], nan=np.inf)
        needed[waiting[np.argsort(-width, kind="stable")[:free]]] += 1
    return needed


def votes_forecast(
    rule: StopRule, *, votes: ArrayLike, usual: ArrayLike, reached: ArrayLike, errors: ArrayLike, spread: float
) -> Ints:
    """Return how many further votes each photo probably takes [N], 0 for photos that stop.

    `spread`: standard deviation of the qualities, points. Each further vote adds as much precision 1/error² as the
    photo's votes did on average, or as those of the mean photo when it has none. Targets for watches are not forecast:
    such photos take their usual votes. The forecast tends to be high, because with more votes the annotators are known
    better too: on drawn panels it was 1.0 to 2.0 times the votes that came.
    """
    number, base = np.asarray(votes, dtype=np.int64), np.asarray(usual, dtype=np.int64)
    stops, error = np.asarray(reached, dtype=bool), np.asarray(errors, dtype=np.float64)
    further = np.maximum(base - number, 0)
    if rule.half_width > 0:
        before, wanted = 1 / (ERROR_FACTOR * spread**2), (QUANTILE / rule.half_width) ** 2
        rated = (number > 0) & np.isfinite(error)
        now = np.where(rated, 1 / np.where(rated, error, 1.0) ** 2, before)
        each = np.where(rated, now - before, 0) / np.maximum(number, 1)
        mean = float(each[rated].mean()) if rated.any() else 0.0
        each = np.where(each > 0, each, mean)
        with np.errstate(divide="ignore"):
            more = np.ceil(np.maximum(wanted - now, 0) / each)
        most = np.maximum(rule.most - number, 0)
        fewest = np.maximum(rule.fewest - number, 0)
        further = np.clip(np.minimum(more, rule.most), fewest, most).astype(np.int64)
    return np.where(stops, 0, further).astype(np.int64)

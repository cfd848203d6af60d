"""The mean of all photos of a pool from all answers, those on photos that were chosen for what they show included.

Chosen photos are unusual, so their plain mean says nothing about the pool. But before each photo that was **drawn at
random**, it is known which photos had been taken already, and the draw was uniform over the others. With U photos not
yet taken before draw m, the sum over the pool therefore has the estimate

    T_m = sum of the values of the photos taken before + U·(value of the drawn photo)

It is right on average, whatever chose the photos taken before. The mean of the pool is the mean of all T_m, over the
number of photos, with the weights a_m ∝ 1/(U·(U − 1)) that LURE has (Farquhar, Gal & Rainforth, 2021, 'On Statistical
Bias In Active Learning: How and When To Fix It', arXiv:2101.11665). With random draws alone it is the plain mean.

LURE itself weights each draw by its probability over all lanes of the queue. Lanes that always take the first photo of
their order then have weights near 0, and whether a photo came from such a lane or at random is chance that widens the
estimate. The lane is stored, so this chance can be left out: that is the difference, and it makes the interval about a
third as wide (`make bench NAME=audit`).

**Weights.** Each photo counts by its part in all T_m. A chosen photo counts for itself and no more than once; a
photo drawn at random also counts for photos that nobody has been asked about.

**Variance.** Given what happened before, each T_m is off by 0 on average. So their errors do not correlate, and the
variance is Σ a_m²·(T_m − T)², times M/(M − 1) for M draws. The parts of a pool ('strata', here the holdout and the
rest, because a lane may draw from one of them alone) are estimated each by itself and added up. Votes are noisy: that
adds q·s²/N, with the spread s² of the values, the part q of it that is noise, and N photos. Quantiles are Student's,
with the number of random draws less one per stratum. **Shares** have Wilson's interval as in
`annotation.measures.pool_mean`; one more draw that differs from the rest is added to their variance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import Interval
from annotation.measures.pool_mean import pool_interval

Floats = NDArray[np.float64]

#: With fewer random draws in a stratum, its part would rest on chance.
FEWEST_OF_STRATUM = 10


@dataclass(frozen=True)
class Stratum:
    """The photos of a part of the pool that were taken, in the order in which they were taken."""

    values: Floats
    """Mean vote of each photo [n], or its part of votes for a class."""
    is_random: NDArray[np.bool_]
    """Whether the photo was drawn uniformly from all photos of the stratum that had not been taken [n]."""
    photos: int
    """In this part of the pool, at least n."""

    @property
    def draws(self) -> int:
        """Return the number of random draws."""
        return int(np.count_nonzero(self.is_random))

    @property
    def is_known(self) -> bool:
        """Return whether every photo was taken, or there are enough random draws."""
        return len(self.values) == self.photos or self.draws >= FEWEST_OF_STRATUM


@dataclass(frozen=True)
class WeightedMean:
    """The estimate, and how evenly it rests on its photos."""

    mean: Interval
    """Its `n` is the number of photos with answers, chosen ones included."""
    draws: int
    """Photos among them that were drawn at random."""
    worth: float
    """(Σw)²/Σw²: how many photos of equal weight would be as exact (Kish, 1965, 'Survey Sampling'), if values and
    weights had nothing to do with each other."""
    largest: float
    """The largest weight; all photos weigh 1 on average."""


def weighted_mean(strata: Sequence[Stratum], *, noise: float = 1.0, is_share: bool = False) -> WeightedMean | None:
    """Return the mean of the pool from all answers, or None if a stratum has too few random draws to tell.

    `noise`: part of the variance of the values that is noise of the votes, 0 to 1; 1 is never too narrow. `is_share`:
    values from 0 to 1. Raises ValueError for columns of unequal length, and for more taken photos than a stratum has.
    """
    parts = [one for one in strata if one.photos]
    for one in parts:
        if len(one.values) != len(one.is_random) or len(one.values) > one.photos:
            raise ValueError(f"{len(one.values)} values and {len(one.is_random)} draws of {one.photos} photos.")
    if not parts or not all(one.is_known for one in parts):
        return None
    pool = sum(one.photos for one in parts)
    totals, errors = zip(*(_total(one, extra=float(is_share)) for one in parts), strict=True)
    values, weights = np.concatenate([one.values for one in parts]), np.concatenate([_weights(one) for one in parts])
    value = float(sum(totals)) / pool
    spread = float(weights @ (values - value) ** 2) / pool
    variance = float(sum(errors)) / pool**2 + noise * spread / pool
    draws = sum(one.draws for one in parts)
    # Wilson's interval takes a share without any variance for a chance result. Here it is counted.
    is_counted = variance <= 0 and 0 < value < 1
    return WeightedMean(
        mean=pool_interval(
            value,
            variance,
            n=len(values),
            groups=draws,
            degrees=max(draws - len(parts), 1),
            is_share=is_share and not is_counted,
        ),
        draws=draws,
        worth=float(weights.sum() ** 2 / (weights @ weights)),
        largest=float(weights.max()) * len(values) / pool,
    )


def random_draws(values: ArrayLike, is_random: ArrayLike, *, photos: int) -> Stratum:
    """Return a stratum of these columns, in the order in which the photos were taken."""
    return Stratum(np.asarray(values, dtype=np.float64), np.asarray(is_random, dtype=bool), photos)


def _shares(one: Stratum) -> tuple[Floats, Floats]:
    """Return U before each photo was taken, and a_m, which is 0 for chosen photos; both [n]."""
    left = one.photos - np.arange(len(one.values), dtype=np.float64)
    shares = np.where(one.is_random, 1 / np.maximum(left * (left - 1), 1.0), 0.0)
    return left, shares / shares.sum()


def _weights(one: Stratum) -> Floats:
    """Return how many photos each photo counts for [n]; they add up to the photos of the stratum."""
    if len(one.values) == one.photos:
        return np.ones(one.photos)
    left, shares = _shares(one)
    later = np.cumsum(shares[::-1])[::-1] - shares
    return later + shares * left


def _total(one: Stratum, *, extra: float) -> tuple[float, float]:
    """Return the sum of the values over all photos of the stratum, and its variance without noise of votes.

    `extra`: how much a value may differ from the others without having been seen, 0 or 1.
    """
    if len(one.values) == one.photos:
        return float(one.values.sum()), 0.0
    left, shares = _shares(one)
    total = float(_weights(one) @ one.values)
    before = np.cumsum(one.values) - one.values
    off = shares * (before + left * one.values - total)
    draws = one.draws
    unseen = extra * float(np.mean((shares * left)[one.is_random] ** 2))
    return total, (float(off @ off) + unseen) * draws / (draws - 1)

"""Which slices differ from the rest by more than chance, with a correction for having looked at many.

The rule that names the slice with the largest error names one in every campaign, and mostly a small one. Here each
slice is compared with all other photos by Welch's t, and the largest of all t is compared with what it is when the
errors are dealt to the photos at random (a permutation test of the maximum; Westfall & Young, 1993, 'Resampling-based
multiple testing', section 2.5). Slices overlap and depend on each other; the permutations keep this, so the correction
is no larger than necessary. When the errors have nothing to do with any slice, one is named with a probability of at
most LEVEL for each search.

Near-duplicates are not independent: a group of them is one unit, with the mean of its errors. It belongs to a slice by
the share of its photos.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.calibration.facts import NO_GROUP

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Of each of the two searches (scores, watches), so that both together name a slice by chance in at most 5 %.
LEVEL = 0.025
#: Units that a slice, and the rest, need to be compared.
FEWEST_UNITS = 20
_MOST_PERMUTATIONS, _FEWEST_PERMUTATIONS = 2_000, 1_000
# Limits the time: permutations times units.
_ENTRIES = 20_000_000
# Limits the memory.
_AT_ONCE = 4_000_000
# A test at this many standard errors beyond its limit is passed with a probability of 80 %.
_POWER = 0.84


@dataclass(frozen=True, eq=False)
class Units:
    """Groups of near-duplicates, and which slices they belong to."""

    shares: Floats
    """Share of the unit's photos that are in each slice [U, S]."""
    of: Ints
    """Number of the unit of each photo [N]."""

    @classmethod
    def of_photos(cls, groups: NDArray[np.generic], codes: list[Ints], slices: list[int]) -> "Units":
        """Return the units of photos with these `groups` [N].

        `codes`: for each way to cut, the number of the slice of each photo [N]; `slices`: how many slices it has. The
        slices of all ways stand one after the other.
        """
        _, of = np.unique(groups, return_inverse=True)
        sizes = np.bincount(of)
        shares = np.zeros((len(sizes), sum(slices)))
        start = 0
        for one, count in zip(codes, slices, strict=True):
            known = one != NO_GROUP
            np.add.at(shares, (of[known], start + one[known]), 1.0)
            start += count
        return cls(shares / sizes[:, None], of.astype(np.int64))

    def __len__(self) -> int:
        return len(self.shares)

    @property
    def sizes(self) -> Floats:
        """Return how many units each slice has [S], in shares."""
        sizes: Floats = self.shares.sum(axis=0)
        return sizes

    def means(self, values: Floats) -> Floats:
        """Return the mean of the values [N] of the photos of each unit [U]."""
        means: Floats = np.bincount(self.of, values, len(self)) / np.bincount(self.of, minlength=len(self))
        return means


@dataclass(frozen=True, eq=False)
class Search:
    """The result of a search in one or more measures M of the same photos."""

    statistics: Floats
    """t of each slice against the rest [M, S]: above 0 when its mean is larger. NaN: too few units to compare."""
    adjusted: Floats
    """Probability of a t as large anywhere, by chance [M, S]; NaN as above."""
    limit: float
    """The t that a slice must exceed; NaN when nothing can be compared."""
    compared: int
    """Slices that were compared."""

    def seen(self, deviation: float, size: float, rest: float) -> float:
        """Return how far a slice must be off to be named in 4 of 5 cases.

        `deviation`: standard deviation of the measure; `size` and `rest`: units in the slice and outside.
        """
        return (self.limit + _POWER) * deviation * float(np.sqrt(1 / size + 1 / rest))


def search(units: Units, measures: Floats, *, two_sided: tuple[bool, ...], seed: int) -> Search:
    """Compare each slice with the rest in each of the measures [M, U], and correct for all comparisons.

    `two_sided` [M]: whether a smaller mean counts too. The same seed gives the same result.
    """
    sizes = units.sizes
    fits = (sizes >= FEWEST_UNITS) & (len(units) - sizes >= FEWEST_UNITS)
    statistics = np.full((len(measures), len(sizes)), np.nan)
    adjusted = statistics.copy()
    if not fits.any():
        return Search(statistics, adjusted, float("nan"), 0)
    shares = np.ascontiguousarray(units.shares[:, fits])
    sides = np.array(two_sided)[:, None, None]

    def extreme(found: Floats) -> Floats:
        return np.where(sides, np.abs(found), found)

    measures = measures - measures.mean(axis=1, keepdims=True)  # t does not change, and the sums are more exact
    own = _welch(shares, measures[:, None, :])
    statistics[:, fits] = own[:, 0]
    times = int(np.clip(_ENTRIES // len(units), _FEWEST_PERMUTATIONS, _MOST_PERMUTATIONS))
    rng = np.random.default_rng(seed)
    largest = np.empty(times)
    at_once = max(1, _AT_ONCE // measures.size)
    for start in range(0, times, at_once):
        orders = np.stack([rng.permutation(len(units)) for _ in range(min(at_once, times - start))])
        found = extreme(_welch(shares, measures[:, orders]))
        largest[start : start + len(orders)] = found.max(axis=(0, 2))
    reached = (largest[:, None, None] >= extreme(own)[None, :, 0] - 1e-9).sum(axis=0)
    adjusted[:, fits] = (1 + reached) / (1 + times)
    limit = float(np.quantile(largest, 1 - LEVEL, method="higher"))
    return Search(statistics, adjusted, limit, int(fits.sum()))


def _welch(shares: Floats, values: Floats) -> Floats:
    """Return Welch's t of each slice against the rest [M, B, S].

    `shares` [U, S]; `values` [M, B, U]: B arrangements of each measure. Zero where nothing varies.
    """
    sizes = shares.sum(axis=0)
    rest = len(shares) - sizes
    sums, squares = values @ shares, values**2 @ shares
    total, all_squares = values.sum(axis=-1, keepdims=True), (values**2).sum(axis=-1, keepdims=True)
    mean, other = sums / sizes, (total - sums) / rest
    error = _squared_error(squares / sizes - mean**2, sizes) + _squared_error(
        (all_squares - squares) / rest - other**2, rest
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(error > 1e-18, (mean - other) / np.sqrt(error), 0.0)
    return found


def _squared_error(variance: Floats, count: Floats) -> Floats:
    squared: Floats = np.maximum(variance, 0.0) / (count - 1)
    return squared

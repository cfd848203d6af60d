"""Each annotator of a panel against the others: rank correlation, watch agreement, BT.500, and drift.

Every function takes the votes as columns [V] and returns one entry for each annotator [M]. 'The others' are all votes
on the same photo by other annotators; votes on photos that nobody else rated are left out.

Sources: Fieller, Hartley & Pearson (1957), 'Tests for rank correlation coefficients. I', for the variance 1.06/(n − 3)
of Fisher's z of Spearman's correlation; ITU-R BT.500, Annex 1, 2.3.1, for the screening of observers, as described by
others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_Z = 1.96  # two-sided 95 %
_FIELLER = 1.06
_MOST = 0.999  # correlations beyond this have no finite Fisher z
_NOTHING = 1e-9  # a difference of sums of weights below this is 0
_BT500_FEWEST_VOTES = 4  # a kurtosis needs four votes


@dataclass(frozen=True)
class Panel:
    """Votes as columns [V]: places of photo and annotator (0 … N − 1, 0 … M − 1), score, and watch label."""

    photo: Ints
    rater: Ints
    scores: Floats
    watch: NDArray[np.int8]
    """1 watch, 0 no watch, -1 unsure."""
    raters: int
    """M. Annotators without votes are allowed."""

    @classmethod
    def of(
        cls, image_ids: ArrayLike, rater: ArrayLike, scores: ArrayLike, watch: ArrayLike | None = None, *, raters: int
    ) -> "Panel":
        """Return the panel of votes with image ids and places of annotators; without `watch` all are unsure.

        Raises ValueError for columns of different length or a place outside 0 … raters − 1.
        """
        _, photo = np.unique(np.asarray(image_ids).ravel(), return_inverse=True)
        place, given = np.asarray(rater, dtype=np.int64).ravel(), np.asarray(scores, dtype=np.float64).ravel()
        label = np.full(len(given), -1) if watch is None else np.asarray(watch).ravel()
        if not len(photo) == len(place) == len(given) == len(label):
            raise ValueError(f"{len(photo)} photos, {len(place)} annotators and {len(given)} scores do not match.")
        if len(place) and not 0 <= place.min() <= place.max() < raters:
            raise ValueError(f"The places of {raters} annotators are 0 … {raters - 1}.")
        return cls(photo.astype(np.int64), place, given, label.astype(np.int8), raters)

    def others_means(self, counted: ArrayLike | None = None) -> tuple[Floats, NDArray[np.bool_]]:
        """Return for each vote the mean of the others' scores, and whether there is one.

        `counted` [M]: how much the votes of each annotator count among the others, 0 to 1; fully without it.
        """
        weight = np.ones(len(self.rater)) if counted is None else np.asarray(counted, dtype=np.float64)[self.rater]
        count = np.bincount(self.photo, weight)[self.photo] - weight
        total = np.bincount(self.photo, weight * self.scores)[self.photo] - weight * self.scores
        has_others = count > _NOTHING
        return np.divide(total, count, out=np.full(len(total), np.nan), where=has_others), has_others

    def of_each(self, kept: NDArray[np.bool_]) -> list[Ints]:
        """Return the places of the kept votes of each annotator, in their order."""
        places = np.flatnonzero(kept)
        order = places[np.argsort(self.rater[places], kind="stable")]
        return np.split(order, np.searchsorted(self.rater[order], np.arange(1, self.raters)))


def rank_interval(correlation: float, n: int) -> Interval:
    """Return Spearman's correlation of n pairs with Fisher's interval, tanh(atanh r ± 1.96·√(1.06/(n − 3))).

    The interval is [-1, 1] for fewer than four pairs.
    """
    if n < 4 or np.isnan(correlation):
        return Interval(correlation, -1.0, 1.0, n)
    centre = np.arctanh(np.clip(correlation, -_MOST, _MOST))
    half = _Z * np.sqrt(_FIELLER / (n - 3))
    return Interval(correlation, float(np.tanh(centre - half)), float(np.tanh(centre + half)), n)


def rank_correlations(panel: Panel, *, counted: ArrayLike | None = None) -> list[Interval]:
    """Return each annotator's rank correlation of own scores with the others' means [M].

    NaN with fewer than four photos or where all scores or all means are equal.
    """
    from scipy.stats import rankdata

    others, has_others = panel.others_means(counted)
    found = []
    for mine in panel.of_each(has_others):
        own, means = panel.scores[mine], others[mine]
        # Not scipy.stats.spearmanr, which also computes a p-value and takes ten times as long.
        is_defined = len(mine) > 3 and np.ptp(own) > 0 and np.ptp(means) > 0
        value = float(np.corrcoef(rankdata(own), rankdata(means))[0, 1]) if is_defined else float("nan")
        found.append(rank_interval(value, len(mine)))
    return found


@dataclass(frozen=True)
class WatchAgreement:
    """An annotator's watch labels against the majority of the others, over n photos with a majority."""

    hits: int
    n: int
    chance: float
    """Agreement of labels given at random with the same shares, where Cohen's kappa is 0; NaN for n = 0."""


def watch_agreements(panel: Panel, *, counted: ArrayLike | None = None) -> list[WatchAgreement]:
    """Return the watch agreement of each annotator [M]. 'Unsure' and ties of the others are left out."""
    weight = np.ones(len(panel.rater)) if counted is None else np.asarray(counted, dtype=np.float64)[panel.rater]
    decided = panel.watch >= 0
    signed = np.where(decided, 2.0 * panel.watch - 1, 0.0)
    balance = np.bincount(panel.photo, weight * signed)[panel.photo] - weight * signed
    kept = decided & (np.abs(balance) > _NOTHING)
    majority = (balance > 0).astype(np.int8)
    found = []
    for mine in panel.of_each(kept):
        own, others = panel.watch[mine], majority[mine]
        if not len(mine):
            found.append(WatchAgreement(0, 0, float("nan")))
            continue
        yes, also = float(own.mean()), float(others.mean())
        found.append(WatchAgreement(int((own == others).sum()), len(mine), yes * also + (1 - yes) * (1 - also)))
    return found


@dataclass(frozen=True)
class Bt500Counts:
    """BT.500's counts for one annotator: scores far above (P) and far below (Q) those of the panel, of n votes."""

    above: int
    below: int
    n: int

    @property
    def is_rejected(self) -> bool:
        """Return whether (P + Q)/n > .05 and |P − Q|/(P + Q) < .3."""
        outside = self.above + self.below
        return self.n > 0 and outside / self.n > 0.05 and abs(self.above - self.below) / outside < 0.3


def bt500_counts(panel: Panel) -> list[Bt500Counts]:
    """Return the counts of each annotator [M], from photos with at least four different votes.

    'Far' is 2 standard deviations from the photo's mean where the kurtosis is in [2, 4], else √20.
    """
    count = np.bincount(panel.photo).astype(np.float64)
    mean = np.bincount(panel.photo, panel.scores) / count
    distance = panel.scores - mean[panel.photo]
    second = np.bincount(panel.photo, distance**2) / count
    fourth = np.bincount(panel.photo, distance**4) / count
    kurtosis = np.divide(fourth, second**2, out=np.zeros(len(count)), where=second > 0)
    deviation = np.sqrt(second * count / np.maximum(count - 1, 1))
    limit = deviation * np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, np.sqrt(20.0))
    kept = ((count >= _BT500_FEWEST_VOTES) & (second > 0))[panel.photo]
    return [
        Bt500Counts(
            above=int((distance[mine] >= limit[panel.photo[mine]]).sum()),
            below=int((distance[mine] <= -limit[panel.photo[mine]]).sum()),
            n=len(mine),
        )
        for mine in panel.of_each(kept)
    ]


def slope_interval(x: ArrayLike, y: ArrayLike) -> Interval:
    """Return the slope of y [n] on x [n] by least squares, in units of y per unit of x, with Student's t interval.

    NaN with fewer than three points or where all x are equal.
    """
    from scipy.stats import linregress, t

    along, values = np.asarray(x, dtype=np.float64).ravel(), np.asarray(y, dtype=np.float64).ravel()
    n = len(along)
    if n < 3 or not np.ptp(along):
        return Interval(float("nan"), float("nan"), float("nan"), n)
    fit = linregress(along, values)
    half = float(t.ppf(0.975, n - 2) * fit.stderr)
    return Interval(float(fit.slope), float(fit.slope) - half, float(fit.slope) + half, n)

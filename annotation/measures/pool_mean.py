"""The mean of all photos of a pool, from the votes on a random sample of them and from predictions of all.

**The classical mean** is that of the sampled photos. **The prediction-powered mean** adds what the predictions know:

    mean = λ·(mean prediction of all photos) + mean over the sample of (vote mean − λ·prediction)

Source: Angelopoulos, Duchi & Zrnic (2023), 'PPI++: Efficient Prediction-Powered Inference', arXiv:2311.01453. The
weight λ is the one with the smallest variance ('power tuning'): the slope of votes on predictions in the sample.
Predictions that know nothing get the weight 0, and predictions that are wrong by a constant do no harm. Surveys know
the same as the regression estimator (Särndal, Swensson & Wretman, 1992, 'Model Assisted Survey Sampling', chapter 6).
Here the sampled photos are a part of the pool, as there, so λ is not divided by 1 + n/N.

What the sample must be: photos that were chosen without a look at their prediction, and that the model has not learned
from. The photos with predictions that `predicted` counts are a random part of the pool too, for example the holdout.

**Variance.** With n sampled photos, N photos with predictions and P photos in the pool:

    classical = V·(1 − (1 − q)·n/P)
    powered = classical − (1 − n/N)·(s²(vote mean) − s²(vote mean − λ·prediction))/n

V is the variance of a mean over the sample in which groups of near-duplicates are drawn whole (Cochran, 1977, 'Sampling
Techniques', chapter 9): the groups of the N photos are a sample of those of the pool. The n photos are drawn one by one
from the N, so what predictions save is a variance s² of single photos (two-phase sampling; Särndal, Swensson & Wretman,
chapter 9). q is the part of the variance of vote means that is noise of the votes: it remains when all photos of the
pool have votes. `noise=1` leaves out that the pool is finite, and is never too narrow.

**Few labels.** Quantiles are Student's with the number of groups − 1 degrees of freedom. The prediction-powered mean
loses one more for λ, and s² of the rest is multiplied by (n − 1)/(n − 2). **Shares** have Wilson's interval with the
effective number of photos p·(1 − p)/variance (Kott & Carr, 1997). One more photo on which votes and predictions differ
is added to their variance, because a sample without any such photo does not say that there is none. `make bench
NAME=audit` counts how often the intervals are right.
"""

from dataclasses import dataclass
from math import inf, isfinite, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import CONFIDENCE, Interval

Floats = NDArray[np.float64]

#: With fewer groups of near-duplicates in the sample, an interval would rest on chance.
FEWEST_GROUPS = 30
#: A share needs this many photos on each side.
FEWEST_OF_EACH = 5

_UNKNOWN = Interval(nan, nan, nan, 0)
# Of the standard deviation: a step for derivatives, wide enough that some photos change their class.
_STEP = 0.3


@dataclass(frozen=True)
class PoolMean:
    """Both estimates of one mean, from the same votes."""

    powered: Interval
    """Prediction-powered; its `n` and `groups` are those of the sample."""
    classical: Interval
    """Of the votes alone."""
    weight: float
    """λ: how far the predictions count. 1: the predictions differ as the votes do; 0: they know nothing."""
    correlation: float
    """Of vote means and predictions in the sample; NaN if either is constant."""
    predicted: int
    """Photos with a prediction, the sample included."""

    @property
    def width_ratio(self) -> float:
        """Return the width of the prediction-powered interval as a part of the classical one; NaN if unknown."""
        before = self.classical.high - self.classical.low
        return (self.powered.high - self.powered.low) / before if before > 0 and isfinite(before) else nan


def classical_mean(
    votes: ArrayLike, *, groups: ArrayLike, pool: float = inf, noise: float = 1.0, is_share: bool = False
) -> Interval:
    """Return the mean of the sampled photos with its 95 % interval; unbounded for one group, NaN without photos.

    `votes` [n]: mean vote of each photo, or its part of votes for a class. `groups` [n]: of near-duplicates. `pool`:
    photos in the pool. `noise`: part of the variance of `votes` that is noise, 0 to 1. `is_share`: values from 0 to 1.
    """
    values, members = _columns(votes, groups)
    n = len(values)
    if not n:
        return _UNKNOWN
    spread = _Spread(members)
    variance = spread.variance(values - values.mean(), extra=float(is_share))
    return pool_interval(
        float(values.mean()),
        variance * (1 - min(n / pool, 1.0) * (1 - noise)),
        n=n,
        groups=spread.groups,
        degrees=spread.groups - 1,
        is_share=is_share,
    )


def powered_mean(
    votes: ArrayLike,
    predictions: ArrayLike,
    *,
    predicted_mean: float,
    predicted: int,
    groups: ArrayLike,
    pool: float = inf,
    noise: float = 1.0,
    is_share: bool = False,
    weight: float | None = None,
) -> PoolMean:
    """Return the prediction-powered mean of the pool beside the classical one.

    `predictions` [n]: of the sampled photos. `predicted_mean`: mean prediction of all `predicted` photos, of which the
    sample is a part. `weight`: λ; None: the best one. The other arguments are those of `classical_mean`. Raises
    ValueError for columns of unequal length, and if fewer photos have a prediction than are in the sample.
    """
    values, members = _columns(votes, groups)
    scores = np.asarray(predictions, dtype=np.float64).ravel()
    n = len(values)
    if len(scores) != n or predicted < n:
        raise ValueError(f"{n} photos with votes do not match {len(scores)} predictions of {predicted} photos.")
    classical = classical_mean(values, groups=members, pool=pool, noise=noise, is_share=is_share)
    spread = _Spread(members)
    if spread.groups < 3:
        return PoolMean(_without_ends(classical), classical, nan, nan, predicted)
    own, other = values - values.mean(), scores - scores.mean()
    weight = _slope(own, other) if weight is None else weight
    value = float(values.mean() + weight * (predicted_mean - scores.mean()))
    rest = own - weight * other
    singles = float(own @ own) / (n - 1) / n
    left = float(rest @ rest) / (n - 2) / n
    saved, finite = 1 - n / predicted, min(n / pool, 1.0) * (1 - noise)
    variance = spread.variance(own, extra=float(is_share)) * (1 - finite) - saved * (singles - left)
    # By chance, groups can differ less than single photos do.
    variance = max(variance, singles * (1 - finite) - saved * (singles - left), 0.0)
    norm = sqrt(float(own @ own) * float(other @ other))
    return PoolMean(
        powered=pool_interval(value, variance, n=n, groups=spread.groups, degrees=spread.groups - 2, is_share=is_share),
        classical=classical,
        weight=weight,
        correlation=float(own @ other) / norm if norm > 0 else nan,
        predicted=predicted,
    )


def common_weight(votes: ArrayLike, predictions: ArrayLike) -> float:
    """Return one weight λ for the shares of several classes, both [n, C]: with it, the estimates add up to 1."""
    own, other = np.asarray(votes, dtype=np.float64), np.asarray(predictions, dtype=np.float64)
    if len(own) < 2:
        return 0.0
    return _slope(own - own.mean(axis=0), other - other.mean(axis=0))


def has_evidence(votes: ArrayLike, *, groups: ArrayLike, is_share: bool) -> bool:
    """Return whether the sample is large enough for an interval: groups, and for a share photos on each side."""
    values, members = _columns(votes, groups)
    if len(np.unique(members)) < FEWEST_GROUPS:
        return False
    return not is_share or bool(min(values.sum(), (1 - values).sum()) >= FEWEST_OF_EACH)


def class_parts(
    vote_means: ArrayLike, vote_counts: ArrayLike, *, variance: float, limits: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Return what each photo adds to the shares of three classes [n, 3], and the shares [3]: their means.

    The classes are those of the opinion of everybody: up to the first limit, up to the second, above. Few votes put
    too many photos into the lowest and the highest class, because their means are more spread than the opinion of
    everybody. So each mean is moved towards the mean of all by √r, where r = τ²/(τ² + s²/k) is the reliability of k
    votes (Louis, 1984, 'Estimating a population of parameter values using Bayes and empirical Bayes methods').
    `variance`: s², of votes on one photo; means are not moved if it is unknown (NaN).

    The mean and the spread of the sample are themselves inexact. A photo's part therefore is not only 0 or 1: it also
    has the photo's own effect on both, by the first derivative of the shares. The parts can be used as votes of
    `powered_mean`.
    """
    means = np.asarray(vote_means, dtype=np.float64).ravel()
    counts = np.asarray(vote_counts, dtype=np.float64).ravel()
    hits = _in_classes(means, 1 / counts, limits)
    total = float(means.var(ddof=1)) if len(means) > 2 else 0.0
    if not variance > 0 or not total > 0:
        return hits, hits.mean(axis=0) if len(hits) else np.full(3, nan)
    noise = variance / counts
    centre, between = float(means.mean()), max(total - float(noise.mean()), 0.01 * total)

    def moved(middle: float, spread: float) -> Floats:
        root = np.sqrt(spread / (spread + noise))
        return _in_classes(middle + root * (means - middle), root / counts, limits)

    hits = moved(centre, between)
    step, far = _STEP * sqrt(total), _STEP * between
    by_centre = (moved(centre + step, between) - moved(centre - step, between)).mean(axis=0) / (2 * step)
    by_spread = (moved(centre, between + far) - moved(centre, between - far)).mean(axis=0) / (2 * far)
    own = means - centre
    parts: Floats = hits + own[:, None] * by_centre + (own**2 - np.mean(own**2))[:, None] * by_spread
    return parts, hits.mean(axis=0)


def pool_interval(value: float, variance: float, *, n: int, groups: int, degrees: int, is_share: bool) -> Interval:
    """Return the 95 % interval of an estimated mean: Student's, or of a share Wilson's with the effective number.

    `n` photos in `groups` of near-duplicates. A share of 0 or 1 has no spread; it then rests on as many photos as there
    are groups. An infinite variance gives an unbounded interval, of a share 0 to 1.
    """
    from scipy.special import stdtrit  # importing SciPy takes long, and most web processes do not need it

    error = sqrt(variance)
    quantile = float(stdtrit(max(degrees, 1), (1 + CONFIDENCE) / 2))
    if not is_share:
        return Interval(value, value - quantile * error, value + quantile * error, n, groups, error)
    if not isfinite(variance):
        return Interval(value, 0.0, 1.0, n, groups, error)
    share = min(max(value, 0.0), 1.0)
    photos = share * (1 - share) / variance if 0 < share < 1 and variance > 0 else float(groups)
    square = quantile**2 / max(photos, 1.0)
    middle = (share + square / 2) / (1 + square)
    half = quantile / (1 + square) * sqrt(share * (1 - share) / max(photos, 1.0) + square / (4 * max(photos, 1.0)))
    return Interval(share, max(middle - half, 0.0), min(middle + half, 1.0), n, groups, error)


def _in_classes(scores: Floats, widths: Floats, limits: tuple[float, float]) -> Floats:
    """Return the part of each score in each class [n, 3].

    Means of k whole votes lie 1/k apart, the opinion of everybody anywhere: each score is spread evenly over `widths`.
    """
    below = [np.clip((limit - scores) / widths + 0.5, 0.0, 1.0) for limit in limits]
    return np.stack([below[0], below[1] - below[0], 1 - below[1]], axis=-1)


def _without_ends(found: Interval) -> Interval:
    """Return the value with ends that say nothing: the slope of fewer than three groups is unknown."""
    return Interval(found.value, -inf, inf, found.n, found.groups)


class _Spread:
    """Sums over the groups of near-duplicates of a sample."""

    def __init__(self, members: NDArray[np.generic]) -> None:
        _, self._group = np.unique(members, return_inverse=True)
        self.photos = len(members)
        self.groups = int(self._group.max()) + 1 if self.photos else 0

    def variance(self, rest: Floats, *, extra: float) -> float:
        """Return the variance of a mean, from the differences of its photos [n]; infinite for one group."""
        if self.groups < 2:
            return inf
        sums = np.bincount(self._group, rest)
        return float(sums @ sums + extra) / self.photos**2 * self.groups / (self.groups - 1)


def _slope(own: Floats, other: Floats) -> float:
    """Return the weight with the smallest sum of squares of `own` − weight·`other`, both centred."""
    square = float(np.sum(other**2))
    return float(np.sum(own * other)) / square if square > 1e-12 * len(other) else 0.0


def _columns(votes: ArrayLike, groups: ArrayLike) -> tuple[Floats, NDArray[np.generic]]:
    values, members = np.asarray(votes, dtype=np.float64).ravel(), np.asarray(groups).ravel()
    if len(values) != len(members):
        raise ValueError(f"Each of the {len(values)} photos needs a group, but there are {len(members)} groups.")
    return values, members

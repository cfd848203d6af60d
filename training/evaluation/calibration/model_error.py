"""How far a prediction is from the opinion of all people, apart from the scatter of the few votes on each photo.

The difference of a prediction from a MOS has two parts: the error of the model, with variance τ², and the error of the
MOS, with variance s²/n for n votes. So the typical |difference| grows with τ even where votes are few. τ comes from the
median of |difference| / √(τ² + s²/n), which is .6745 for normal differences. The median is hardly changed by the few
photos on which model and people truly disagree; the mean square would hide them by making τ large.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures import opinion
from annotation.measures.vote_variance import VoteVariance

Floats = NDArray[np.float64]

_MEDIAN = 0.674489750196  # of |z| for a standard normal z
_STEPS = 60


def mos_variances(histograms: ArrayLike, variance: VoteVariance) -> Floats:
    """Return the squared standard error of the MOS of each photo [N], squared points, from score histograms [N, K].

    The variance of a photo's votes is moved towards the campaign's, as in `annotation.measures.vote_variance`. 0 when
    the campaign's is unknown.
    """
    counts = np.asarray(histograms, dtype=np.float64)
    n = counts.sum(axis=-1)
    if not variance.is_known:
        return np.zeros(len(counts))
    free = np.maximum(n - 1, 0.0)
    squares = np.where(n > 1, np.nan_to_num(opinion.sos(counts)) ** 2, 0.0)
    spread = (free * squares + variance.degrees * variance.mean) / (free + variance.degrees)
    of_mos: Floats = spread / np.maximum(n, 1e-9)
    return of_mos


def model_error(difference: ArrayLike, of_mos: ArrayLike) -> float:
    """Return τ, the typical error of the model in points, from differences and squared errors of the MOS, [N] each.

    0 when the scatter of the votes explains all differences. NaN without photos.
    """
    absolute, noise = np.abs(np.asarray(difference, dtype=np.float64)), np.asarray(of_mos, dtype=np.float64)
    if not len(absolute):
        return float("nan")

    def median(tau: float) -> float:
        return float(np.median(absolute / np.sqrt(np.maximum(tau**2 + noise, 1e-18))))

    low, high = 0.0, float(absolute.max()) / _MEDIAN
    if median(low) <= _MEDIAN:
        return 0.0
    for _ in range(_STEPS):  # the median falls as τ grows
        middle = (low + high) / 2
        low, high = (middle, high) if median(middle) > _MEDIAN else (low, middle)
    return (low + high) / 2

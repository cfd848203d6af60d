"""Means over a pool from photos that were not drawn uniformly: importance weights (LURE) and what they are worth.

Active learning asks about unusual photos, so the plain mean over them says nothing about the pool. LURE weights each
draw by how unlikely it was: Farquhar, Gal & Rainforth (2021), 'On Statistical Bias In Active Learning: How and When To
Fix It', arXiv:2101.11665. The weighted mean is unbiased if

1. draw m takes one of the N − m + 1 photos that were not drawn before, and each of them can be drawn;
2. the stored probability is that of this photo among them;
3. draws do not depend on the labels of photos that are not drawn yet.

The queue of a campaign (`annotation.services.queue_lanes`) fulfils them only in part:

* With more than one vote a photo, a draw can give a photo that others have answered (against 1). Only the first draw of
  each photo can be used then, and the stored probabilities are too small by a factor that is not known.
* The stored probability is over the photos that are open to one annotator, and the next annotator has had others
  (against 2).
* The part of the lane `random` is the gap between two queue positions, not 1/N. A photo with a small gap that is drawn
  gets a huge weight: gaps are nearly exponential, and the mean of 1/gap is infinite. Queue positions have nothing to do
  with what a photo shows, so the probability averaged over them, share/N, is as right and has no such weights.

Lanes other than `random` always take the first photo of an order, with nearly their whole share as probability, so the
weights of their draws are close to 0. LURE then rests on the draws of the lane `random` alone, and is less exact than
the plain mean of the audit photos (`make bench NAME=audit`). Pages show weights that know the lane of each draw instead
(`annotation.measures.weighted_mean`).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def lure_weights(probabilities: ArrayLike, pool: int) -> Floats:
    """Return the weight of each draw [M]; their expected mean is 1.

    `probabilities` [M]: of each draw at its time, in the order of the draws, above 0 and at most 1. `pool`: N photos,
    before the first draw. The mean of weight·value over the draws estimates the mean value of the pool. Raises
    ValueError for other probabilities, and with more draws than photos.
    """
    chances = np.asarray(probabilities, dtype=np.float64).ravel()
    draws = len(chances)
    if draws > pool:
        raise ValueError(f"{draws} draws without return are more than the {pool} photos of the pool.")
    if not np.all((chances > 0) & (chances <= 1)):
        raise ValueError("Probabilities of draws are above 0 and at most 1.")
    place = np.arange(1, draws + 1)
    if draws == pool:
        return np.ones(draws)
    weights: Floats = 1 + (pool - draws) / (pool - place) * (1 / ((pool - place + 1) * chances) - 1)
    return weights


def effective_sample_size(weights: ArrayLike) -> float:
    """Return (Σw)²/Σw²: how many draws of equal weight would be as exact (Kish, 1965, 'Survey Sampling'). 0 for none.

    It holds when values and weights have nothing to do with each other.
    """
    numbers = np.asarray(weights, dtype=np.float64).ravel()
    squares = float(numbers @ numbers)
    return float(numbers.sum()) ** 2 / squares if squares > 0 else 0.0

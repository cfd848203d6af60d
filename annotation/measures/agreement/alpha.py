"""Krippendorff's alpha: agreement between annotators beyond chance, with missing votes.

Source: Krippendorff (2011), 'Computing Krippendorff's alpha-reliability'. Alpha is 1 − D_o/D_e, where D_o is the mean
squared difference of two votes on one photo and D_e that of any two votes. What a difference is depends on the level:
nominal (equal or not), ordinal (the votes between both, as mean ranks) or interval (points).
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.measures.intervals import CONFIDENCE, Interval, resample_count

Floats = NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval"]


def krippendorff_alpha(counts: ArrayLike, *, level: Level, values: ArrayLike | None = None, seed: int = 0) -> Interval:
    """Return alpha of votes, at most 1, with its bootstrap interval over photos; n is the number of photos it uses.

    `counts` [N, K]: how often each value was given to each photo, for example score histograms. `values` [K] are the
    values, ascending; the default is 0, 1, 2 … Photos with fewer than two votes are left out. 0 is agreement by chance,
    and it can be below 0. NaN when it is undefined: no photo has two votes, or all votes are equal. The same seed gives
    the same interval.
    """
    table = np.asarray(counts, dtype=np.float64)
    table = table[table.sum(axis=1) > 1]
    photos = len(table)
    points = np.arange(table.shape[1], dtype=np.float64) if values is None else np.asarray(values, dtype=np.float64)
    value = float(_alphas(table, np.ones((1, photos)), level, points)[0]) if photos else float("nan")
    if np.isnan(value) or photos == 1:
        return Interval(value, value, value, photos)
    rng = np.random.default_rng(seed)
    drawn = []
    left = resample_count(photos)
    while left:
        batch = min(left, max(1, 2_000_000 // photos))
        weights = rng.multinomial(photos, np.full(photos, 1 / photos), size=batch).astype(np.float64)
        drawn.append(_alphas(table, weights, level, points))
        left -= batch
    known = np.concatenate(drawn)
    known = known[~np.isnan(known)]
    if not len(known):
        return Interval(value, value, value, photos)
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(value, min(float(low), value), max(float(high), value), photos)


def _alphas(table: Floats, weights: Floats, level: Level, points: Floats) -> Floats:
    """Return alpha [B] of photos [N, K] that count `weights` [B, N] times each."""
    votes = table.sum(axis=1)
    given = weights @ table  # how often each value was given [B, K]
    total = given.sum(axis=1)
    if level == "nominal":
        observed = weights @ ((votes**2 - (table**2).sum(axis=1)) / (votes - 1))
        chance = (total**2 - (given**2).sum(axis=1)) / (total - 1)
    else:
        # The ordinal difference of two values is that of their mean ranks among all votes.
        places = np.cumsum(given, axis=1) - given / 2 if level == "ordinal" else np.tile(points, (len(weights), 1))
        places = places - (given * places).sum(axis=1, keepdims=True) / total[:, np.newaxis]
        observed = _squares(table, votes, weights, places)
        chance = 2 * total * (given * places**2).sum(axis=1) / (total - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        alphas: Floats = np.where(chance > 0, 1 - observed / chance, np.nan)
    return alphas


def _squares(table: Floats, votes: Floats, weights: Floats, places: Floats) -> Floats:
    """Return Σ over the photos of Σ (difference)² over ordered pairs of votes / (votes − 1), [B]."""
    pairs = table * (2 * votes / (votes - 1))[:, np.newaxis]
    sums: Floats = ((weights @ pairs) * places**2).sum(axis=1)
    share = weights * (2 / (votes - 1))
    for row, place in enumerate(places):
        sums[row] -= share[row] @ (table @ place) ** 2
    return sums

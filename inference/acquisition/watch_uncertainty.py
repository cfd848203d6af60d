"""How unsure it is whether a photo shows a watch, after what the model says and people answered."""

import numpy as np
from numpy.typing import NDArray

from inference.acquisition.strategy import Pool

# One answer moves the log odds by this: of a hundred answers five are wrong.
_ANSWER = float(np.log(0.95 / 0.05))
_LIMIT = 1e-6


def distance_from_threshold(pool: Pool) -> NDArray[np.float64]:
    """Return how far each photo is from the threshold, on the scale of log odds, [N], 0 or more; NaN: no prediction.

    Votes for and against a watch move the log odds as answers do that are right 95 times in 100. Each live lease adds
    as much distance, because its answer will.
    """
    if pool.watch_probability is None:
        return np.full(len(pool), np.nan)
    threshold = 0.5 if pool.watch_threshold is None else pool.watch_threshold
    odds = log_odds(pool.watch_probability) - float(log_odds(np.array(threshold)))
    if pool.watch_yes is not None and pool.watch_no is not None:
        odds = odds + _ANSWER * (pool.watch_yes - pool.watch_no)
        expected = pool.leases
    else:
        expected = pool.leases + pool.votes
    return np.asarray(np.abs(odds) + _ANSWER * expected, dtype=np.float64)


def probability_at_half(pool: Pool) -> NDArray[np.float64]:
    """Return the probability of a watch mapped so that the threshold becomes ½, [N]; NaN: no prediction.

    0 … threshold is stretched to 0 … ½ and threshold … 1 to ½ … 1.
    """
    if pool.watch_probability is None:
        return np.full(len(pool), np.nan)
    threshold = float(np.clip(0.5 if pool.watch_threshold is None else pool.watch_threshold, _LIMIT, 1 - _LIMIT))
    given = pool.watch_probability
    return np.where(given < threshold, given / threshold / 2, 0.5 + (given - threshold) / (1 - threshold) / 2)


def log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ln(p / (1 − p)) of probabilities, cut at 1e-6 from 0 and 1."""
    clipped = np.clip(probability, _LIMIT, 1 - _LIMIT)
    return np.asarray(np.log(clipped / (1 - clipped)), dtype=np.float64)

"""How much each vote counts in a fit. A reviewer can give the votes of an annotator a weight below 1."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def vote_weights(weights: ArrayLike | None, votes: int) -> NDArray[np.float64]:
    """Return the weight of each vote [V], all 1 for None.

    Raises ValueError for another number of weights, and for weights that are not above 0 and finite.
    """
    if weights is None:
        return np.ones(votes)
    given = np.asarray(weights, dtype=np.float64).ravel()
    if len(given) != votes:
        raise ValueError(f"{len(given)} weights do not match {votes} votes.")
    if not np.all((given > 0) & np.isfinite(given)):
        raise ValueError("Weights are above 0; leave out votes that do not count.")
    return given

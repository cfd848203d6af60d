"""Photos with the fewest votes first."""

import numpy as np
from numpy.typing import NDArray

from inference.acquisition.strategy import Pool


class FewestVotesFirst:
    """The photo with the fewest votes and live leases; ties are broken at random."""

    name = "fewest_votes"
    label = "Fewest votes first"
    description = "The photo with the fewest votes so far, so that every photo gets a first vote early."
    reason = "fewest votes: {votes} of {votes_needed}"
    columns: frozenset[str] = frozenset()

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return −(votes + live leases) + a uniform number in [0, 1) that breaks ties, [N]."""
        return (pool.open_slots - pool.votes_needed) + rng.random(len(pool))

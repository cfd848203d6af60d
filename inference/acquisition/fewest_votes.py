"""Photos with the fewest votes first."""

import numpy as np
from numpy.typing import NDArray

from inference.acquisition.strategy import Pool


class FewestVotesFirst:
    """The photo with the fewest votes, live leases included; among equals, a random one."""

    name = "fewest_votes"
    label = "Fewest votes first"
    description = "The photo with the fewest votes so far, so that all photos get their first vote before any its last."
    reason = "fewest votes: {votes} of {votes_needed}"

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return minus votes and live leases, plus a uniform number in [0, 1) that orders ties, [N]."""
        return (pool.open_slots - pool.votes_needed) + rng.random(len(pool))

"""Photos with the fewest votes first."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from inference.acquisition.selection import priorities_of
from inference.acquisition.strategy import Pool


class FewestVotesFirst:
    """The photo with the fewest votes and live leases; ties are broken at random."""

    name = "fewest_votes"
    label = gettext_noop("Fewest votes first")
    description = gettext_noop("The photo with the fewest votes so far, so that every photo gets a first vote early.")
    reason = "fewest votes: {votes} of {votes_needed}"
    columns: frozenset[str] = frozenset({"groups"})
    score_column: str | None = None
    split: Literal["train", "holdout"] | None = None

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return priorities by −(votes + live leases), [N]."""
        return priorities_of(pool.open_slots - pool.votes_needed, pool, rng)

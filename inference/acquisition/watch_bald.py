"""Photos about which the members of an ensemble disagree."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from inference.acquisition.selection import priorities_of
from inference.acquisition.strategy import Pool
from inference.acquisition.typical_first import typical_priorities


class WatchBald:
    """The photo whose watch label tells most about which member of an ensemble is right.

    BALD: Houlsby, Huszár, Ghahramani and Lengyel, "Bayesian Active Learning for Classification and Preference
    Learning", 2011, arXiv:1112.5745. It leaves out photos that all members find equally unclear.
    """

    name = "watch_bald"
    label = gettext_noop("Models disagree about a watch")
    description = gettext_noop(
        "The photo about which several models, learned from different samples of the answers, disagree. "
        "It leaves out photos that are unclear to all of them."
    )
    reason = "small models of the queue contradict each other whether it shows a watch"
    columns: frozenset[str] = frozenset({"features", "answered_features", "groups", "watch_spread"})
    score_column: str | None = "watch_spread"
    split: Literal["train", "holdout"] | None = "train"

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return priorities by mutual information in nats / (1 + votes + live leases), [N]."""
        if pool.watch_spread is None or np.isnan(pool.watch_spread).all():
            return typical_priorities(pool, rng)
        return priorities_of(pool.watch_spread / (1 + pool.votes + pool.leases), pool, rng, mixed=True)

"""Photos that the model nearly decides the other way: margin sampling."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from inference.acquisition.selection import priorities_of
from inference.acquisition.strategy import Pool
from inference.acquisition.typical_first import typical_priorities
from inference.acquisition.watch_uncertainty import distance_from_threshold


class WatchMargin:
    """The photo whose log odds of a watch are next to those of the deployed threshold.

    Lewis and Gale, "A Sequential Algorithm for Training Text Classifiers", SIGIR 1994, arXiv:cmp-lg/9407020.
    """

    name = "watch_margin"
    label = gettext_noop("Unsure about a watch")
    description = gettext_noop(
        "The photo that the model is least sure about: a little more, and it would decide otherwise. "
        "For finding watches it needs the fewest answers."
    )
    reason = "the queue's own model is unsure whether it shows a watch"
    columns: frozenset[str] = frozenset(
        {"features", "answered_features", "groups", "watch_probability", "watch_threshold", "watch_yes", "watch_no"}
    )
    score_column: str | None = "watch_probability"
    split: Literal["train", "holdout"] | None = "train"

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return priorities by −|log odds − log odds of the threshold| after the votes so far, [N]."""
        distance = distance_from_threshold(pool)
        if np.isnan(distance).all():
            return typical_priorities(pool, rng)
        return priorities_of(-distance, pool, rng, mixed=True)

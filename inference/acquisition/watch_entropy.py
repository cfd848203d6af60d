"""Photos with the most uncertain watch label, the threshold being the most uncertain place."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from inference.acquisition.selection import priorities_of
from inference.acquisition.strategy import Pool
from inference.acquisition.typical_first import typical_priorities
from inference.acquisition.watch_uncertainty import probability_at_half


class WatchEntropy:
    """The photo whose watch label has the highest entropy, shared among its votes and live leases.

    Settles, "Active Learning Literature Survey", University of Wisconsin 2009, section 3.1. The probability is mapped
    so that the deployed threshold has the highest entropy.
    """

    name = "watch_entropy"
    label = gettext_noop("Most uncertain watch label")
    description = gettext_noop(
        "The photo whose watch label is most uncertain at the model's threshold. "
        "It is close to 'unsure about a watch', but looks at votes only by their number."
    )
    reason = "its watch label is uncertain"
    columns: frozenset[str] = frozenset(
        {"features", "answered_features", "groups", "watch_probability", "watch_threshold"}
    )
    score_column: str | None = "watch_probability"
    split: Literal["train", "holdout"] | None = "train"

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return priorities by entropy in nats / (1 + votes + live leases), [N]."""
        mapped = probability_at_half(pool)
        if np.isnan(mapped).all():
            return typical_priorities(pool, rng)
        inside = np.clip(mapped, 1e-12, 1 - 1e-12)
        entropy = -inside * np.log(inside) - (1 - inside) * np.log1p(-inside)
        return priorities_of(entropy / (1 + pool.votes + pool.leases), pool, rng, mixed=True)

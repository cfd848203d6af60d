"""Photos on which model and people disagree beyond both intervals."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from inference.acquisition.selection import priorities_of
from inference.acquisition.strategy import Pool
from inference.acquisition.typical_first import typical_priorities


class Disagreement:
    """The photo with the widest gap between the intervals of the people's and of the model's score.

    Either the votes are wrong or the model is: the next vote says which. Query by disagreement goes back to Seung,
    Opper and Sompolinsky, "Query by Committee", COLT 1992; here the committee is the people and the model.
    """

    name = "disagreement"
    label = gettext_noop("People and model disagree")
    description = gettext_noop(
        "The photo whose votes and predicted score lie furthest apart, more than chance explains. "
        "It finds wrong votes and weak places of the model, and looks only at photos with votes."
    )
    reason = "people and the champion disagree about its score"
    columns: frozenset[str] = frozenset({"features", "answered_features", "groups", "quality_disagreement"})
    score_column: str | None = "quality_disagreement"
    split: Literal["train", "holdout"] | None = "train"

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return priorities by the gap in points, then by fewest votes, [N]."""
        if pool.quality_disagreement is None or np.isnan(pool.quality_disagreement).all():
            return typical_priorities(pool, rng)
        gap = np.nan_to_num(pool.quality_disagreement) / (1 + pool.leases)
        # Photos without a gap follow by votes; the term is smaller than any gap that matters.
        return priorities_of(gap - 1e-6 * (pool.votes + pool.leases), pool, rng)

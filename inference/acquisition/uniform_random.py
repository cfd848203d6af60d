"""A uniformly random photo."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from inference.acquisition.strategy import Pool


class UniformRandom:
    """Any photo, drawn uniformly.

    The queue follows `Image.queue_position` for this lane and needs no priorities; simulations use them.
    """

    name = "random"
    label = gettext_noop("Uniform random")
    description = gettext_noop("Any open photo, drawn at random. Estimates of accuracy rest on this lane.")
    reason = "uniform random"
    columns: frozenset[str] = frozenset()
    score_column: str | None = None
    split: Literal["train", "holdout"] | None = None

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return uniform numbers in [0, 1), [N]."""
        return rng.random(len(pool))

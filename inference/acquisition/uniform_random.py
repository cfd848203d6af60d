"""A uniformly random photo."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inference.acquisition.strategy import Pool


class UniformRandom:
    """Any photo, drawn uniformly.

    The queue follows `Image.queue_position` for this lane and needs no priorities; simulations use them.
    """

    name = "random"
    label = "Uniform random"
    description = "Any open photo, drawn at random. Estimates of accuracy rest on this lane."
    reason = "uniform random"
    columns: frozenset[str] = frozenset()
    split: Literal["train", "holdout"] | None = None

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return uniform numbers in [0, 1), [N]."""
        return rng.random(len(pool))

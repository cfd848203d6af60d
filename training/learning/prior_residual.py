"""The recipe `prior_residual`: the shipped prior, plus a linear residual when there are enough rated photos."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.learning.config import PriorResidualConfig
from training.learning.dataset import RatedImages
from training.learning.recipe import FittedHeads, Report

if TYPE_CHECKING:
    from inference.networks.heads import Heads


class PriorResidual:
    """See `description`; the steps are in `training.learning.fitting`."""

    name = "prior_residual"
    label = "Residual on the prior"
    description = (
        "With few rated photos, it learns the sharpness and tilt of the shipped prior's distributions. With more, it "
        "also learns a linear residual on the prior; held-out folds choose its weight decay."
    )
    version = 1
    config_class = PriorResidualConfig

    def fit(
        self,
        prior: "Heads",
        features: NDArray[np.float32],
        rated: RatedImages,
        *,
        config: PriorResidualConfig,
        seed: int,
        report: Report,
    ) -> FittedHeads:
        """Learn the heads; see `Recipe.fit`."""
        from training.learning.fitting import heads_fit  # loads torch, which web processes must not load

        return heads_fit(prior, features, rated, config=config, seed=seed, report=report)

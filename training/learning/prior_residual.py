"""The recipe `prior_residual`: the shipped prior, plus a linear residual when there are enough rated photos."""

from typing import TYPE_CHECKING

from annotation.language import gettext_noop
from training.learning.config import PriorResidualConfig
from training.learning.recipe import FittedHeads, Report

if TYPE_CHECKING:
    from training.learning.quality_data import QualityData


class PriorResidual:
    """See `description`; the steps are in `training.learning.residual`."""

    name = "prior_residual"
    label = gettext_noop("Residual on the prior")
    description = gettext_noop(
        "With few rated photos, it learns the sharpness and tilt of the shipped prior's distributions. With more, it "
        "also learns a linear residual on the prior; held-out folds choose its weight decay."
    )
    version = 2
    config_class = PriorResidualConfig

    def fit(self, data: "QualityData", *, config: PriorResidualConfig, seed: int, report: Report) -> FittedHeads:
        """Learn the quality head; see `Recipe.fit`."""
        from training.learning.residual_steps import residual_heads_fit  # loads torch

        return residual_heads_fit(data, config=config, seed=seed, report=report)

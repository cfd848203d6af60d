"""The recipe `dirichlet_multinomial`: a linear residual on the prior that learns from the counts of votes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotation.language import gettext_noop
from training.learning.config import PriorResidualConfig
from training.learning.recipe import FittedHeads, Report

if TYPE_CHECKING:
    from training.learning.quality_data import QualityData


@dataclass(frozen=True)
class DirichletMultinomialConfig(PriorResidualConfig):
    """Settings of the recipe; all but `order` are the settings of `prior_residual`."""

    order: float = 0.3


class DirichletMultinomial:
    """See `description`; the steps are in `training.learning.residual`."""

    name = "dirichlet_multinomial"
    label = gettext_noop("Dirichlet-multinomial head")
    description = gettext_noop(
        "It learns a linear residual on the prior's logits from the numbers of votes for each score; held-out folds "
        "choose its weight decay."
    )
    version = 1
    config_class = DirichletMultinomialConfig

    def fit(self, data: "QualityData", *, config: DirichletMultinomialConfig, seed: int, report: Report) -> FittedHeads:
        """Learn the quality head; see `Recipe.fit`."""
        from training.learning.residual_steps import residual_heads_fit  # loads torch

        return residual_heads_fit(data, config=config, seed=seed, report=report)

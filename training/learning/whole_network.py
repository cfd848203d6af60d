"""The recipe `whole_network`: the head first, then all layers of the network."""

from typing import TYPE_CHECKING

from annotation.language import gettext_noop
from training.learning.recipe import FittedHeads, Report
from training.learning.whole_network_config import WholeNetworkConfig

if TYPE_CHECKING:
    from training.learning.quality_data import QualityData


class WholeNetwork:
    """See `description`; the steps are in `training.learning.whole_network_steps`."""

    name = "whole_network"
    label = gettext_noop("Whole network")
    description = gettext_noop(
        "The ridge regression first, then all layers of the network at a low learning rate, with mirrored photos, "
        "until the loss of groups that are left out no longer falls. The version then has a network of its own."
    )
    version = 1
    config_class = WholeNetworkConfig

    def fit(self, data: "QualityData", *, config: WholeNetworkConfig, seed: int, report: Report) -> FittedHeads:
        """Learn head and network; see `Recipe.fit`. Without pixels, or with few photos, only the head learns."""
        from training.learning.whole_network_steps import whole_network_fit  # loads torch

        return whole_network_fit(data, config=config, seed=seed, report=report)

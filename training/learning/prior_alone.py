"""The recipe `prior`: the prior as it is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotation.language import gettext_noop
from training.learning.recipe import FittedHeads, Report

if TYPE_CHECKING:
    from training.learning.quality_data import QualityData


@dataclass(frozen=True)
class PriorConfig:
    """The recipe has no settings."""


class PriorAlone:
    """See `description`."""

    name = "prior"
    label = gettext_noop("Prior alone")
    description = gettext_noop("It keeps the quality head of the prior; only the watch head learns.")
    version = 1
    config_class = PriorConfig

    def fit(self, data: "QualityData", *, config: PriorConfig, seed: int, report: Report) -> FittedHeads:
        """Return the prior's heads; see `Recipe.fit`."""
        from training.learning.quality_heads import heads_copy  # loads torch, which web processes must not load

        return FittedHeads(heads_copy(data.prior), {}, [])

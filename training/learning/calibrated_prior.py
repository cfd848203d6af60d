"""The recipe `calibrated_prior`: the prior with another sharpness and tilt."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotation.language import gettext_noop
from training.learning.recipe import FittedHeads, Report

if TYPE_CHECKING:
    from training.learning.quality_data import QualityData


@dataclass(frozen=True)
class CalibratedPriorConfig:
    """Settings of the recipe."""

    vote_noise: float = 3.7
    """m = (1 − ICC)/ICC: an image with n votes has the weight n/(n + m)."""
    likelihood: float = 0.05
    """Weight of the votes' negative log likelihood beside the squared earth mover's distance."""


class CalibratedPrior:
    """See `description`."""

    name = "calibrated_prior"
    label = gettext_noop("Calibrated prior")
    description = gettext_noop("It learns two numbers: the sharpness and the tilt of the prior's distributions.")
    version = 1
    config_class = CalibratedPriorConfig

    def fit(self, data: "QualityData", *, config: CalibratedPriorConfig, seed: int, report: Report) -> FittedHeads:
        """Learn the two numbers; see `Recipe.fit`."""
        from dataclasses import asdict

        from training.learning.quality_heads import heads_with_logits  # loads torch, which web processes must not load
        from training.learning.residual import calibration_of

        report("Calibrating the quality head", 0.0, [])
        calibration = calibration_of(data, vote_noise=config.vote_noise, likelihood=config.likelihood)
        return FittedHeads(heads_with_logits(data.prior, calibration), {"calibration": asdict(calibration)}, [])

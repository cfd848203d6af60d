"""The steps of the recipes with a residual on the prior's logits."""

from dataclasses import asdict
from enum import StrEnum
from typing import Any

import torch

from training.learning.config import PriorResidualConfig
from training.learning.quality_data import QualityData
from training.learning.quality_heads import heads_with_logits
from training.learning.recipe import FittedHeads, Report
from training.learning.residual import Residual, calibration_of, residual_fit


class HeadCapacity(StrEnum):
    """How much of the quality head is learned."""

    CALIBRATE = "calibrate"
    RESIDUAL = "residual"
    FULL = "full"


def head_capacity(rated: int, config: PriorResidualConfig) -> HeadCapacity:
    """Return the head capacity for a number of rated images."""
    if rated < config.calibrate_below:
        return HeadCapacity.CALIBRATE
    return HeadCapacity.RESIDUAL if rated < config.residual_below else HeadCapacity.FULL


def residual_heads_fit(data: QualityData, *, config: PriorResidualConfig, seed: int, report: Report) -> FittedHeads:
    """Learn a calibration of the prior, and with enough images a residual. Exceptions of `report` are passed on."""
    capacity = head_capacity(len(data), config)
    report("Calibrating the quality head", 0.0, [])
    calibration = calibration_of(data, vote_noise=config.vote_noise, likelihood=config.likelihood)
    residual: Residual | None = None
    if capacity is not HeadCapacity.CALIBRATE:
        full = capacity is HeadCapacity.FULL
        residual = residual_fit(
            calibration.apply(data.inner_logits),
            data.standardised,
            torch.from_numpy(data.rated.histograms),
            groups=data.rated.groups,
            decays=config.full_decays if full else config.residual_decays,
            dropout=config.dropout if full else 0.0,
            to_scale=data.prior.to_scale,
            config=config,
            seed=seed,
            progress=lambda share, history: report("Learning quality", 0.1 + 0.9 * share, history),
            checkpoints=data.checkpoints,
        )
    figures: dict[str, Any] = {"capacity": capacity.value, "calibration": asdict(calibration)}
    if residual is not None:
        figures["residual"] = {
            "decay": residual.decay,
            "trust_in_prior": residual.trust,
            # Of the folds that also chose the decay and the step to stop at: too good for new photos.
            "chosen_loss": residual.validation,
            "chosen_loss_calibrated": residual.calibrated,
        }
    heads = heads_with_logits(data.prior, calibration, residual)
    return FittedHeads(heads, figures, residual.history if residual else [])

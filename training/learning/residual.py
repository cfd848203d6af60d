"""Learn the logits of the quality head: first a calibration with two parameters, then a linear residual on the prior.

The residual W·x on standardised features x starts at zero and has weight decay towards zero, so a small
amount of data hardly changes the prior. It is an ensemble with one member per fold: each member uses its
fold for early stopping. The folds also compare several weight decays, and the result is the average of
the members with the best decay. The average is exact because the members are linear.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.learning.checkpoints import Checkpoints
from training.learning.config import PriorResidualConfig
from training.learning.losses import dirichlet_multinomial_loss, opinion_loss, vote_weights
from training.learning.quality_data import QualityData
from training.learning.recipe import History
from training.learning.sampling import group_folds, principal_directions

# Maps logits of the head's own bins [..., B] to logits of the campaign's scale [..., K].
ToScale = Callable[[Tensor], Tensor]
# Called with the share done (0 … 1) and the history so far. An exception stops the learning.
Progress = Callable[[float, History], None]

# Decay of log sharpness and tilt towards the prior (0), in units of one image's loss.
_CALIBRATION_DECAY = 0.02
_REPORT_EPOCHS = 4
# Epochs between two checkpoints, which take about a second to repeat.
_SAVE_EPOCHS = 20
_CHECKPOINT = "residual"
# Of the Dirichlet-multinomial loss, before anything is learned: e^2 ≈ 7 votes.
_LOG_CONCENTRATION = 2.0
# Added to the standard deviation of each feature, in units of the prior's, so that nearly constant features
# are not scaled up.
_SMALLEST_SPREAD = 0.05


@dataclass(frozen=True)
class Calibration:
    """Logits become sharpness·logits + tilt·c, where c rises linearly from -1 (lowest bin) to 1 (highest)."""

    sharpness: float = 1.0
    tilt: float = 0.0

    def apply(self, logits: Tensor) -> Tensor:
        """Return calibrated logits [..., B]."""
        return self.sharpness * logits + self.tilt * tilt_shape(logits.shape[-1])


@dataclass(frozen=True)
class Residual:
    """Logits become trust·calibrated logits + weight·standardised features + bias."""

    weight: Tensor
    """[B, D]"""
    bias: Tensor
    """[B]"""
    trust: float
    """Weight of the prior's logits; 1: unchanged, 0: ignored."""
    decay: float
    history: History
    validation: float
    """Mean loss of the held-out images of all folds."""
    calibrated: float
    """The same loss without the residual."""


def tilt_shape(bins: int) -> Tensor:
    """Return c [B], rising linearly from -1 to 1."""
    return torch.linspace(-1.0, 1.0, bins)


def calibration_of(data: QualityData, *, vote_noise: float, likelihood: float) -> Calibration:
    """Return the sharpness and tilt that best fit the prior to the votes."""
    histograms = torch.from_numpy(data.rated.histograms)
    return calibration_fit(
        data.inner_logits, histograms, to_scale=data.prior.to_scale, vote_noise=vote_noise, likelihood=likelihood
    )


def calibration_fit(
    logits: Tensor, histograms: Tensor, *, to_scale: ToScale, vote_noise: float, likelihood: float
) -> Calibration:
    """Return the sharpness and tilt that best fit the prior's logits [N, B] to score histograms [N, K]."""
    weights = vote_weights(histograms, noise=vote_noise)
    numbers = torch.zeros(2, requires_grad=True)  # log sharpness, tilt
    optimiser = torch.optim.LBFGS([numbers], max_iter=60, line_search_fn="strong_wolfe")
    shape = tilt_shape(logits.shape[-1])

    def closure() -> Tensor:
        optimiser.zero_grad()
        calibrated = numbers[0].exp() * logits + numbers[1] * shape
        loss = (weights * opinion_loss(to_scale(calibrated), histograms, likelihood=likelihood)).mean()
        loss = loss + _CALIBRATION_DECAY / len(logits) * numbers.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]  # torch gives it no types
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]  # torch gives it no types
    log_sharpness, tilt = numbers.detach().tolist()
    return Calibration(float(np.exp(log_sharpness)), tilt)


def residual_fit(
    base: Tensor,
    standardised: Tensor,
    histograms: Tensor,
    *,
    groups: NDArray[np.generic],
    decays: tuple[float, ...],
    dropout: float,
    to_scale: ToScale,
    config: PriorResidualConfig,
    seed: int,
    progress: Progress,
    checkpoints: Checkpoints | None = None,
) -> Residual:
    """Learn the residual on calibrated logits [N, B] from standardised features [N, D] and histograms [N, K].

    With `config.order`, the loss is that of a Dirichlet-multinomial distribution, whose concentration is learned too.
    All images of a near-duplicate group (`groups` [N]) are in one fold. Exceptions of `progress` are passed on. With
    `checkpoints`, learning that was killed continues from the last one, with the same result to the last bit.
    """
    images, bins, size = len(base), base.shape[1], standardised.shape[1]
    # Standardise again with the campaign's photos: a feature that varied in the prior's photos may be nearly
    # constant here.
    centre, spread = standardised.mean(0), standardised.std(0) + _SMALLEST_SPREAD
    rescaled = (standardised - centre) / spread
    directions = torch.from_numpy(principal_directions(rescaled.numpy(), count=config.directions, seed=seed))
    directions = directions / size**0.5  # so that the coordinates of a typical image have length one
    coordinates = rescaled @ directions
    fold_of = torch.from_numpy(group_folds(groups, folds=config.folds, seed=seed))
    held_out = fold_of == torch.arange(config.folds)[:, None]  # [F, N]
    weights = vote_weights(histograms, noise=config.vote_noise)
    # One member for each decay and fold [C, F], all trained in one batch [M = C·F].
    shares_train = (_shares(~held_out, weights)).repeat(len(decays), 1)
    shares_held = (_shares(held_out, weights)).repeat(len(decays), 1)
    decay_of = torch.tensor(decays).repeat_interleave(config.folds)
    members = len(decay_of)

    weight = torch.zeros(coordinates.shape[1], members * bins, requires_grad=True)
    bias = torch.zeros(members, bins, requires_grad=True)
    trust = torch.ones(members, requires_grad=True)
    log_concentration = torch.full((members, 1), _LOG_CONCENTRATION, requires_grad=True)
    optimiser = torch.optim.Adam([weight, bias, trust, log_concentration], lr=config.learning_rate)
    generator = torch.Generator().manual_seed(seed)

    def losses(inputs: Tensor) -> Tensor:
        """Return the loss per member and image [M, N]."""
        learned = (inputs @ weight).view(images, members, bins).transpose(0, 1)
        logits = trust[:, None, None] * base + learned + bias[:, None, :]
        if config.order:
            return dirichlet_multinomial_loss(to_scale(logits), histograms, log_concentration.exp(), order=config.order)
        return opinion_loss(to_scale(logits), histograms, likelihood=config.likelihood)

    with torch.no_grad():
        at_start = losses(coordinates)
    best = (shares_held * at_start).sum(1)
    calibrated = float(best[: config.folds].mean())
    best_weight, best_bias, best_trust = (tensor.detach().clone() for tensor in (weight, bias, trust))
    curves = [((shares_train * at_start).sum(1), best.clone())]
    stale, epoch_before = 0, 0
    if (state := checkpoints.load(_CHECKPOINT) if checkpoints else None) is not None:
        with torch.no_grad():
            for tensor, stored in zip((weight, bias, trust, log_concentration), state["learned"], strict=True):
                tensor.copy_(stored)
        optimiser.load_state_dict(state["optimiser"])
        generator.set_state(state["generator"])
        best, best_weight, best_bias, best_trust = state["best"]
        curves = list(zip(state["train"], state["held"], strict=True))
        stale, epoch_before = state["stale"], state["epoch"]
    for epoch in range(epoch_before + 1, config.epochs + 1):
        if stale >= config.patience:
            break
        inputs = coordinates
        if dropout:
            keep = torch.rand(coordinates.shape, generator=generator) >= dropout
            inputs = coordinates * keep / (1.0 - dropout)
        optimiser.zero_grad()
        fit = (shares_train * losses(inputs)).sum()
        squared_norm = weight.view(-1, members, bins).square().sum(dim=(0, 2))
        # Divided by the number of images, as a Bayesian prior would be: more data, less decay.
        loss = fit + 0.5 * (decay_of * squared_norm).sum() / images
        loss.backward()  # type: ignore[no-untyped-call]  # torch gives it no types
        optimiser.step()
        with torch.no_grad():
            current = losses(coordinates)
            train, held = (shares_train * current).sum(1), (shares_held * current).sum(1)
            curves.append((train, held))
            better = held < best
            best = torch.where(better, held, best)
            columns = better.repeat_interleave(bins)
            best_weight[:, columns] = weight.detach()[:, columns]
            best_bias[better], best_trust[better] = bias.detach()[better], trust.detach()[better]
        stale = 0 if bool(better.any()) else stale + 1
        if checkpoints and epoch % _SAVE_EPOCHS == 0:
            train_curves, held_curves = zip(*curves, strict=True)
            state = {
                "learned": [one.detach() for one in (weight, bias, trust, log_concentration)],
                "optimiser": optimiser.state_dict(),
                "generator": generator.get_state(),
                "best": [best, best_weight, best_bias, best_trust],
                "train": torch.stack(train_curves),
                "held": torch.stack(held_curves),
                "stale": stale,
                "epoch": epoch,
            }
            checkpoints.save(_CHECKPOINT, state)
        if epoch % _REPORT_EPOCHS == 0:
            progress(epoch / config.epochs, _history(curves, best, config.folds))
    per_decay = best.view(len(decays), config.folds).mean(1)
    winner = int(per_decay.argmin())
    chosen = slice(winner * config.folds, (winner + 1) * config.folds)
    history = _history(curves, best, config.folds)
    progress(1.0, history)
    mean_weight = best_weight.view(-1, members, bins)[:, chosen].mean(1)
    weight_of_standardised = (directions @ mean_weight).T / spread
    return Residual(
        weight=weight_of_standardised.contiguous(),
        bias=best_bias[chosen].mean(0) - weight_of_standardised @ centre,
        trust=float(best_trust[chosen].mean()),
        decay=decays[winner],
        history=history,
        validation=float(per_decay[winner]),
        calibrated=calibrated,
    )


def _shares(chosen: Tensor, weights: Tensor) -> Tensor:
    """Return the weight of each image for each fold [F, N]; each row adds up to one."""
    shares = chosen * weights
    return shares / shares.sum(1, keepdim=True)


def _history(curves: list[tuple[Tensor, Tensor]], best: Tensor, folds: int) -> History:
    """Return the mean loss per epoch of the members with the best decay so far."""
    leading = int(best.view(-1, folds).mean(1).argmin())
    members = slice(leading * folds, (leading + 1) * folds)
    return [
        {
            "epoch": epoch,
            "train": round(float(train[members].mean()), 6),
            "validation": round(float(held[members].mean()), 6),
        }
        for epoch, (train, held) in enumerate(curves)
    ]

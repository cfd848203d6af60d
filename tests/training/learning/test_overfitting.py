"""Features of high dimension that say nothing about the quality: early stopping and weight decay hold the residual."""

import numpy as np
import pytest
import torch

from training.learning.config import PriorResidualConfig
from training.learning.losses import opinion_loss, vote_weights
from training.learning.residual import Residual, residual_fit
from training.learning.sampling import group_folds

PHOTOS, DIMENSIONS, BINS = 100, 1500, 10
CONFIG = PriorResidualConfig(epochs=80, residual_decays=(0.3, 0.1, 0.03, 0.01))


def histograms(seed: int = 0) -> torch.Tensor:
    """Return the votes of four people on each photo; the photos differ in quality."""
    rng = np.random.default_rng(seed)
    quality = rng.uniform(1, 8, PHOTOS)
    found = np.zeros((PHOTOS, BINS), dtype=np.float32)
    for _ in range(4):
        scores = np.clip(np.round(quality + rng.normal(0, 0.8, PHOTOS)), 0, BINS - 1).astype(int)
        found[np.arange(PHOTOS), scores] += 1
    return torch.from_numpy(found)


def noise(seed: int = 1) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(PHOTOS, DIMENSIONS)).astype(np.float32))


def base(votes: torch.Tensor) -> torch.Tensor:
    """Return the logits of the mean opinion for each photo: nothing better can be said without informative features."""
    return (votes.sum(0) / votes.sum()).log().repeat(PHOTOS, 1)


def fitted(features: torch.Tensor, votes: torch.Tensor, **options: object) -> Residual:
    arguments = {"decays": CONFIG.residual_decays, "dropout": 0.0, "config": CONFIG, "seed": 1, **options}
    return residual_fit(
        base(votes),
        features,
        votes,
        groups=np.arange(PHOTOS).astype("U36"),
        to_scale=lambda logits: logits,
        progress=lambda share, history: None,
        **arguments,  # type: ignore[arg-type]  # the fixed ones and those of a test
    )


def spread(residual: Residual, features: torch.Tensor) -> float:
    """Return how far the residual moves the logits of one photo against another's."""
    return float((features @ residual.weight.T).std(0).mean())


def informative(votes: torch.Tensor) -> torch.Tensor:
    """Return the noise with the mean opinion in a fifth of the features."""
    features, mos = noise(), votes @ torch.arange(float(BINS)) / votes.sum(1)
    features[:, : DIMENSIONS // 5] += 1.5 * (mos - mos.mean())[:, None] / mos.std()
    return features


def test_noise_features_leave_the_residual_near_zero() -> None:
    """Early stopping on the folds that a member learns from gives 0.6 and more; without weight decay it is 0.2."""
    votes, features = histograms(), noise()
    residual = fitted(features, votes)
    assert spread(residual, features) < 0.17
    assert spread(residual, noise(2)) < 0.05


def test_informative_features_do_not_leave_it_there() -> None:
    votes = histograms()
    features = informative(votes)
    residual = fitted(features, votes)
    assert spread(residual, features) > 0.3
    assert residual.validation < 0.85 * residual.calibrated


def test_the_held_out_loss_is_that_of_photos_that_a_member_has_not_learned_from() -> None:
    """On noise, no residual lowers the loss of photos that it has not learned from by much."""
    votes, features = histograms(), noise()
    residual = fitted(features, votes)
    assert residual.validation > 0.97 * residual.calibrated
    folds = group_folds(np.arange(PHOTOS).astype("U36"), folds=CONFIG.folds, seed=1)
    weights = vote_weights(votes, noise=CONFIG.vote_noise)
    losses = opinion_loss(base(votes), votes, likelihood=CONFIG.likelihood)
    expected = np.mean(
        [float((weights * losses)[folds == fold].sum() / weights[folds == fold].sum()) for fold in range(CONFIG.folds)]
    )
    assert residual.calibrated == pytest.approx(expected, rel=1e-5)


def test_more_weight_decay_makes_the_residual_smaller() -> None:
    votes = histograms()
    features = informative(votes)
    sizes = [spread(fitted(features, votes, decays=(decay,)), features) for decay in (0.3, 10.0, 1000.0)]
    assert sizes[0] > 0.2
    assert sizes[1] < 0.2 * sizes[0]
    assert sizes[2] < 0.05 * sizes[0]

"""Settings of the recipe `whole_network`. Imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WholeNetworkConfig:
    """Settings of the recipe."""

    photos_from: int = 200
    """With fewer rated photos, only the head learns."""
    folds: int = 10
    """Of near-duplicate groups: one decides when to stop, one measures the gain, the network learns from the others."""
    epochs: int = 8
    """At most."""
    patience: int = 3
    """Learning stops after this number of epochs without a better loss."""
    batch: int = 16
    """Photos of a step."""
    learning_rate: float = 3e-5
    """Of AdamW, at its highest; it rises for a tenth of the steps and falls along a cosine."""
    mirrored: float = 0.5
    """Share of the photos that are mirrored left to right. Nothing else is varied: blur, colour, size and cropping
    change how good a photo looks."""
    classes_weight: float = 0.1
    """Weight of the divergence from the class probabilities of the network before: the watch label needs them."""
    likelihood: float = 0.05
    """Weight of the votes' negative log likelihood beside the squared earth mover's distance."""
    vote_noise: float = 3.7
    """m = (1 − ICC)/ICC: a photo with n votes has the weight n/(n + m)."""

"""The recipe `whole_network`: the head first, then all layers of the network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from training.learning.recipe import FittedHeads, Report

if TYPE_CHECKING:
    from training.learning.quality_data import QualityData


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
    learning_rate: float = 1e-4
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


class WholeNetwork:
    """See `description`; the steps are in `training.learning.whole_network_steps`."""

    name = "whole_network"
    label = "Whole network"
    description = (
        "The ridge regression first, then all layers of the network at a low learning rate, with mirrored photos, "
        "until the loss of groups that are left out no longer falls. The version then has a network of its own."
    )
    version = 1
    config_class = WholeNetworkConfig

    def fit(self, data: "QualityData", *, config: WholeNetworkConfig, seed: int, report: Report) -> FittedHeads:
        """Learn head and network; see `Recipe.fit`. Without pixels, or with few photos, only the head learns."""
        from training.learning.whole_network_steps import whole_network_fit  # loads torch

        return whole_network_fit(data, config=config, seed=seed, report=report)


@dataclass(frozen=True)
class NetworkGain:
    """What the whole network adds to its head, on photos that neither taught it nor decided when to stop."""

    is_used: bool
    epoch: int
    """The epoch with the lowest loss; 0: before the first."""
    rps: float
    """Ranked probability score per vote with the network of that epoch."""
    rps_head: float
    """The same with the network as it was before."""
    images: int
    groups: int
    gain: float
    """`rps_head` − `rps`, with its 95 % interval."""
    gain_low: float
    gain_high: float
    seconds_per_epoch: float
    photos_learned: int

    @classmethod
    def of(cls, figures: Mapping[str, Any]) -> Self | None:
        """Return the gain among a version's figures; None for a version whose network has not learned."""
        stored = figures.get("whole_network")
        return cls(**stored) if stored else None

    @property
    def minutes_per_epoch(self) -> str:
        """Return the time of an epoch in words."""
        seconds = self.seconds_per_epoch
        return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.1f} minutes"

    @property
    def verdict(self) -> str:
        """Return what the gain says, as the end of a sentence."""
        if self.gain_low > 0:
            return "so learning the whole network pays"
        if self.gain_high < 0:
            return "so learning the whole network does harm here"
        return "so these votes cannot tell whether learning the whole network pays"

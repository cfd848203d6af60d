"""The interface of quality recipes: a name, a config, and `fit`, which learns a quality head. Imports no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # web processes read the registry and must not load torch
    import numpy as np
    from numpy.typing import NDArray

    from inference.networks.backbone_base import StagedBackbone
    from inference.networks.heads import Heads
    from training.learning.quality_data import QualityData

# Loss per epoch, as stored with the run: [{"epoch", "train", "validation"}].
History = list[dict[str, float]]
# Called with the name of the stage, the share done (0 … 1) and the loss per epoch. An exception stops the fit.
Report = Callable[[str, float, History], None]


@dataclass(frozen=True)
class FittedHeads:
    """Heads that a recipe learned."""

    heads: "Heads"
    figures: dict[str, Any]
    """JSON values that are stored with the version, such as sizes and losses of held-out folds."""
    history: History
    watch_threshold: float | None = None
    """Of the version, for the campaign's aim; None: the campaign's threshold."""
    network: "StagedBackbone | None" = None
    """The network whose features the heads read, if it has learned too."""
    features: "NDArray[np.float32] | None" = None
    """The features that it gives for the rated photos [N, D]."""


class Recipe(Protocol):
    """A way to learn the quality head from votes. The watch head is learned in the same way with every recipe."""

    name: str
    """Stored with runs and versions, so it must never change."""
    label: str
    """For pages."""
    description: str
    """One or two sentences for pages and docs."""
    version: int
    """Increase it when the same config and data no longer give the same weights."""
    config_class: type[Any]
    """A frozen dataclass with a default for each field. Values are JSON values, or tuples of them."""

    def fit(self, data: "QualityData", *, config: Any, seed: int, report: Report) -> FittedHeads:
        """Return the prior's heads with another quality head, learned from `data`, of at least one rated photo.

        The distribution that these heads predict for other photos is the prediction of the recipe. The same arguments
        give the same weights. Exceptions of `report` are passed on.
        """

"""What every learning recipe has: a name, a config, and `fit`, which turns votes into heads. No torch here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from training.learning.dataset import RatedImages

if TYPE_CHECKING:  # web processes read the registry and must not load torch
    from inference.networks.heads import Heads

# Loss per epoch, as stored with the run: [{"epoch", "train", "validation"}].
History = list[dict[str, float]]
# Called with the stage in words, the share done (0 … 1) and the loss per epoch; may raise to stop.
Report = Callable[[str, float, History], None]


@dataclass(frozen=True)
class FittedHeads:
    """The result of a fit."""

    heads: "Heads"
    figures: dict[str, Any]
    """JSON values that are stored with the version: sizes, losses of held-out folds and the like."""
    history: History


class Recipe(Protocol):
    """A way to learn heads from votes."""

    name: str
    """As stored with runs and versions; never changed."""
    label: str
    """For pages."""
    description: str
    """One or two sentences for pages and docs."""
    version: int
    """Raised when the same config and data would give other weights than before."""
    config_class: type[Any]
    """A frozen dataclass with a default for each field; values that JSON can hold, and tuples of them."""

    def fit(
        self,
        prior: "Heads",
        features: NDArray[np.float32],
        rated: RatedImages,
        *,
        config: Any,
        seed: int,
        report: Report,
    ) -> FittedHeads:
        """Learn both heads from features [N, D] and the rated images in the same order.

        The same arguments give the same weights. Raises whatever `report` raises.
        """

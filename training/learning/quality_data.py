"""What a quality recipe learns from: features and votes of rated photos, and the prior that it starts from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.networks.heads import Heads
from training.learning.checkpoints import Checkpoints
from training.learning.dataset import RatedImages
from training.learning.photo_pixels import PhotoPixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class QualityData:
    """Rated photos [N] with their features, and the prior."""

    prior: Heads
    features: NDArray[np.float32]
    """[N, D]"""
    rated: RatedImages
    """In the same order."""
    checkpoints: Checkpoints | None = None
    """Where recipes that learn in epochs keep their state; None: nowhere."""
    photos: PhotoPixels | None = None
    """The pixels of the photos, for recipes that learn the network too."""

    def __len__(self) -> int:
        return len(self.rated)

    def part(self, rows: NDArray[np.bool_]) -> "QualityData":
        """Return the photos selected by `rows` [N], without checkpoints: those are of all photos."""
        photos = self.photos.part(rows) if self.photos else None
        return QualityData(self.prior, self.features[rows], self.rated.part(rows), photos=photos)

    @property
    def bins(self) -> int:
        """Return K, the number of scores of the scale."""
        return self.prior.config.bins

    @cached_property
    def standardised(self) -> Tensor:
        """Return the inputs of the prior's quality head [N, …]."""
        with torch.no_grad():
            return self.prior.quality_features(self.prior.standardise(torch.from_numpy(self.features)))

    @cached_property
    def inner_logits(self) -> Tensor:
        """Return the prior's logits on its own bins [N, B]."""
        with torch.no_grad():
            logits: Tensor = self.prior.quality(self.standardised)
            return logits

    @cached_property
    def prior_mean(self) -> Floats:
        """Return the mean score that the prior predicts [N], in points above the lowest score."""
        distribution = self.prior.to_scale(self.inner_logits).softmax(-1).double().numpy()
        mean: Floats = distribution @ np.arange(self.bins, dtype=np.float64)
        return mean


def predicted(heads: Heads, features: NDArray[np.float32]) -> Floats:
    """Return the distributions [N, K] that heads predict from features [N, D]."""
    with torch.no_grad():
        distribution: Floats = heads(torch.from_numpy(features)).quality_logits.softmax(1).double().numpy()
    return distribution

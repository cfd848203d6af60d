"""What a simulated campaign learns from its answers: the same for every strategy, so that only the choice differs.

A learner fills the columns of `inference.acquisition.strategy.Pool`, and is measured on photos of other groups.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from training.simulation.ratings import Ratings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = dict[str, Any]


class Answers:
    """The answers of a campaign so far, on its P photos."""

    def __init__(self, photos: int) -> None:
        self.count: Ints = np.zeros(photos, dtype=np.int64)
        self.total: Floats = np.zeros(photos)
        """Sum of the scores, or of the watch votes (1 or 0)."""
        self._votes: list[tuple[int, int, float]] = []

    def add(self, photo: int, vote: float, annotator: int) -> None:
        """Add one answer."""
        self.count[photo] += 1
        self.total[photo] += vote
        self._votes.append((photo, annotator, vote))

    @property
    def means(self) -> Floats:
        """Return the mean vote of each photo [P]; 0 without votes."""
        return self.total / np.maximum(self.count, 1)

    @property
    def votes(self) -> tuple[Ints, Ints, Floats]:
        """Return photo, annotator and vote of each answer [V]."""
        photo, annotator, vote = np.array(self._votes, dtype=np.float64).reshape(-1, 3).T
        return photo.astype(np.int64), annotator.astype(np.int64), vote


class Learner(Protocol):
    """Learns from answers about the P photos of a campaign."""

    figures: tuple[str, ...]
    """The names of what `measure` returns."""

    def columns(self, answers: Answers, wanted: frozenset[str], rng: np.random.Generator) -> Columns:
        """Learn, and return the wanted columns of all P photos. A column that cannot be filled yet is left out."""
        ...

    def measure(self, answers: Answers) -> dict[str, float]:
        """Learn, and return the figures on the tested photos and on the consensus."""
        ...


@dataclass
class Directions:
    """The main directions of the pooled layer, learned from the photos that can be asked about."""

    ratings: Ratings
    photos: Ints
    seed: int
    most: int = 256
    mean: NDArray[np.float32] = field(init=False)
    spread: NDArray[np.float32] = field(init=False)
    along: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        from training.learning.sampling import principal_directions

        pooled = self._pooled(self.photos)
        self.mean, self.spread = pooled.mean(axis=0), pooled.std(axis=0) + np.float32(1e-3)
        self.along = principal_directions((pooled - self.mean) / self.spread, count=self.most, seed=self.seed)

    def of(self, photos: Ints) -> NDArray[np.float32]:
        """Return the coordinates of photos [N, R]."""
        return (((self._pooled(photos) - self.mean) / self.spread) @ self.along).astype(np.float32)

    def _pooled(self, photos: Ints) -> NDArray[np.float32]:
        layout = self.ratings.layout
        return self.ratings.features[photos, layout.pooled_start : layout.pooled_stop]

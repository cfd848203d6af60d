"""Votes as columns: selectors return them, and all computations take them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class VoteTable:
    """Votes as columns of equal length, ordered by annotation id."""

    annotation_ids: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    annotator_ids: NDArray[np.int64]
    scores: NDArray[np.int16]
    """Opinion scores, on the campaign's scale."""
    watch: NDArray[np.int8]
    """1 watch, 0 no watch, -1 unsure or not asked."""
    weights: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """How much each vote counts, above 0 and at most 1. All 1 when left out."""

    def __post_init__(self) -> None:
        if not len(self.weights):
            object.__setattr__(self, "weights", np.ones(len(self)))

    def __len__(self) -> int:
        return len(self.annotation_ids)

    def of_images(self, image_ids: NDArray[np.int64]) -> "VoteTable":
        """Return the votes on these images only."""
        return self.where(np.isin(self.image_ids, image_ids))

    def where(self, chosen: NDArray[np.bool_]) -> "VoteTable":
        """Return the votes whose entry in `chosen` is true."""
        return VoteTable(
            annotation_ids=self.annotation_ids[chosen],
            image_ids=self.image_ids[chosen],
            annotator_ids=self.annotator_ids[chosen],
            scores=self.scores[chosen],
            watch=self.watch[chosen],
            weights=self.weights[chosen],
        )

"""What is known about compared photos besides votes and predictions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PhotoFacts:
    """One entry per photo of a `Comparison`, in its order."""

    sources: NDArray[np.str_]
    """Name of the import that brought the photo [N]."""

    def part(self, rows: NDArray[np.bool_]) -> "PhotoFacts":
        """Return the facts of the photos selected by `rows` [N]."""
        return PhotoFacts(sources=self.sources[rows])

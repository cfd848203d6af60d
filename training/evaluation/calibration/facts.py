"""What is known about compared photos besides votes and predictions."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: The four detectors, in the order in which they are shown.
DISTORTIONS = ("blur", "noise", "exposure", "compression")
NO_GROUP = -1


@dataclass(frozen=True, eq=False)
class PhotoFacts:
    """One entry per photo of a `Comparison`, in its order. An empty column: nothing is known about any photo."""

    sources: NDArray[np.str_]
    """Name of the import that brought the photo [N]."""
    formats: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, dtype="U1"))
    """File format [N], for example "JPEG"."""
    megapixels: Floats = field(default_factory=lambda: np.zeros(0))
    """Millions of pixels [N]."""
    months: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, dtype="U1"))
    """Month of the import [N], as "2026-03"."""
    distortions: Floats = field(default_factory=lambda: np.zeros((0, len(DISTORTIONS))))
    """Severities by the four detectors [N, 4], 0 … 1; NaN: not measured."""
    content: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Number of the photo's content group [N], 0, 1, …; NO_GROUP without features."""
    examples: tuple[tuple[int, ...], ...] = ()
    """Ids of some photos in the middle of each content group."""
    typical: tuple[tuple[str, ...], ...] = ()
    """The ImageNet classes that are most typical of each content group, as names; none when unknown."""
    is_holdout: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """Whether models never learn from the photo [N]."""

    def part(self, rows: NDArray[np.bool_]) -> "PhotoFacts":
        """Return the facts of the photos selected by `rows` [N]."""

        def chosen(column: NDArray[np.generic]) -> NDArray[np.generic]:
            return column[rows] if len(column) else column

        columns = ("sources", "formats", "megapixels", "months", "distortions", "content", "is_holdout")
        parts: dict[str, Any] = {name: chosen(getattr(self, name)) for name in columns}
        return PhotoFacts(**parts, examples=self.examples, typical=self.typical)

"""Photos that others have rated already, so that annotators can be compared."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from inference.acquisition.selection import priorities_of
from inference.acquisition.strategy import Pool


class AnchorsFirst:
    """The photo with the most votes that still needs some.

    Annotators are compared, and their bias is corrected, through photos that they share. If each rates photos of their
    own, the graph of annotators and photos falls apart, and no model can tell a strict annotator from bad photos
    (Eccleston and Hedayat, "On the Theory of Connected Designs", Annals of Statistics 2, 1974). A claim leaves out what
    its annotator has rated, so this lane always gives a photo of others.
    """

    name = "anchors"
    label = gettext_noop("Rated by others")
    description = gettext_noop(
        "A photo that others have rated and that needs more votes, so that annotators share photos and can be compared."
    )
    reason = "to compare annotators: has {votes} of {votes_needed} votes"
    columns: frozenset[str] = frozenset({"groups"})
    score_column: str | None = None
    split: Literal["train", "holdout"] | None = None

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return priorities by votes, most first, [N]."""
        return priorities_of(pool.votes, pool, rng)

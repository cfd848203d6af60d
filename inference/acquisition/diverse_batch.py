"""Photos that look least like all photos with answers: k-center."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from inference.acquisition.selection import order_priorities
from inference.acquisition.strategy import Pool
from inference.acquisition.typical_first import typical_priorities

_CHOSEN = 200


class DiverseBatch:
    """The photo that is furthest from every photo with answers and every photo chosen before.

    Greedy k-center: Sener and Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach", 2018,
    arXiv:1708.00489. It reaches rare photos early, and oddities too.
    """

    name = "diverse_batch"
    label = gettext_noop("Different from all so far")
    description = gettext_noop(
        "The photo that looks least like the photos with answers. It finds rare kinds of photos, and oddities too."
    )
    reason = "looks unlike the photos with answers"
    columns: frozenset[str] = frozenset({"features", "answered_features", "groups"})
    score_column: str | None = "features"
    split: Literal["train", "holdout"] | None = "train"

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return priorities by greedy choice for the first 200 photos, then by distance from those, [N]."""
        if pool.features is None:
            return typical_priorities(pool, rng)
        known: NDArray[np.bool_] = np.asarray(np.isfinite(pool.features).all(axis=1))
        if known.sum() < 2:
            return typical_priorities(pool, rng)
        points = np.where(known[:, None], pool.features, 0).astype(np.float32)
        squares = np.einsum("ij,ij->i", points, points)
        nearest = np.full(len(pool), np.inf, dtype=np.float32)
        has_answers = known & (pool.votes + pool.leases > 0)
        seen = points[has_answers]
        if pool.answered_features is not None:
            seen = np.concatenate([pool.answered_features[np.isfinite(pool.answered_features).all(axis=1)], seen])
        for start in range(0, len(seen), 64):
            some = seen[start : start + 64]
            between = squares[:, None] + np.einsum("ij,ij->i", some, some) - 2 * points @ some.T
            nearest = np.minimum(nearest, between.min(axis=1))
        nearest[~known | has_answers] = -1
        chosen: list[int] = []
        if not len(seen):  # start in the middle
            middle = points[known].mean(axis=0)
            distance = np.where(known, ((points - middle) ** 2).sum(axis=1), np.inf)
            chosen.append(int(np.argmin(distance)))
        free = int((nearest >= 0).sum())
        while len(chosen) < min(_CHOSEN, free):
            if chosen:
                last = chosen[-1]
                nearest = np.where(
                    nearest < 0,
                    -1,
                    np.minimum(nearest, np.maximum(squares + squares[last] - 2 * points @ points[last], 0)),
                )
                nearest[last] = -1
            chosen.append(int(np.argmax(nearest)))
        rest = np.setdiff1d(np.arange(len(pool)), chosen)
        rest = rest[np.lexsort((rng.random(len(rest)), -nearest[rest]))]
        return order_priorities(np.concatenate([np.array(chosen, dtype=np.int64), rest]), pool)

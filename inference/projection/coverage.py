"""How much of a pool is near a rated photo, in the space of the features. Pure.

A photo is covered when a rated photo is among its nearest 1 % of the pool. So the figure has no unit, and does not
depend on how far apart the features of photos are. A random choice of as many photos covers a certain share too, which
is the one to compare with. Sener & Savarese (2018), 'Active learning for convolutional neural networks: a core-set
approach', choose photos by the distance to the nearest labelled one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.projection.layout import Components

NEAREST = 0.01
"""The share of the pool that is near a photo; at least `FEWEST_NEAR` photos."""
FEWEST_NEAR = 5
#: A larger pool, or more rated photos, are measured on this many, drawn at random.
SAMPLE = 5_000
_RANDOM_DRAWS = 10


@dataclass(frozen=True)
class Coverage:
    """The share of photos with a rated photo among their nearest."""

    covered: int
    photos: int
    """Photos looked at."""
    near: int
    """How many photos count as near."""
    rated: int
    """Rated photos."""
    at_random: float
    """The share that as many photos drawn at random would cover, 0 … 1: mean of ten draws."""

    @property
    def share(self) -> float:
        """Return the covered share, 0 … 1; 0 without photos."""
        return self.covered / self.photos if self.photos else 0.0

    @property
    def random_percent(self) -> float:
        """Return `at_random` in percent."""
        return 100 * self.at_random


def coverage(features: NDArray[np.float32], rated: NDArray[np.bool_], *, seed: int) -> Coverage:
    """Return the coverage of photos by their features [N, D], N at least 2; `rated` [N]."""
    rng = np.random.default_rng(seed)
    count = len(features)
    if count > SAMPLE:  # a random sample keeps the share of rated photos
        kept = np.sort(rng.choice(count, SAMPLE, replace=False))
        features, rated = features[kept], rated[kept]
    points = Components(features).reduce(features)
    near = min(max(round(NEAREST * len(points)), FEWEST_NEAR), len(points))
    neighbours = _nearest(points, near)
    chosen = int(rated.sum())
    at_random = [
        _covered(neighbours, _mask(len(points), rng.choice(len(points), chosen, replace=False))).mean()
        for _ in range(_RANDOM_DRAWS)
    ]
    return Coverage(
        covered=int(_covered(neighbours, rated).sum()),
        photos=len(points),
        near=near,
        rated=chosen,
        at_random=float(np.mean(at_random)),
    )


def _nearest(points: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Return the places of the nearest points of each point, itself among them [N, count]."""
    from sklearn.neighbors import NearestNeighbors

    found: NDArray[np.intp] = NearestNeighbors(n_neighbors=count).fit(points).kneighbors(points, return_distance=False)
    return found


def _covered(neighbours: NDArray[np.intp], rated: NDArray[np.bool_]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.any(rated[neighbours], axis=1)
    return found


def _mask(count: int, places: NDArray[np.intp]) -> NDArray[np.bool_]:
    mask = np.zeros(count, dtype=bool)
    mask[places] = True
    return mask

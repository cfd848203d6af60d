"""Choosing a few photos that show a scale from its worst to its best."""

import numpy as np
from numpy.typing import ArrayLike


def spread_out(means: ArrayLike, spreads: ArrayLike, count: int) -> list[int]:
    """Return the places of `count` photos whose means lie as evenly as can be from the lowest to the highest.

    `means` and `spreads` [N] are mean and standard deviation of the opinion scores of each photo. Targets lie at equal
    steps from the lowest mean to the highest; the lowest and the highest are served first, then the ones between. A
    target takes, among the photos within half a step, the one on which people agree best (the least spread; of equal
    ones the nearest); where none lies that near, the nearest that is left. The places come in the order of the
    targets. Raises ValueError when there are fewer than `count` photos, or `count` is below 2.
    """
    values, deviations = np.asarray(means, dtype=np.float64).ravel(), np.asarray(spreads, dtype=np.float64).ravel()
    if not 2 <= count <= len(values) or len(values) != len(deviations):
        raise ValueError(f"{count} photos cannot be chosen from {len(values)} means and {len(deviations)} spreads.")
    targets = np.linspace(values.min(), values.max(), count)
    reach = (targets[1] - targets[0]) / 2
    chosen: dict[int, int] = {}
    for target in sorted(range(count), key=lambda place: (place not in (0, count - 1), place)):
        distance = np.abs(values - targets[target])
        free = np.array([place for place in range(len(values)) if place not in chosen.values()])
        near = free[distance[free] <= reach]
        if len(near):
            chosen[target] = int(near[np.lexsort((distance[near], deviations[near]))[0]])
        else:
            chosen[target] = int(free[np.argmin(distance[free])])
    return sorted(chosen.values(), key=lambda place: values[place])

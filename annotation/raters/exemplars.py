"""Choosing a few photos that show the scale from worst to best."""

import numpy as np
from numpy.typing import ArrayLike


def evenly_spaced(means: ArrayLike, spreads: ArrayLike, count: int) -> list[int]:
    """Return the indices of `count` photos whose means are spread evenly from the lowest to the highest.

    `means` and `spreads` [N] are mean and standard deviation of the opinion scores of each photo. The targets are
    `count` equally spaced values from the lowest mean to the highest. The lowest and the highest target choose first,
    then the others in order. A target takes the photo with the smallest spread among the free photos within half a step
    (the nearest one of equal spreads), or else the nearest free photo. The indices are sorted by mean. Raises
    ValueError when there are fewer than `count` photos, or `count` is below 2.
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

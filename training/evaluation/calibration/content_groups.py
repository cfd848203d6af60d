"""Groups of photos with similar content: k-means on stored features.

Features have their length divided out, and are turned to their 32 directions with the largest variance (fewer when
there are fewer photos). The number of groups is one for each 50 photos, at least 2 and at most 12, so that an average
group has enough photos for figures; with fewer than 100 photos there are none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_PHOTOS_PER_GROUP, _FEWEST, _MOST = 50, 2, 12
_DIRECTIONS = 32
#: The groups are found on at most this many photos; the others join the nearest one.
FITTED = 5_000
_EXAMPLES = 4
# A group is named by so many classes at most, each with a mean probability that much above that of the other photos.
_TYPICAL, _LEAST_ABOVE = 2, 0.02


@dataclass(frozen=True, eq=False)
class Grouped:
    """Photos in content groups, which have the numbers 0, 1, … from the largest on."""

    photos: Ints
    """Ids of the photos [M]."""
    labels: Ints
    """The group of each [M]."""
    examples: tuple[tuple[int, ...], ...]
    """Ids of the photos in the middle of each group."""
    typical: tuple[tuple[str, ...], ...]
    """The classes that are most typical of each group, the strongest first; none when no class stands out."""


def group_count(photos: int) -> int:
    """Return the number of content groups for so many photos; 0 for too few."""
    if photos < _FEWEST * _PHOTOS_PER_GROUP:
        return 0
    return int(np.clip(photos // _PHOTOS_PER_GROUP, _FEWEST, _MOST))


class ContentGroups:
    """The groups of a sample of photos. `join` tells the group of further ones."""

    def __init__(self, features: NDArray[np.floating], *, groups: int, seed: int) -> None:
        """Find so many groups in features [N, D], N at least `groups`. The same seed gives the same groups."""
        from sklearn.cluster import KMeans
        from sklearn.decomposition import PCA

        rows = _unit(features)
        directions = min(_DIRECTIONS, *rows.shape)
        self._turn = PCA(directions, svd_solver="randomized", random_state=seed).fit(rows)
        self._means = KMeans(groups, n_init=4, random_state=seed).fit(self._turn.transform(rows))

    def join(self, features: NDArray[np.floating]) -> tuple[Ints, Floats]:
        """Return the nearest group of each photo [N], and the distance from its middle [N]."""
        distances = self._means.transform(self._turn.transform(_unit(features)))
        nearest = distances.argmin(axis=1).astype(np.int64)
        return nearest, distances[np.arange(len(nearest)), nearest].astype(np.float64)


def grouped(
    sample: NDArray[np.floating],
    chunks: Iterable[tuple[Ints, NDArray[np.floating]]],
    *,
    groups: int,
    seed: int,
    classes: Sequence[str] = (),
) -> Grouped:
    """Return the group of each photo of all chunks, the largest group first, with examples and typical classes.

    `sample`: features that the groups are found on; `chunks`: (ids, features) of all photos. `classes`: names of the
    classes whose log-probabilities are the last columns of the features; none when the features have no such columns.
    """
    found = ContentGroups(sample, groups=groups, seed=seed)
    ids, labels, distances = [], [], []
    sums = np.zeros((groups, len(classes)))
    for part, features in chunks:
        nearest, distance = found.join(features)
        ids.append(part)
        labels.append(nearest)
        distances.append(distance)
        if classes:
            sums += np.eye(groups)[nearest].T @ np.exp(features[:, -len(classes) :].astype(np.float64))
    photos, label, distance = np.concatenate(ids), np.concatenate(labels), np.concatenate(distances)
    order = np.argsort(-np.bincount(label, minlength=groups), kind="stable")
    place = np.empty(groups, dtype=np.int64)
    place[order] = np.arange(groups)
    label = place[label]
    examples = []
    for group in range(groups):
        rows = np.flatnonzero(label == group)
        middle = rows[np.argsort(distance[rows], kind="stable")[:_EXAMPLES]]
        examples.append(tuple(photos[middle].tolist()))
    return Grouped(photos, label, tuple(examples), _typical(sums[order], np.bincount(label, minlength=groups), classes))


def _typical(sums: Floats, photos: Ints, classes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the classes whose mean probability in a group is most above that in the other groups; () for none.

    `sums`: the probabilities [G, C] added over the photos of each group. The difference, and not the probability alone:
    otherwise a class that all photos show a little names every group.
    """
    if not classes:
        return ((),) * len(sums)
    rest = len(sums) > 1
    found = []
    for own, count in zip(sums, photos, strict=True):
        inside = own / max(count, 1)
        outside = (sums.sum(axis=0) - own) / max(photos.sum() - count, 1) if rest else 0.0
        above = inside - outside
        best = np.argsort(-above, kind="stable")[:_TYPICAL]
        found.append(tuple(classes[one] for one in best.tolist() if above[one] >= _LEAST_ABOVE))
    return tuple(found)


def _unit(features: NDArray[np.floating]) -> NDArray[np.float32]:
    rows = features.astype(np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = rows / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit

"""Typical photos first, one of each kind: the start while there is nothing to learn from."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from inference.acquisition.selection import order_priorities, place_in_group, priorities_of
from inference.acquisition.strategy import Pool

#: Clusters beyond one for each photo with answers, and the most clusters.
_CLUSTERS, _MOST_CLUSTERS = 20, 100
# Neighbours that a photo's density is measured with, and the photos next to the centre that it is measured for.
_NEIGHBOURS, _CENTRAL = 20, 500
_MANY = 10_000


class TypicalFirst:
    """The densest photo of each cluster, clusters without answers first and large ones before small ones.

    TypiClust of Hacohen, Dekel and Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High and Low
    Budgets", 2022, arXiv:2202.02794. A photo is typical if its mean distance to its nearest neighbours is small.
    """

    name = "typical_first"
    label = gettext_noop("Typical photos first")
    description = gettext_noop(
        "Sorts photos by how they look into clusters and asks about the most typical photo of each. "
        "The best start: the first answers then cover all kinds of photos."
    )
    reason = "typical of photos that have no answers yet"
    columns: frozenset[str] = frozenset({"features", "answered_features", "groups"})
    score_column: str | None = "features"
    split: Literal["train", "holdout"] | None = "train"

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return priorities by answers in the photo's cluster, then cluster size, then density, [N]."""
        return typical_priorities(pool, rng)


def typical_priorities(pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the priorities [N] of `TypicalFirst`. Without features, photos with the fewest votes come first.

    Every strategy starts with this order until it can score photos.
    """
    fewest = -(pool.votes + pool.leases).astype(np.float64)
    if pool.features is None:
        return priorities_of(fewest, pool, rng)
    known = np.flatnonzero(np.isfinite(pool.features).all(axis=1))
    if len(known) < 2:
        return priorities_of(fewest, pool, rng)
    points = pool.features[known]
    has_answers = fewest[known] < 0
    answered = pool.answered_features
    answered = points[:0] if answered is None else answered[np.isfinite(answered).all(axis=1)]
    wanted = min(_CLUSTERS + int(has_answers.sum()) + len(answered), _MOST_CLUSTERS, max(len(known) // 2, 1))
    labels, distances, answered_labels = _clusters(points, answered, wanted, rng)
    answers = np.bincount(labels, weights=has_answers, minlength=wanted)
    answers += np.bincount(answered_labels, minlength=wanted)
    sizes = np.bincount(labels, minlength=wanted)
    # In its cluster: photos without answers first, then the densest ones.
    in_cluster = np.lexsort((rng.random(len(known)), _sparsity(points, labels, distances), has_answers, labels))
    turn = np.empty(len(known), dtype=np.int64)
    turn[in_cluster] = place_in_group(labels[in_cluster])
    order = np.lexsort((rng.random(len(known)), -sizes[labels], answers[labels] + turn, has_answers))
    others = np.setdiff1d(np.arange(len(pool)), known)
    others = others[np.lexsort((rng.random(len(others)), -fewest[others]))]
    return order_priorities(np.concatenate([known[order], others]), pool)


def _clusters(
    points: NDArray[np.float32], answered: NDArray[np.float32], wanted: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return clusters [N] of the points, their distances from the centres [N], and the clusters [M] of `answered`."""
    from sklearn.cluster import KMeans, MiniBatchKMeans  # loads SciPy, which web processes must not

    seed = int(rng.integers(2**31))
    together = np.concatenate([points, answered])
    if len(together) > _MANY:
        model = MiniBatchKMeans(wanted, n_init=1, batch_size=4096, random_state=seed)
    else:
        model = KMeans(wanted, n_init=1, random_state=seed)
    labels = model.fit_predict(together).astype(np.int64)
    own = labels[: len(points)]
    distances = np.linalg.norm(points - model.cluster_centers_[own], axis=1).astype(np.float64)
    return own, distances, labels[len(points) :]


def _sparsity(
    points: NDArray[np.float32], labels: NDArray[np.int64], distances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean distance [N] of each photo to its nearest neighbours of its cluster.

    Only the 500 photos next to a centre are compared, with each other; the others come after them, by their distance
    from the centre. So a large cluster does not take the square of its size.
    """
    from sklearn.metrics import pairwise_distances  # loads SciPy, which web processes must not

    sparsity: NDArray[np.float64] = distances + distances.max(initial=0) * 2
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        central = members[np.argsort(distances[members], kind="stable")[:_CENTRAL]]
        neighbours = min(_NEIGHBOURS, len(central) - 1)
        if neighbours:
            between = pairwise_distances(points[central])
            nearest = np.partition(between, neighbours, axis=1)[:, : neighbours + 1]  # with the photo itself, at 0
            sparsity[central] = nearest.sum(axis=1) / neighbours
    return sparsity

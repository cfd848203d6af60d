"""From scores to an order of photos: ties at random, a mixed head, near-duplicates apart.

Strategies say how much an answer about each photo is worth by itself. An order needs more: several annotators work
along it before the scores are computed again, and the second of two similar photos is worth less than the first.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from inference.acquisition.strategy import Pool

# The head of an order that is mixed: this part of the pool, at most so many photos, and photos per cluster.
_HEAD_PART, _HEAD, _PER_CLUSTER = 0.05, 1000, 5
#: Near-duplicates are at least so many places apart, while there are other photos.
GAP = 50


def priorities_of(
    scores: NDArray[np.floating] | NDArray[np.integer], pool: Pool, rng: np.random.Generator, *, mixed: bool = False
) -> NDArray[np.float64]:
    """Return minus the place of each photo in the order, [N]: 0 for the first photo, −1 for the second.

    Photos with a higher score come first, ties at random, and photos whose score is NaN last. `mixed` also mixes the
    head of the order by features (`head_mix`). Near-duplicates are kept apart (`groups_apart`).
    """
    values = np.asarray(scores, dtype=np.float64)
    order = np.lexsort((rng.random(len(pool)), -np.where(np.isnan(values), -np.inf, values)))
    if mixed and pool.features is not None:
        order = head_mix(order, pool.features, rng)
    return order_priorities(order, pool)


def order_priorities(order: NDArray[np.int64], pool: Pool) -> NDArray[np.float64]:
    """Return minus the place of each photo [N] in this order of rows [N], near-duplicates kept apart."""
    if pool.groups is not None:
        order = groups_apart(order, pool.groups)
    priorities = np.empty(len(pool))
    priorities[order] = -np.arange(len(pool), dtype=np.float64)
    return priorities


def head_mix(order: NDArray[np.int64], features: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the order [N] with photos that look different first among the best twentieth (at most 1,000 photos).

    The head is split into clusters by k-means. Its first photos are the best one of each cluster, then the second ones,
    and so on, each time by score. The first photo stays the first. After Zhdanov, "Diverse mini-batch Active Learning",
    2019, arXiv:1901.05954: filter by information, then one photo of each cluster.
    """
    from sklearn.cluster import KMeans  # loads SciPy, which web processes must not

    head = order[: min(_HEAD, int(len(order) * _HEAD_PART))]
    clusters = len(head) // _PER_CLUSTER
    if clusters < 2:
        return order
    points = np.nan_to_num(features[head])
    labels = KMeans(clusters, n_init=1, random_state=int(rng.integers(2**31))).fit_predict(points)
    mixed = head[np.lexsort((np.arange(len(head)), place_in_group(labels)))]
    return np.concatenate([mixed, order[len(head) :]])


def place_in_group(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return how many rows before each row have the same label, [N]."""
    if not len(labels):
        return np.zeros(0, dtype=np.int64)
    by_label = np.argsort(labels, kind="stable")
    is_first = np.r_[True, labels[by_label][1:] != labels[by_label][:-1]]
    rows = np.arange(len(labels))
    places = np.empty(len(labels), dtype=np.int64)
    places[by_label] = rows - np.maximum.accumulate(np.where(is_first, rows, 0))
    return places


def groups_apart(order: NDArray[np.int64], groups: NDArray[np.int64], *, gap: int = GAP) -> NDArray[np.int64]:
    """Return the order of rows [N] with photos of one group about `gap` places apart.

    Photos only move back, and no further than this takes. Two photos of a group are side by side only where no photo of
    another group is left.
    """
    if len(order) < 2:
        return order
    placed = groups[order]
    _, inverse, counts = np.unique(placed, return_inverse=True, return_counts=True)
    shared = np.flatnonzero(counts[inverse] > 1)
    if not len(shared):
        return order
    # The place of each photo of a group is at least `gap` after the one before it: a running maximum in each group.
    by_group = shared[np.argsort(inverse[shared], kind="stable")]
    turn = place_in_group(inverse[by_group])
    offset = inverse[by_group].astype(np.int64) * (len(order) * (gap + 1))
    earliest = np.maximum.accumulate(by_group - turn * gap + offset) - offset + turn * gap
    places = np.arange(len(order))
    places[by_group] = earliest
    order = order[np.argsort(places, kind="stable")]
    return _neighbours_swap(order, groups)


def _neighbours_swap(order: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order without equal groups side by side, as long as other photos are left."""
    placed = groups[order]
    if not (placed[1:] == placed[:-1]).any():
        return order
    done: list[int] = []
    waiting: deque[int] = deque()  # photos of one group only, that of the last photo done
    last = None
    for row, group in zip(order.tolist(), placed.tolist(), strict=True):
        if group == last:
            waiting.append(row)
            continue
        done.append(row)
        last = group
        if waiting and groups[waiting[0]] != group:
            done.append(waiting.popleft())
            last = groups[done[-1]]
    return np.array([*done, *waiting], dtype=order.dtype)

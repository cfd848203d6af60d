"""The folds of cross-validation, and the feature directions that weights are learned along."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# The directions are computed from at most this number of images: the cost grows with its cube.
_IMAGES_FOR_DIRECTIONS = 1024


def group_folds(groups: NDArray[np.generic], *, folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold 0 … folds − 1 of each image [N]; images of one near-duplicate group have the same fold.

    Each group goes to the fold with the fewest images: largest groups first, equally large ones in random order.
    The sizes of the folds differ by at most the largest group. Raises ValueError for fewer than two folds.
    """
    if folds < 2:
        raise ValueError(f"At least two folds are needed, not {folds}.")
    _, member_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(folds, dtype=np.int64)
    fold_of = np.zeros(len(sizes), dtype=np.int64)
    for group in order:
        fold_of[group] = np.argmin(filled)
        filled[fold_of[group]] += sizes[group]
    return fold_of[member_of]


def principal_directions(features: Floats, *, count: int, seed: int) -> Floats:
    """Return at most `count` orthonormal directions [D, R] with the most variance among features [N, D].

    With weight decay, learned weights stay in the span of the N feature vectors. So learning along all N
    directions gives the same weights as learning all D weights.
    """
    rows = features
    if len(features) > _IMAGES_FOR_DIRECTIONS:
        chosen = np.random.default_rng(seed).choice(len(features), _IMAGES_FOR_DIRECTIONS, replace=False)
        rows = features[np.sort(chosen)]
    # The eigenvectors of the N×N Gram matrix give those of the D×D covariance and cost much less.
    variances, vectors = np.linalg.eigh((rows @ rows.T).astype(np.float64))
    largest = np.argsort(-variances)[:count]
    largest = largest[variances[largest] > 1e-7 * max(float(variances.max()), 1e-12)]
    directions = rows.T @ vectors[:, largest].astype(np.float32)
    # The sign of an eigenvector is arbitrary. A fixed sign makes the result repeatable.
    peaks = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
    scaled: Floats = directions * (np.sign(peaks) / np.linalg.norm(directions, axis=0))
    return scaled.astype(np.float32)

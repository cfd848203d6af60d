"""Two ways to put photos on a plane, and clusters of them. Pure.

`pca_layout` is the simple one: the two directions in which the features differ most. `landmark_layout` places a sample
with t-SNE (van der Maaten and Hinton, 'Visualizing data using t-SNE', JMLR 2008) and each other photo between its
nearest photos of the sample. `make bench NAME=photo_map` compares them.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop

#: t-SNE reads the features in this many principal components, as its authors advise.
COMPONENTS = 50
#: Photos in the sample that t-SNE places.
LANDMARKS = 3000
PERPLEXITY = 30.0
#: Each other photo lies between this many nearest photos of the sample.
NEIGHBOURS = 5
#: Most clusters of a map, and the fewest photos that a cluster has on average.
CLUSTERS, CLUSTER_PHOTOS = 12, 20
#: Coordinates are whole numbers from 0 to this one, so that a place needs four bytes.
SIDE = 65_535

Tell = Callable[[str], None]
"""Called with the name of each step."""


class Components:
    """Principal components, fitted to some photos and applied to all, a part at a time."""

    def __init__(self, features: NDArray[np.float32]) -> None:
        """Fit to the features [N, D], N at least 2. Those with the most variance come first."""
        from sklearn.decomposition import PCA

        count = min(COMPONENTS, *features.shape)
        self._pca = PCA(count, svd_solver="randomized", random_state=0).fit(features)

    def reduce(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return features [N, D] in the components [N, C], with C from 2 to `COMPONENTS`."""
        reduced: NDArray[np.float32] = self._pca.transform(features).astype(np.float32)
        return np.pad(reduced, ((0, 0), (0, max(0, 2 - reduced.shape[1]))))


def pca_layout(components: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the first two components [N, 2]."""
    return components[:, :2].copy()


def landmark_layout(
    components: NDArray[np.float32],
    *,
    seed: int = 0,
    landmarks: int = LANDMARKS,
    tell: Tell = lambda step: None,
) -> NDArray[np.float32]:
    """Return the places [N, 2] of photos by their components [N, C], N at least 8.

    t-SNE places a sample of at most `landmarks` photos, and each other photo lies between its nearest ones of the
    sample. The same components and seed give the same places on the same machine.
    """
    from sklearn.manifold import TSNE

    count = len(components)
    sample = np.sort(np.random.default_rng(seed).choice(count, min(landmarks, count), replace=False))
    tell(gettext_noop("placing a sample of photos"))
    tsne = TSNE(
        perplexity=min(PERPLEXITY, (len(sample) - 1) / 3),
        init="pca",
        learning_rate="auto",
        random_state=seed,
        n_jobs=1,
    )
    placed = tsne.fit_transform(components[sample]).astype(np.float32)
    points = np.empty((count, 2), np.float32)
    points[sample] = placed
    others = np.setdiff1d(np.arange(count), sample)
    if len(others):
        tell(gettext_noop("placing the other photos"))
        points[others] = _between(components[others], components[sample], placed)
    return points


def clusters_of(components: NDArray[np.float32], *, seed: int = 0) -> NDArray[np.uint8]:
    """Return a cluster 0 … for each photo [N] by k-means in the principal components; the largest cluster is 0."""
    from sklearn.cluster import MiniBatchKMeans

    count = min(CLUSTERS, max(1, len(components) // CLUSTER_PHOTOS))
    labels = MiniBatchKMeans(count, random_state=seed, n_init=3, batch_size=4096).fit_predict(components)
    order = np.argsort(-np.bincount(labels, minlength=count), kind="stable")
    rank = np.empty(count, np.uint8)
    rank[order] = np.arange(count)
    found: NDArray[np.uint8] = rank[labels]
    return found


def grid_places(points: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return points [N, 2] as whole numbers 0 … `SIDE`, with the same scale in both directions, in the middle."""
    low, high = points.min(axis=0), points.max(axis=0)
    length = float((high - low).max()) or 1.0
    middle = (low + high) / 2
    placed: NDArray[np.uint16] = np.rint(np.clip(((points - middle) / length + 0.5) * SIDE, 0, SIDE)).astype(np.uint16)
    return placed


def inside(places: NDArray[np.uint16], corners: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which places [N, 2] lie inside the polygon with these corners [M, 2], by the even-odd rule.

    The page uses the same rule on the same whole numbers (`static/js/photo_map/lasso.js`), so it finds the same photos.
    """
    x, y = places[:, 0].astype(np.float64), places[:, 1].astype(np.float64)
    found = np.zeros(len(places), bool)
    for (x1, y1), (x2, y2) in zip(
        corners.astype(np.float64), np.roll(corners, 1, axis=0).astype(np.float64), strict=True
    ):
        if y1 == y2:
            continue
        crosses = (y1 > y) != (y2 > y)
        found[crosses] ^= x[crosses] < (x2 - x1) * (y[crosses] - y1) / (y2 - y1) + x1
    return found


def _between(
    others: NDArray[np.float32], sample: NDArray[np.float32], placed: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the mean place of the nearest photos of the sample, each with the inverse of its distance as weight."""
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(sample)), algorithm="brute").fit(sample)
    distances, rows = nearest.kneighbors(others)
    weights = 1 / np.maximum(distances, 1e-6) ** 2
    weights /= weights.sum(axis=1, keepdims=True)
    found: NDArray[np.float32] = np.einsum("nk,nkd->nd", weights, placed[rows]).astype(np.float32)
    return found

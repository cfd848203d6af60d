"""Places on the map: near photos stay near, whole numbers, and the lasso."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from inference.projection.layout import (
    SIDE,
    Components,
    clusters_of,
    grid_places,
    inside,
    landmark_layout,
    pca_layout,
)


@pytest.fixture
def groups(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return features [240, 64] of eight groups, and the group of each row."""
    group = np.repeat(np.arange(8), 30)
    centres = rng.normal(0, 4, (8, 64))
    return (centres[group] + rng.normal(0, 1, (240, 64))).astype(np.float32), group


def test_the_map_keeps_neighbours_better_than_two_components(groups: tuple[np.ndarray, np.ndarray]) -> None:
    features, _ = groups
    components = Components(features).reduce(features)
    placed = trustworthiness(components, landmark_layout(components, landmarks=120), n_neighbors=5)
    assert placed > trustworthiness(components, pca_layout(components), n_neighbors=5)
    assert placed > 0.8


def test_the_same_photos_get_the_same_places(groups: tuple[np.ndarray, np.ndarray]) -> None:
    components = Components(groups[0]).reduce(groups[0])
    assert np.array_equal(landmark_layout(components, seed=3), landmark_layout(components, seed=3))


def test_clusters_are_the_groups_and_the_largest_is_the_first(groups: tuple[np.ndarray, np.ndarray]) -> None:
    features, group = groups
    kept = np.concatenate([np.flatnonzero(group == one)[: 30 - 2 * one] for one in range(8)])
    clusters = clusters_of(Components(features).reduce(features)[kept])
    sizes = np.bincount(clusters)
    assert list(sizes) == sorted(sizes, reverse=True)
    assert clusters[0] == 0


def test_places_use_one_scale_and_the_whole_side() -> None:
    places = grid_places(np.array([[0, 0], [10, 5]], np.float32))
    assert places.tolist() == [[0, round(SIDE / 4)], [SIDE, round(0.75 * SIDE)]]
    assert grid_places(np.zeros((3, 2), np.float32)).tolist() == [[round(SIDE / 2)] * 2] * 3


def test_inside_follows_the_even_odd_rule() -> None:
    places = np.array([[5, 5], [15, 5], [9, 9], [0, 0]], np.uint16)
    square = np.array([[1, 1], [10, 1], [10, 10], [1, 10]])
    assert inside(places, square).tolist() == [True, False, True, False]
    assert inside(places, np.concatenate([square, square])).tolist() == [False] * 4, "twice around is outside"

"""Groups of photos with similar content."""

import numpy as np
import pytest

from training.evaluation.calibration.content_groups import group_count, grouped


@pytest.mark.parametrize(("photos", "groups"), [(0, 0), (99, 0), (100, 2), (349, 6), (5000, 12)])
def test_the_number_of_groups_is_one_for_each_fifty_photos(photos: int, groups: int) -> None:
    assert group_count(photos) == groups


def test_photos_of_the_same_kind_are_in_the_same_group_and_the_largest_comes_first(rng: np.random.Generator) -> None:
    kinds = np.repeat([0, 1, 2], [30, 100, 60])
    features = 5 * np.eye(3, 40)[kinds] + 0.2 * rng.normal(size=(190, 40))
    features *= rng.uniform(0.5, 2, (190, 1))  # the length of the features says nothing
    ids = np.arange(1000, 1190)
    chunks = [(ids[:90], features[:90]), (ids[90:], features[90:])]
    photos, labels, examples = grouped(features, chunks, groups=3, seed=1)
    assert photos.tolist() == ids.tolist()
    assert [set(labels[kinds == kind].tolist()) for kind in (1, 2, 0)] == [{0}, {1}, {2}]
    assert [len(one) for one in examples] == [4, 4, 4]
    assert set(examples[0]) <= set(ids[kinds == 1].tolist())


def test_the_same_seed_gives_the_same_groups(rng: np.random.Generator) -> None:
    features = rng.normal(size=(120, 16))
    ids = np.arange(120)
    first, second = (grouped(features, [(ids, features)], groups=4, seed=2)[1] for _ in range(2))
    assert first.tolist() == second.tolist()

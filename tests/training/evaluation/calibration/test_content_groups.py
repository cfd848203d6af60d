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
    found = grouped(features, chunks, groups=3, seed=1)
    photos, labels, examples = found.photos, found.labels, found.examples
    assert photos.tolist() == ids.tolist()
    assert [set(labels[kinds == kind].tolist()) for kind in (1, 2, 0)] == [{0}, {1}, {2}]
    assert [len(one) for one in examples] == [4, 4, 4]
    assert set(examples[0]) <= set(ids[kinds == 1].tolist())


def test_the_same_seed_gives_the_same_groups(rng: np.random.Generator) -> None:
    features = rng.normal(size=(120, 16))
    ids = np.arange(120)
    first, second = (grouped(features, [(ids, features)], groups=4, seed=2).labels for _ in range(2))
    assert first.tolist() == second.tolist()


def test_groups_are_named_by_the_classes_that_are_more_probable_there_than_elsewhere(rng: np.random.Generator) -> None:
    kinds = np.repeat([0, 1, 2], [60, 80, 100])
    layers = 5 * np.eye(3, 12)[kinds] + 0.1 * rng.normal(size=(240, 12))
    # Every photo shows the first class a little. The second and third class are typical of one group each.
    share = np.array([[0.5, 0.4, 0.01, 0.09], [0.5, 0.01, 0.3, 0.19], [0.5, 0.01, 0.01, 0.02]])[kinds]
    features = np.concatenate([layers, np.log(share)], axis=1)
    names = ["table", "wall clock", "analog clock", "stopwatch"]
    found = grouped(features, [(np.arange(240), features)], groups=3, seed=1, classes=names)
    assert found.typical == ((), ("analog clock", "stopwatch"), ("wall clock",))
    assert grouped(features, [(np.arange(240), features)], groups=3, seed=1).typical == ((), (), ())

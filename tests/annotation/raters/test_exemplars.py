import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.raters.exemplars import evenly_spaced


def test_chosen_photos_are_evenly_spaced_from_worst_to_best() -> None:
    means = [5.0, 1.0, 9.0, 3.1, 7.2, 4.9, 6.0]
    assert [means[index] for index in evenly_spaced(means, [0.0] * 7, 5)] == [1.0, 3.1, 5.0, 7.2, 9.0]


def test_a_photo_with_more_agreement_is_preferred_to_a_nearer_one() -> None:
    means, spreads = [1.0, 1.4, 5.0, 9.0, 8.8], [2.0, 0.5, 1.0, 1.0, 3.0]
    assert evenly_spaced(means, spreads, 3) == [1, 2, 3]


def test_without_a_near_photo_the_nearest_free_photo_is_chosen() -> None:
    assert evenly_spaced([1.0, 1.1, 1.2, 1.3, 9.0], [0.0] * 5, 5) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("means", "count"), [([1.0], 1), ([1.0, 2.0], 3), ([1.0, 2.0], 1)])
def test_an_invalid_number_of_photos_is_refused(means: list[float], count: int) -> None:
    with pytest.raises(ValueError, match="cannot be chosen"):
        evenly_spaced(means, means, count)


@given(st.lists(st.tuples(st.floats(1, 10), st.floats(0, 4)), min_size=5, max_size=30))
def test_chosen_photos_are_different_and_sorted_by_mean(photos: list[tuple[float, float]]) -> None:
    means, spreads = np.array(photos).T
    chosen = evenly_spaced(means, spreads, 5)
    assert len(set(chosen)) == 5
    assert (np.diff(means[chosen]) >= 0).all()

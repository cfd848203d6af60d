import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.measures.scale_map import histograms_moved

SCALES = st.tuples(st.integers(0, 3), st.integers(1, 12)).map(lambda ends: (ends[0], ends[0] + ends[1]))


def test_the_same_scale_changes_nothing() -> None:
    assert histograms_moved([[1, 2, 3]], (1, 3), (1, 3)).tolist() == [[1, 2, 3]]


def test_a_score_between_two_is_divided() -> None:
    assert histograms_moved([[4, 6, 2]], (1, 3), (1, 4)).tolist() == [[4, 3, 3, 2]]
    assert histograms_moved([[1, 2, 3, 4, 5]], (1, 5), (0, 8)).tolist() == [[1, 0, 2, 0, 3, 0, 4, 0, 5]]


@given(SCALES, SCALES, st.data())
def test_number_and_mean_of_the_votes_stay(of: tuple[int, int], to: tuple[int, int], data: st.DataObject) -> None:
    bins = of[1] - of[0] + 1
    counts = np.array([data.draw(st.lists(st.integers(0, 50), min_size=bins, max_size=bins).filter(any))])
    moved = histograms_moved(counts, of, to)
    assert moved.min() >= 0
    assert moved.sum() == pytest.approx(counts.sum())
    share = (counts @ np.arange(bins) / counts.sum() / (of[1] - of[0])).item()
    assert (moved @ np.arange(to[1] - to[0] + 1) / moved.sum()).item() == pytest.approx(share * (to[1] - to[0]))


def test_counts_of_another_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="do not have the scale"):
        histograms_moved([[1, 2]], (1, 3), (1, 4))

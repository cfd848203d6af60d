import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from annotation.raters.agreement_with_others import agreement_with_others


def test_example_computed_by_hand() -> None:
    # Differences 1, 0, −1, 2: mean 0.5, standard deviation √(5/3), t(3) = 3.1824, so ± 2.0544.
    found = agreement_with_others([3, 5, 7, 9], [2.0, 5.0, 8.0, 7.0])
    assert found is not None
    assert (found.n, found.shift.value, found.within_one.value) == (4, 0.5, 0.75)
    assert (found.shift.low, found.shift.high) == pytest.approx((-1.5543, 2.5543), abs=1e-4)
    assert found.rank_correlation == pytest.approx(0.8)  # ranks 1 2 3 4 and 1 2 4 3


def test_undefined_figures_are_none_nan_or_infinite() -> None:
    assert agreement_with_others([], []) is None
    single, constant = (agreement_with_others(own, [4.0] * len(own)) for own in ([5], [5, 6, 7]))
    assert single is not None
    assert constant is not None
    assert (single.shift.value, single.shift.high, np.isnan(single.rank_correlation)) == (1.0, np.inf, True)
    assert np.isnan(constant.rank_correlation)


def test_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 scores do not match 1 means"):
        agreement_with_others([1, 2], [1])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10), st.integers(2, 20)), min_size=3, max_size=40))
def test_figures_agree_with_scipy(pairs: list[tuple[int, int]]) -> None:
    own, others = np.array(pairs, dtype=float).T
    found = agreement_with_others(own, others / 2)
    assert found is not None
    if np.ptp(own) and np.ptp(others):
        assert found.rank_correlation == pytest.approx(stats.spearmanr(own, others)[0])
    assert found.shift.low <= found.shift.value <= found.shift.high

"""Correlations and errors of predicted means: examples computed by hand, SciPy, and property tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from annotation.measures import correlation

vectors = st.integers(4, 30).flatmap(
    lambda n: st.tuples(*[arrays.arrays(np.float64, n, elements=st.floats(-5, 5, width=16))] * 2)
)


def test_correlations_of_four_photos_computed_by_hand() -> None:
    predicted, observed = [1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0]
    assert correlation.srcc(predicted, observed) == pytest.approx(0.8)  # 1 − 6·(0+1+1+0)/(4·15)
    assert correlation.plcc(predicted, observed) == pytest.approx(0.8)
    assert correlation.rmse(predicted, observed) == pytest.approx(np.sqrt(0.5))
    assert correlation.bias([3, 4, 8], [1, 4, 7]) == pytest.approx(1.0)


def test_kendalls_correlation_of_four_photos_computed_by_hand() -> None:
    # Of the six pairs one (the middle two) is in the opposite order: (5 − 1)/6.
    assert correlation.krcc([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0]) == pytest.approx(4 / 6)
    # One tie in the votes: 5 pairs in order, none against, (5 − 0)/√(6·5).
    assert correlation.krcc([1, 2, 3, 4], [1, 2, 2, 4]) == pytest.approx(5 / np.sqrt(30))
    rows = correlation.krcc([[1, 2, 3], [3, 2, 1]], [[1, 2, 3], [1, 2, 3]])
    np.testing.assert_allclose(rows, [1, -1])


@given(vectors)
def test_kendalls_correlation_counts_pairs(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pair
    first, second = np.triu_indices(len(x), 1)
    dx, dy = np.sign(x[first] - x[second]), np.sign(y[first] - y[second])
    untied = np.sqrt((dx != 0).sum() * (dy != 0).sum())
    if not untied:
        assert np.isnan(correlation.krcc(x, y))
        return
    assert correlation.krcc(x, y) == pytest.approx((dx * dy).sum() / untied)
    assert correlation.krcc(y, x) == pytest.approx(correlation.krcc(x, y))
    assert correlation.krcc(-x, y) == pytest.approx(-correlation.krcc(x, y))
    assert correlation.krcc(np.exp(x), y) == pytest.approx(correlation.krcc(x, y), abs=1e-9)


def test_the_mean_absolute_error_computed_by_hand() -> None:
    assert correlation.mae([3, 4, 8], [1, 4, 9]) == pytest.approx(1.0)
    assert correlation.mae([[3, 4], [1, 1]], [[1, 4], [2, 2]]).tolist() == [1.0, 1.0]


@pytest.mark.filterwarnings("error")
def test_constant_predictions_have_no_correlation() -> None:
    assert np.isnan(correlation.srcc([5.1, 5.1, 5.1], [1, 2, 3]))
    assert np.isnan(correlation.krcc([5.1, 5.1, 5.1], [1, 2, 3]))
    assert np.isnan(correlation.plcc([0.1] * 3, [1, 2, 3]))
    assert np.isnan(correlation.plcc([1, 2, 3], [0.1] * 3))
    both = correlation.srcc([[5, 5, 5], [1, 2, 3]], [[1, 2, 3], [1, 2, 3]])
    np.testing.assert_allclose(both, [np.nan, 1.0])


@pytest.mark.parametrize("measure", [correlation.srcc, correlation.krcc, correlation.plcc])
def test_one_photo_has_no_correlation(measure) -> None:
    assert np.isnan(measure([5], [4]))
    assert np.isnan(measure([[5], [6]], [[4], [4]])).all()
    assert np.isnan(measure([], []))


@given(vectors)
def test_rank_correlation_agrees_with_scipy(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pair
    found = correlation.srcc(x, y)
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert found == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
        assert correlation.srcc(np.exp(x / 4), y) == pytest.approx(found, abs=1e-9)
        assert correlation.srcc(-x, y) == pytest.approx(-found, abs=1e-9)
    else:
        assert np.isnan(found)


@given(vectors)
def test_linear_correlation_is_the_cosine_of_centred_vectors(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = (column - column.mean() for column in pair)
    if np.linalg.norm(x) < 1e-3 or np.linalg.norm(y) < 1e-3:
        return
    reference = float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    assert correlation.plcc(*pair) == pytest.approx(reference, abs=1e-9)
    assert correlation.plcc(3 * pair[0] + 1, pair[1]) == pytest.approx(reference, abs=1e-9)


def test_many_resamples_at_once_equal_one_at_a_time(rng: np.random.Generator) -> None:
    x, y = rng.random((5, 30)), rng.integers(1, 6, (5, 30)).astype(float)
    for metric in (correlation.srcc, correlation.plcc, correlation.rmse, correlation.bias):
        assert metric(x, y) == pytest.approx([float(metric(a, b)) for a, b in zip(x, y, strict=True)])

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


@pytest.mark.filterwarnings("error")
def test_constant_predictions_have_no_correlation() -> None:
    assert np.isnan(correlation.srcc([5.1, 5.1, 5.1], [1, 2, 3]))
    assert np.isnan(correlation.plcc([0.1] * 3, [1, 2, 3]))
    assert np.isnan(correlation.plcc([1, 2, 3], [0.1] * 3))
    both = correlation.srcc([[5, 5, 5], [1, 2, 3]], [[1, 2, 3], [1, 2, 3]])
    np.testing.assert_allclose(both, [np.nan, 1.0])


@pytest.mark.parametrize("measure", [correlation.srcc, correlation.plcc])
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

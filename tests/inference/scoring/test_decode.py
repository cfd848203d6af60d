import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.scoring.decode import mean_and_std, quality_class


def test_mean_and_standard_deviation_of_known_distributions() -> None:
    distribution = np.array([[0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0.5], [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]])
    mean, std = mean_and_std(distribution, 1)
    np.testing.assert_allclose(mean, [5.5, 4.0])
    np.testing.assert_allclose(std, [4.5, 0.0])


@given(arrays(float, (3, 7), elements=st.floats(0.01, 1)), st.integers(0, 5))
def test_the_mean_lies_on_the_scale(weights: np.ndarray, lowest: int) -> None:
    mean, std = mean_and_std(weights / weights.sum(1, keepdims=True), lowest)
    assert ((mean >= lowest) & (mean <= lowest + 6)).all()
    assert ((std >= 0) & (std <= 3 + 1e-9)).all()


@pytest.mark.parametrize(
    ("mean", "expected"),
    [(1.0, "rejected"), (5.0, "rejected"), (5.01, "pending"), (6.0, "pending"), (6.01, "accepted")],
)
def test_each_class_includes_its_upper_threshold(mean: float, expected: str) -> None:
    assert quality_class(np.array([mean]), reject_at=5.0, pending_at=6.0) == [expected]

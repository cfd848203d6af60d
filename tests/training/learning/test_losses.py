"""Losses compared with reference implementations in numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from annotation.measures import distribution
from training.learning.losses import emd_squared, negative_log_likelihood, opinion_loss, vote_weights

logits = arrays.arrays(np.float64, (3, 10), elements=st.floats(-4, 4))
histograms = arrays.arrays(np.int64, (3, 10), elements=st.integers(0, 5)).filter(lambda h: (h.sum(axis=1) > 0).all())


def reference_emd_squared(row: np.ndarray, histogram: np.ndarray) -> float:
    """Nested sums, as in the paper."""
    p = np.exp(row) / np.exp(row).sum()
    c = histogram / histogram.sum()
    return sum((sum(p[: k + 1]) - sum(c[: k + 1])) ** 2 for k in range(len(row))) / len(row)


@given(logits, histograms)
def test_squared_distance_agrees_with_the_papers_formula(rows: np.ndarray, counts: np.ndarray) -> None:
    ours = emd_squared(torch.tensor(rows), torch.tensor(counts, dtype=torch.float64)).numpy()
    assert ours == pytest.approx([reference_emd_squared(a, b) for a, b in zip(rows, counts, strict=True)], abs=1e-9)


@given(logits, histograms)
def test_the_loss_is_the_square_of_the_reported_distance(rows: np.ndarray, counts: np.ndarray) -> None:
    trained = emd_squared(torch.tensor(rows), torch.tensor(counts, dtype=torch.float64)).numpy()
    probabilities = torch.tensor(rows).softmax(-1).numpy()
    assert np.sqrt(trained) == pytest.approx(distribution.emd(probabilities, counts), abs=1e-7)


def test_the_squared_distance_of_an_example() -> None:
    certain = torch.log(torch.tensor([[1e-12, 1.0, 1e-12, 1e-12]]))
    assert emd_squared(certain, torch.tensor([[3.0, 0, 0, 0]])).item() == pytest.approx(0.25)


def test_distance_has_a_gradient_where_the_distributions_agree() -> None:
    rows = torch.zeros(1, 4, requires_grad=True)
    emd_squared(rows, torch.ones(1, 4)).sum().backward()
    assert torch.isfinite(rows.grad).all()


def test_each_leading_index_has_its_own_loss() -> None:
    rows, counts = torch.randn(2, 5, 10, generator=torch.Generator().manual_seed(0)), torch.ones(5, 10)
    together = opinion_loss(rows, counts, likelihood=0.3)
    assert together.shape == (2, 5)
    assert torch.allclose(together[1], opinion_loss(rows[1], counts, likelihood=0.3))


def test_negative_log_likelihood_of_two_equal_probabilities_is_log_two() -> None:
    assert negative_log_likelihood(torch.zeros(1, 2), torch.tensor([[3.0, 1.0]])).item() == pytest.approx(np.log(2))


def test_more_votes_weigh_more_up_to_a_limit() -> None:
    counts = torch.zeros(3, 10)
    counts[0, 0], counts[1, 0], counts[2, 0] = 1, 4, 400
    one, four, many = vote_weights(counts, noise=3.7).tolist()
    assert one < four < many < 5 * one
    assert np.mean([one, four, many]) == pytest.approx(1.0)
    assert four / one == pytest.approx((4 / 7.7) / (1 / 4.7))

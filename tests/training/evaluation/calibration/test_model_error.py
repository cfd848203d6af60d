"""The model's typical error apart from the scatter of the votes."""

import numpy as np
import pytest

from annotation.measures import opinion
from annotation.measures.vote_variance import UNKNOWN, VoteVariance
from training.evaluation.calibration.model_error import model_error, mos_variances


@pytest.mark.parametrize("true", [0.3, 1.0])
@pytest.mark.parametrize("votes", [2, 20])
def test_the_error_does_not_depend_on_the_number_of_votes(true: float, votes: int) -> None:
    rng = np.random.default_rng(votes)
    of_mos = np.full(20_000, 1.5 / votes)
    difference = rng.normal(0, true, 20_000) + rng.normal(0, np.sqrt(of_mos))
    assert model_error(difference, of_mos) == pytest.approx(true, rel=0.08)


def test_photos_on_which_both_truly_disagree_hardly_change_it(rng: np.random.Generator) -> None:
    difference = rng.normal(0, 1, 4000)
    before = model_error(difference, np.zeros(4000))
    difference[:80] += 6
    assert model_error(difference, np.zeros(4000)) < 1.05 * before
    assert np.sqrt((difference**2).mean()) > 1.25 * before


def test_scatter_that_explains_everything_leaves_no_error() -> None:
    assert model_error([0.1, -0.1, 0.2], [1.0, 1.0, 1.0]) == 0.0
    assert model_error([2.0, 2.0], [0.0, 0.0]) == pytest.approx(2 / 0.674489750196)
    assert np.isnan(model_error([], []))


def test_the_error_of_a_mos_is_that_of_its_interval() -> None:
    from scipy.stats import t

    histograms = np.array([[0, 2, 1, 0], [1, 0, 0, 0]])
    variance = VoteVariance(0.8, 6.0)
    half = opinion.mos_half_width(histograms, variance)
    degrees = np.array([2 + 6.0, 6.0])
    assert np.sqrt(mos_variances(histograms, variance)) == pytest.approx(half / t.ppf(0.975, degrees))
    assert mos_variances(histograms, UNKNOWN).tolist() == [0.0, 0.0]

"""How predicted means lie along the scale: golden values, properties, and what cannot be told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress

from annotation.measures.intervals import Interval
from annotation.measures.score_fit import ScoreFit, against, slope, spread_figures, vote_halves


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.1, 0.2, ScoreFit.FITS), (0.1, 0.2, ScoreFit.FITS), (0.1, 0.4, ScoreFit.ABOVE), (-0.4, -0.3, ScoreFit.BELOW),
     (-0.4, 0.1, ScoreFit.UNKNOWN)],
)  # fmt: skip
def test_an_interval_fits_only_if_all_of_it_lies_within_the_margin(low: float, high: float, verdict: ScoreFit) -> None:
    assert against(Interval((low + high) / 2, low, high, 9), 0.0, -0.25, 0.25) is verdict


def test_an_undefined_figure_cannot_be_told() -> None:
    nan = float("nan")
    assert against(Interval(nan, nan, nan, 0), 1.0, 0.8, 1.25) is ScoreFit.UNKNOWN


@given(st.lists(st.tuples(st.floats(1, 10), st.floats(1, 10)), min_size=3, max_size=30))
def test_the_slope_is_that_of_scipy(pairs: list[tuple[float, float]]) -> None:
    x, y = np.array(pairs).T
    if np.ptp(x) > 0.01:
        assert slope(x, y) == pytest.approx(linregress(x, y).slope, abs=1e-6)


def test_equal_predictions_have_no_slope() -> None:
    assert np.isnan(slope([5.0, 5, 5], [1.0, 2, 3]))


def test_the_noise_of_the_mos_is_taken_off() -> None:
    # Variances 4 and 4 + 5, by hand: 2/√(9 − 5) = 1.
    def ratio(noise: float) -> float:
        halves = (np.full(3, np.nan), np.full(3, np.nan))
        found = spread_figures(
            [3.0, 5.0, 7.0], [2.0, 5.0, 8.0], [noise] * 3, halves, scale=(1, 10), groups=[0, 1, 2], seed=1
        )
        return found.spread.value

    assert ratio(5.0) == pytest.approx(1.0)
    assert np.isnan(ratio(9.0))


def test_each_vote_is_in_one_half() -> None:
    first, second = vote_halves([0, 0, 1, 1, 1, 2], [2, 4, 1, 1, 7, 9], photos=4, seed=1)
    assert first[0] + second[0] == 6
    assert 2 * first[1] + second[1] == pytest.approx(9)
    assert (first[2], np.isnan(second[2])) == (9, True)
    assert np.isnan(first[3])


def test_squeezed_predictions_are_named_and_the_best_photos_underrated() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(5.5, 1.5, 400)
    votes = truth[:, None] + rng.normal(0, 1, (400, 4))
    figures = spread_figures(
        5.5 + 0.4 * (truth - 5.5), votes.mean(axis=1), np.full(400, 0.25),
        (votes[:, :2].mean(axis=1), votes[:, 2:].mean(axis=1)), scale=(1, 10), seed=1,
    )  # fmt: skip
    assert figures.on_average is ScoreFit.FITS
    assert figures.of_slope is ScoreFit.ABOVE
    assert figures.of_spread is ScoreFit.BELOW
    assert figures.best.high < -0.5 < 0.5 < figures.worst.low


def test_a_perfect_model_is_not_blamed_for_luck_in_the_votes() -> None:
    """One half of the votes chooses the best photos; measured on the same half, a perfect model would look too low."""
    rng = np.random.default_rng(2)
    truth = rng.normal(5.5, 1.0, 600)
    votes = truth[:, None] + rng.normal(0, 1.5, (600, 2))
    figures = spread_figures(
        truth, votes.mean(axis=1), np.full(600, 1.125), (votes[:, 0], votes[:, 1]), scale=(1, 10), seed=1
    )
    assert figures.best.low < 0 < figures.best.high
    chosen = votes.mean(axis=1) >= np.quantile(votes.mean(axis=1), 0.8)
    assert (truth - votes.mean(axis=1))[chosen].mean() < -0.5


def test_too_few_photos_have_no_best_fifth() -> None:
    figures = spread_figures([5.0, 6.0], [5.0, 6.0], [0.1, 0.1], ([5.0, 6.0], [5.0, 6.0]), scale=(1, 10), seed=1)
    assert figures.best.n == 0
    assert figures.margin == pytest.approx(0.25)


def test_a_spread_of_opinions_that_may_be_none_has_no_upper_end() -> None:
    """Resamples in which opinions do not differ were left out, which called some spreads too small for certain."""
    rng = np.random.default_rng(3)
    opinions, model = rng.normal(5.5, 0.4, 25), rng.normal(5.5, 0.3, 25)
    votes = opinions[:, None] + rng.normal(0, 1.5, (25, 2))
    noise = votes.var(axis=1, ddof=1) / 2
    halves = (votes[:, 0], votes[:, 1])
    found = spread_figures(model, votes.mean(axis=1), noise, halves, scale=(1, 10), seed=1)
    assert found.spread.high == np.inf or np.isnan(found.spread.value)
    assert found.of_spread is ScoreFit.UNKNOWN

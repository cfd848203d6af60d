"""Tests of whether probabilities fit: golden values, level, power, and the verdict 'cannot tell'."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from annotation.measures.probability_fit import Fault, Fit, odds_factor, probability_fit


def test_equal_probabilities_below_the_share_of_watches_do_not_fit() -> None:
    """The case that a rule about bins once called a fit: 20 % watches, all given .15."""
    labels = np.arange(400) % 5 == 0
    found = probability_fit(np.full(400, 0.15), labels, seed=1)
    assert found.verdict is Fit.MISFIT
    assert found.fault is Fault.TOO_LOW
    assert (found.n, found.groups, found.positives, found.observed) == (400, 400, 80, 0.2)
    # (.2/.8)/(.15/.85), by hand
    assert found.odds.value == pytest.approx(1.4167, abs=1e-3)
    assert found.odds.low > 1


def test_few_photos_cannot_tell() -> None:
    found = probability_fit([0.1] * 20, [1, 0, 0, 0, 0, 0, 0, 0, 0, 1] + [0] * 10, seed=1)
    assert found.verdict is Fit.UNKNOWN
    assert found.fault is None
    assert found.power < 0.5


def test_many_photos_with_right_probabilities_fit() -> None:
    rng = np.random.default_rng(3)
    probabilities = rng.random(800)
    found = probability_fit(probabilities, rng.random(800) < probabilities, seed=1)
    assert found.verdict is Fit.FITS
    assert found.power > 0.99


@pytest.mark.parametrize(("stretch", "fault"), [(2.5, Fault.TOO_SURE), (0.4, Fault.NOT_SURE)])
def test_a_wrong_slope_is_named(stretch: float, fault: Fault) -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 2, 600)
    labels = rng.random(600) < 1 / (1 + np.exp(-logits))
    found = probability_fit(1 / (1 + np.exp(-stretch * logits)), labels, seed=1)
    assert (found.verdict, found.fault) == (Fit.MISFIT, fault)


def test_the_factor_of_the_odds_is_the_intercept_of_a_logistic_regression() -> None:
    """With equal logits, a logistic regression without slope has the same solution."""
    labels = np.array([1] * 30 + [0] * 70)
    logit = np.log(0.5 / 0.5)
    regression = LogisticRegression(C=1e9).fit(np.zeros((100, 1)), labels)
    assert odds_factor(np.full(100, logit), labels) == pytest.approx(float(np.exp(regression.intercept_[0])), rel=1e-3)


def test_right_probabilities_are_seldom_called_a_misfit_and_wrong_odds_mostly() -> None:
    """At n = 400; by chance 120 draws have more than 13 false alarms in 1 of 1,000 cases at a level of 5 %."""
    rng = np.random.default_rng(7)
    alarms = named = 0
    for draw in range(120):
        probabilities = rng.beta(0.3, 0.9, 400)
        alarms += probability_fit(probabilities, rng.random(400) < probabilities, seed=draw).verdict is Fit.MISFIT
        odds = probabilities / (1 - probabilities) * (2 if draw % 2 else 0.5)
        named += probability_fit(probabilities, rng.random(400) < odds / (1 + odds), seed=draw).verdict is Fit.MISFIT
    assert alarms <= 13
    assert named >= 96


def test_near_duplicates_do_not_make_a_chance_look_like_a_misfit() -> None:
    """Groups of five photos with one label: without groups, the test would be far too sure."""
    rng = np.random.default_rng(9)
    alarms = np.zeros(2)
    for draw in range(60):
        probabilities = np.repeat(rng.random(30), 5)
        labels = np.repeat(rng.random(30) < probabilities[::5], 5)
        for place, groups in enumerate((None, np.repeat(np.arange(30), 5))):
            alarms[place] += probability_fit(probabilities, labels, groups=groups, seed=draw).verdict is Fit.MISFIT
    assert alarms[0] > 15
    assert alarms[1] <= 8


def test_probabilities_of_0_and_1_are_possible_and_labels_of_one_kind_have_no_factor() -> None:
    found = probability_fit([0.0] * 30 + [1.0] * 3, [0] * 33, seed=1)
    assert np.isnan(found.odds.value)
    assert 0 < found.p <= 1


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="need as many labels"):
        probability_fit([0.1, 0.2], [1], seed=1)
    with pytest.raises(ValueError, match="at least one"):
        probability_fit([], [], seed=1)

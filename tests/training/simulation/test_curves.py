"""Curves of simulated campaigns, and the answers that a level takes."""

import math

import numpy as np
import pytest

from training.simulation.curves import Curve, advantage, answers_needed, ceiling_of, curve_of, curves_json, worse_at
from training.simulation.replay import Replay


def curve(figure: str, *rows: list[float], label: str = "ours") -> Curve:
    return Curve(label, 0.0, figure, (10, 20, 40), np.array(rows))


def test_a_level_is_reached_on_the_line_between_two_budgets():
    found = answers_needed(curve("f1", [0.5, 0.7, 0.9], [0.5, 0.7, 0.9]), 0.8)

    assert (found.value, found.low, found.high) == pytest.approx((30, 30, 30))


def test_an_error_is_reached_from_above():
    assert answers_needed(curve("mos_rmse", [1.0, 0.6, 0.5], [1.0, 0.6, 0.5]), 0.8).value == pytest.approx(15)


def test_a_level_that_some_draws_miss_has_no_high_end():
    found = answers_needed(curve("f1", [0.5, 0.7, 0.9], [0.4, 0.5, 0.75]), 0.8)

    assert found.value == pytest.approx(20 + 20 * 0.2 / 0.225)
    assert found.low < found.value
    assert math.isinf(found.high)
    assert math.isnan(answers_needed(curve("f1", [0.5, 0.7, 0.9]), 0.95).value)


def test_a_mixture_is_worse_only_beyond_the_interval_of_the_difference():
    theirs = curve("f1", [0.50, 0.70, 0.90], [0.52, 0.72, 0.92], [0.54, 0.74, 0.94], label="random")
    ours = curve("f1", [0.40, 0.60, 0.97], [0.43, 0.75, 0.99], [0.44, 0.80, 1.00])

    assert worse_at(ours, theirs) == [10]
    assert [one.low > 0 for one in advantage(ours, theirs)] == [False, False, True]


def test_a_lower_error_is_an_advantage():
    ours, theirs = (curve("mos_rmse", [1.0, one, one], [1.1, one, one]) for one in (0.5, 0.6))

    assert advantage(ours, theirs)[1].value == pytest.approx(0.1)


def test_the_curve_ends_where_the_first_seed_ended():
    replays = [
        Replay("random", 0.0, seed, answers, {"f1": tuple(0.1 * one for one in answers)}, ceiling)
        for seed, answers, ceiling in ((1, (1, 2, 3), {"f1": 0.8}), (2, (1, 2), {}))
    ]

    found = curve_of(replays, "random", "f1", 0.0)

    assert found.answers == (1, 2)
    assert found.means.tolist() == pytest.approx([0.1, 0.2])
    assert ceiling_of(replays, "f1") == 0.8
    assert curves_json(replays)[0]["points"][1]["n"] == 2
    with pytest.raises(ValueError, match="no campaign of 'other'"):
        curve_of(replays, "other", "f1", 0.0)

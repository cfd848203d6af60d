"""Simulated annotators are fitted to a panel: the distribution of the people comes back."""

import numpy as np
import pytest

from training.simulation.raters import PanelUnusable, People, RaterPanel, raters_fitted


def panel_votes(*, people: int, photos: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, People]:
    """Return the columns of a panel in which everybody rates every photo, and the people."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(4, 1, photos)
    noise = np.exp(rng.normal(0, 0.25, people))
    crowd = People(rng.normal(0, 0.6, people), rng.normal(1, 0.3, people), noise)
    photo, person = np.repeat(np.arange(photos), people), np.tile(np.arange(people), photos)
    scores = crowd.scores(truth[photo], person, rng, middle=4, lowest=1, highest=7)
    return photo, person, scores, crowd


def test_the_fit_finds_how_bias_gain_and_noise_are_distributed():
    photo, person, scores, crowd = panel_votes(people=80, photos=120, seed=1)

    panel = raters_fitted(photo, person, scores, fitted_on="a panel")

    assert (panel.annotators, panel.votes, panel.lowest, panel.highest) == (80, 9600, 1, 7)
    assert panel.bias[1] == pytest.approx(crowd.bias.std(), rel=0.2)
    assert panel.gain[1] == pytest.approx(crowd.gain.std(), rel=0.25)
    assert np.exp(panel.log_noise[0]) == pytest.approx(np.median(crowd.noise), rel=0.15)
    assert panel.log_noise[1] == pytest.approx(0.25, rel=0.3)


def test_simulated_votes_lie_as_far_from_the_mean_as_real_ones():
    photo, person, scores, _ = panel_votes(people=40, photos=60, seed=2)

    panel = raters_fitted(photo, person, scores, fitted_on="a panel")

    assert panel.simulated_deviation == pytest.approx(panel.vote_deviation, rel=0.03)


def test_people_who_are_lenient_and_exact_give_such_scores():
    panel = RaterPanel("x", 50, 500, 1, 7, (1.0, 0.0), (1.0, 0.0), (np.log(0.2), 0.0), 0, 0, 0, 1, 1)
    rng = np.random.default_rng(0)
    people = panel.people(50, rng)

    scores = people.scores(np.full(50, 3.0), np.arange(50), rng, middle=4, lowest=1, highest=7)

    assert scores.mean() == pytest.approx(4, abs=0.1)
    assert set(scores) <= {3, 4, 5}


def test_a_panel_on_another_scale_spreads_as_far_in_parts_of_it():
    panel = RaterPanel("x", 50, 500, 1, 7, (0.5, 0.6), (1.0, 0.3), (np.log(1.5), 0.2), 0, 0, 0, 1.5, 1.5)

    wide = panel.on_scale(0, 100)

    assert wide.bias[1] == pytest.approx(0.6 * 100 / 6)
    assert np.exp(wide.log_noise[0]) == pytest.approx(1.5 * 100 / 6)
    assert wide.gain == panel.gain


def test_a_panel_survives_json_and_other_json_is_refused():
    panel = RaterPanel("x", 50, 500, 1, 7, (0.5, 0.6), (1.0, 0.3), (0.4, 0.2), 0.1, 0, 0, 1.5, 1.5)

    assert RaterPanel.from_json(panel.as_json()) == panel
    with pytest.raises(PanelUnusable, match="no panel"):
        RaterPanel.from_json({"format": 1, "bias": [0, 1]})


def test_few_people_are_not_enough():
    with pytest.raises(PanelUnusable, match="fewer than 5 people"):
        raters_fitted(np.arange(30), np.repeat(np.arange(3), 10), np.ones(30), fitted_on="x")

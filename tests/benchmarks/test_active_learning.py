"""The level that other orders must reach."""

import numpy as np
import pytest

from benchmarks.active_learning import _random_level
from training.simulation.curves import Curve


def curve(label: str, *rows: list[float]) -> Curve:
    return Curve(label, 0.0, "f1", (100, 200, 300), np.array(rows))


@pytest.mark.parametrize(
    ("random", "margin", "level", "words"),
    [
        ([0.8, 0.9, 0.95], [0.9, 0.95, 0.95], 0.95, "the best F1 of random order"),
        ([0.8, 1.0, 0.95], [0.9, 0.95, 0.95], 0.95, "the F1 of all labels"),
        ([0.8, 0.96, 0.95], [0.9, 0.95, 0.97], 0.96, "the best F1 of random order"),
    ],
)
def test_a_level_above_that_of_all_labels_is_chance(random: list[float], margin: list[float], level: float, words: str):
    found, what = _random_level({"random": curve("random", random, random), "watch_margin": curve("m", margin, margin)})

    assert found == pytest.approx(level)
    assert what.startswith(words)

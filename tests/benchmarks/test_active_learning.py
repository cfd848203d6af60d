"""What is said about the level that other orders must reach."""

import numpy as np
import pytest

from benchmarks.active_learning import _of_all_labels
from training.simulation.curves import Curve


def curve(label: str, *rows: list[float]) -> Curve:
    return Curve(label, 0.0, "f1", (100, 200, 300), np.array(rows))


@pytest.mark.parametrize(
    ("random", "margin", "note"),
    [
        ([0.8, 0.9, 0.95], [0.9, 0.95, 0.95], ""),
        ([0.8, 1.0, 0.95], [0.9, 0.95, 0.95], " (all labels give 0.950)"),
        ([0.8, 0.96, 0.95], [0.9, 0.95, 0.97], ""),
    ],
)
def test_a_best_level_above_that_of_all_labels_is_told(random: list[float], margin: list[float], note: str):
    curves = {"random": curve("random", random, random), "watch_margin": curve("watch_margin", margin, margin)}

    assert _of_all_labels(curves) == note

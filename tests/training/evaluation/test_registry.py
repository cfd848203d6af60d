"""The metrics: their values on three photos, their rows in the docs, and the format of numbers."""

import re
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from training.evaluation.measured import measured, measured_pairs
from training.evaluation.registry import METRICS, ScaleAndThresholds, Votes

ROOT = Path(settings.BASE_DIR)
SCALE = ScaleAndThresholds(
    lowest=1, reject_at=1.5, pending_at=2.5, watch_threshold=0.5, predicted_reject_at=1.5, predicted_pending_at=2.5
)


class Predicted:
    """Three photos on a scale of 1 to 3: certain predictions of the lowest, the middle and the highest score."""

    quality_mean = np.array([1.0, 2.0, 3.0])
    distribution = np.eye(3)
    watch_probability = np.array([0.9, 0.6, 0.1])


VOTES = {Votes.QUALITY: np.array([[2, 0, 0], [0, 2, 0], [0, 0, 2]]), Votes.WATCH: np.array([1, 0, 0])}


def test_the_reference_page_has_a_row_for_each_metric() -> None:
    page = (ROOT / "docs/reference/metrics.md").read_text()
    rows = re.findall(r"^\| (\w+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)[1:]
    assert rows == [
        (name, metric.label, metric.explanation, metric.unit or "–", "higher" if metric.higher_is_better else "lower")
        for name, metric in METRICS.items()
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quality_srcc", 1.0),
        ("quality_plcc", 1.0),
        ("quality_rmse", 0.0),
        ("quality_emd", 0.0),
        ("quality_rps", 0.0),
        ("class_accuracy", 1.0),
        ("watch_roc_auc", 1.0),
        ("watch_f1", 2 / 3),
        ("watch_accuracy", 2 / 3),
        ("watch_brier", (0.01 + 0.36 + 0.01) / 3),
    ],
)
def test_each_metric_of_three_photos_has_the_value_computed_by_hand(name: str, value: float) -> None:
    metric = METRICS[name]
    found = metric.interval(Predicted(), VOTES[metric.votes], SCALE, groups=np.arange(3), seed=1)
    assert (found.value, found.n) == (pytest.approx(value), 3)
    same = metric.difference(Predicted(), Predicted(), VOTES[metric.votes], SCALE, SCALE, groups=np.arange(3), seed=1)
    assert same.value == 0


def test_each_metric_is_paired_with_its_difference() -> None:
    entry = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}
    pairs = measured_pairs({"watch_f1": entry, "quality_rmse": entry}, {"quality_rmse": entry})
    assert [(one.metric.name, difference and difference.verdict) for one, difference in pairs] == [
        ("quality_rmse", "worse"),
        ("watch_f1", None),
    ]
    (one,) = measured({"quality_rmse": {**entry, "value": -0.5}})
    assert (one.text, one.signed, one.interval) == ("−0.50", "−0.50", "0.40–0.60")

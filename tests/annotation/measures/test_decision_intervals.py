"""Intervals of decisions that are nearly always right."""

import numpy as np
import pytest

from annotation.measures import classification
from annotation.measures.decision_intervals import accuracy_interval, f1_interval, roc_auc_interval
from annotation.measures.intervals import interval, wilson_interval


def test_f1_has_the_interval_of_its_share_of_photos() -> None:
    labels, decisions = np.array([1] * 10 + [0] * 90), np.array([1] * 8 + [0] * 90 + [1] * 2)
    found, share = f1_interval(decisions, labels, groups=np.arange(100)), wilson_interval(8, 12)
    assert found.value == pytest.approx(0.8)
    assert (found.low, found.high) == pytest.approx([2 * end / (1 + end) for end in (share.low, share.high)])
    assert (found.n, found.groups) == (100, 100)


def test_no_mistake_is_no_proof() -> None:
    labels, groups = np.array([1] * 10 + [0] * 30), np.arange(40)
    assert f1_interval(labels, labels, groups=groups).low < 0.85
    assert accuracy_interval(labels, labels, groups=groups).low == pytest.approx(wilson_interval(40, 40).low)
    found = roc_auc_interval(labels * 0.8, labels, groups=groups, seed=1)
    assert (found.value, found.low) == (1.0, pytest.approx(wilson_interval(10, 10).low))
    assert interval(classification.roc_auc, labels * 0.8, labels, groups=groups, seed=1).low == 1.0


def test_without_watches_there_is_no_f1_and_no_auc() -> None:
    nothing = np.zeros(20)
    assert np.isnan(f1_interval(nothing, nothing, groups=np.arange(20)).value)
    assert np.isnan(roc_auc_interval(nothing, nothing, groups=np.arange(20), seed=1).value)
    assert np.isnan(accuracy_interval([], [], groups=[]).value)


def test_f1_is_covered_where_mistakes_are_few() -> None:
    """A bootstrap over photos covers 71 % of these: in three of ten draws there is no mistake, and no width."""
    rng, labels = np.random.default_rng(2), np.array([1] * 10 + [0] * 30)
    right = 2 * 9.7 / (2 * 9.7 + 0.3 + 0.9)
    drawn = (np.where(rng.random(40) < 0.03, 1 - labels, labels) for _ in range(400))
    found = [f1_interval(decisions, labels, groups=np.arange(40)) for decisions in drawn]
    assert np.mean([one.low <= right <= one.high for one in found]) >= 0.93

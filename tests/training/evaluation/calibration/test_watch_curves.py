"""Curves over all thresholds: numbers by hand, scikit-learn, and properties."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import metrics as sklearn_metrics

from annotation.measures import classification
from annotation.measures.intervals import Interval
from training.evaluation.calibration.group_draws import GroupDraws
from training.evaluation.calibration.watch_curves import WatchCurves, cost_row, watch_curves
from training.evaluation.calibration.watch_reliability import brier_parts, watch_reliability

AREA = Interval(0.9, 0.8, 1.0, 4)
# Each example draws a thousand resamples.
few_examples = settings(max_examples=25)
labelled = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        arrays.arrays(np.float64, n, elements=st.floats(0, 1, width=16)),
        arrays.arrays(np.int8, n, elements=st.integers(0, 1)),
    )
)


def curves(p: Any, labels: Any, *, threshold: float = 0.5, groups: Any = None) -> WatchCurves:
    names = np.arange(len(p)) if groups is None else groups
    return watch_curves(p, labels, GroupDraws(names, seed=1), threshold=threshold, roc_auc=AREA)


def test_a_threshold_curve_of_four_photos_computed_by_hand() -> None:
    found = curves([0.1, 0.4, 0.6, 0.8], [0, 1, 0, 1])
    curve = found.thresholds
    assert curve.threshold == (0.0, 0.1, 0.4, 0.5, 0.6, 0.8)
    assert curve.missed == (0, 0, 1, 1, 1, 2)
    assert curve.false_alarms == (2, 1, 1, 1, 0, 0)
    assert curve.f1 == pytest.approx((2 / 3, 0.8, 0.5, 0.5, 2 / 3, 0))
    assert curve.recall == pytest.approx((1, 1, 0.5, 0.5, 0.5, 0))
    assert curve.precision[:5] == pytest.approx((0.5, 2 / 3, 0.5, 0.5, 1))
    assert np.isnan(curve.precision[5])
    assert found.plateau is not None
    # Two watches are found with one false alarm by every threshold from .1 to .4.
    assert (found.plateau.best_low, found.plateau.best_high, found.plateau.best.value) == (0.1, 0.4, pytest.approx(0.8))


@few_examples
@given(labelled, st.floats(0, 1))
def test_every_threshold_does_what_the_table_of_thresholds_says(
    pair: tuple[np.ndarray, np.ndarray], threshold: float
) -> None:
    p, labels = pair
    curve = curves(p, labels, threshold=threshold).thresholds
    rows = classification.threshold_table(p, labels, curve.threshold)
    assert [row.false_negatives for row in rows] == list(curve.missed)
    assert [row.false_positives for row in rows] == list(curve.false_alarms)
    if labels.any():
        assert [row.f1 for row in rows] == pytest.approx(list(curve.f1))
    else:
        assert np.isnan(curve.f1).all()
    assert threshold in curve.threshold


@few_examples
@given(labelled)
def test_roc_and_precision_recall_curves_are_those_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, labels = pair
    found = curves(p, labels)
    if labels.min() == labels.max():
        assert (found.roc, found.precision_recall, found.plateau) == (None, None, None)
        return
    assert found.roc is not None
    assert found.precision_recall is not None
    x, y, _ = sklearn_metrics.roc_curve(labels, p)
    assert (found.roc.x, found.roc.y) == (pytest.approx(x), pytest.approx(y))
    precision, recall, _ = sklearn_metrics.precision_recall_curve(labels, p)
    assert sorted(found.precision_recall.x) == pytest.approx(sorted(recall[:-1]))
    assert found.precision_recall.area.value == pytest.approx(sklearn_metrics.average_precision_score(labels, p))
    assert sum(found.precision_recall.y) == pytest.approx(sum(precision[:-1]))


def test_the_bands_of_the_curves_contain_the_true_curves(rng: np.random.Generator) -> None:
    # Probabilities of watches are the squares of uniform numbers' complements: TPR at FPR f is 1 − (1 − f)².
    inside = []
    for seed in range(20):
        p = np.concatenate([rng.random(150), np.sqrt(rng.random(150))])
        found = watch_curves(
            p, np.repeat([0, 1], 150), GroupDraws(np.arange(300), seed=seed), threshold=0.5, roc_auc=AREA
        ).roc
        assert found is not None
        grid = np.array(found.band_at)[5:46]
        truth = 1 - (1 - grid) ** 2
        low, high = np.array(found.low)[5:46], np.array(found.high)[5:46]
        inside.append(((low <= truth + 1e-9) & (truth <= high + 1e-9)).mean())
    assert np.mean(inside) > 0.88  # 95 % is promised, by percentiles of 300 photos


def test_thresholds_that_no_photo_tells_apart_are_one_plateau() -> None:
    found = curves(np.repeat([0.02, 0.9], [60, 30]), np.repeat([0, 1], [60, 30]), threshold=0.05)
    plateau = found.plateau
    assert plateau is not None
    assert (plateau.best_low, plateau.best_high) == (0.02, 0.9)
    assert (plateau.low, plateau.high) == (0.02, 0.9)
    assert 0.05 in plateau
    assert 0.9 not in plateau
    assert 0.01 not in plateau


def test_few_photos_cannot_tell_thresholds_apart_that_many_can(rng: np.random.Generator) -> None:
    def width(photos: int) -> float:
        labels = (rng.random(photos) < 0.4).astype(int)
        p = np.clip(rng.normal(0.35 + 0.3 * labels, 0.15), 0, 1)
        plateau = curves(p, labels).plateau
        assert plateau is not None
        assert plateau.low <= plateau.best_low < plateau.best_high <= plateau.high
        return plateau.high - plateau.low

    assert width(3000) < 0.5 * width(40)


def test_copies_of_photos_do_not_make_a_plateau_narrower(rng: np.random.Generator) -> None:
    labels = (rng.random(40) < 0.4).astype(int)
    p = np.clip(rng.normal(0.35 + 0.3 * labels, 0.15), 0, 1)
    once, copies = (
        curves(np.repeat(p, n), np.repeat(labels, n), groups=np.repeat(np.arange(40), n)).plateau for n in (1, 5)
    )
    assert once is not None
    assert copies is not None
    assert (copies.low, copies.high) == pytest.approx((once.low, once.high), abs=0.1)


def test_the_cheapest_threshold_computed_by_hand() -> None:
    curve = curves([0.1, 0.4, 0.6, 0.8], [0, 1, 0, 1]).thresholds
    # Ten false alarms a missed watch: 20 for a threshold from .8, 11 from .4, and 1 from .1.
    dear = cost_row(curve, 10, 0.5, photos=4)
    assert (dear.low, dear.high, dear.missed, dear.false_alarms) == (0.1, 0.4, 0, 1)
    assert (dear.cost, dear.cost_in_use) == (250, 2750)
    cheap = cost_row(curve, 0.1, 0.5, photos=4)
    assert (cheap.low, cheap.high, cheap.missed, cheap.false_alarms) == (0.6, 0.8, 1, 0)


def test_of_equally_cheap_thresholds_those_nearest_to_the_one_in_use_are_shown() -> None:
    curve = curves([0.1, 0.4, 0.6, 0.8], [0, 1, 0, 1]).thresholds
    # One false alarm a missed watch: both ranges make one mistake.
    assert cost_row(curve, 1, 0.2, photos=4).low == 0.1
    assert cost_row(curve, 1, 0.7, photos=4).low == 0.6


@few_examples
@given(labelled, st.floats(0.01, 100))
def test_no_threshold_is_cheaper_than_the_cheapest(pair: tuple[np.ndarray, np.ndarray], ratio: float) -> None:
    p, labels = pair
    row = cost_row(curves(p, labels).thresholds, ratio, 0.5, photos=len(p))
    for threshold in np.linspace(0, 1, 41):
        (found,) = classification.threshold_table(p, labels, [threshold])
        assert row.cost <= (ratio * found.false_negatives + found.false_positives) * 1000 / len(p) + 1e-6


def test_many_photos_give_a_curve_of_a_few_hundred_points(rng: np.random.Generator) -> None:
    p = rng.beta(0.3, 3, 20_000)
    found = curves(p, (rng.random(20_000) < p).astype(int), threshold=0.05)
    assert found.roc is not None
    assert len(found.thresholds.threshold) < 420
    assert len(found.roc.x) <= 400
    (row,) = classification.threshold_table(p, rng.random(20_000) < 2, [0.05])
    place = found.thresholds.threshold.index(0.05)
    assert found.thresholds.missed[place] + found.thresholds.false_alarms[place] > 0
    assert row.threshold == 0.05


def test_the_parts_of_the_brier_score_computed_by_hand() -> None:
    # Two groups of two photos: p .1 with no watch, p .6 with one of two. Calibrated: 0 and .5.
    parts = brier_parts([0.1, 0.1, 0.6, 0.6], [0, 0, 1, 0])
    brier = (0.01 + 0.01 + 0.16 + 0.36) / 4
    assert parts.miscalibration == pytest.approx(brier - 0.125)
    assert parts.discrimination == pytest.approx(0.25 * 0.75 - 0.125)
    assert parts.uncertainty == pytest.approx(0.25 * 0.75)


@given(labelled)
def test_the_parts_of_the_brier_score_add_up_and_are_not_negative(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, labels = pair
    parts = brier_parts(p, labels)
    total = parts.miscalibration - parts.discrimination + parts.uncertainty
    assert total == pytest.approx(float(classification.brier(p, labels)))
    assert parts.miscalibration >= -1e-9
    assert parts.discrimination >= -1e-9


def test_the_consistency_band_is_that_of_the_binomial_distribution() -> None:
    p, labels = np.repeat([0.2, 0.7], 100), np.repeat([0, 1], 100)
    found = watch_reliability(p, labels, np.arange(200), seed=1)
    assert found is not None
    assert [one.predicted for one in found.bins] == pytest.approx([0.2, 0.7])
    # 95 % of binomial(100, .2) lies within 13 … 28, and of binomial(100, .7) within 61 … 79.
    assert found.low == pytest.approx((0.125, 0.61), abs=0.015)
    assert found.high == pytest.approx((0.28, 0.79), abs=0.015)
    assert found.outside == 2
    assert found.error == pytest.approx((0.2 + 0.3) / 2)
    assert found.error_by_chance < 0.1


def test_right_probabilities_are_rarely_outside_of_the_band_and_near_duplicates_make_it_wider(
    rng: np.random.Generator,
) -> None:
    shares = []
    for seed in range(30):
        p = np.repeat(rng.beta(1, 2, 60), 5)
        groups = np.repeat(np.arange(60), 5)
        labels = (rng.random(60)[groups] < p).astype(int)
        found = watch_reliability(p, labels, groups, seed=seed)
        assert found is not None
        shares.append(found.outside / len(found.bins))
        single = watch_reliability(p, labels, np.arange(300), seed=seed)
        assert single is not None
        assert sum(found.high) > sum(single.high)
    assert np.mean(shares) < 0.1  # 5 % is promised


def test_few_labels_or_labels_of_one_kind_have_no_diagram() -> None:
    assert watch_reliability([0.5] * 19, [0, 1] * 9 + [1], np.arange(19), seed=1) is None
    assert watch_reliability([0.5] * 30, [1] * 30, np.arange(30), seed=1) is None

"""Classification of watches: examples computed by hand, scikit-learn, and property tests."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import metrics as sklearn_metrics

from annotation.measures import classification

labelled = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        arrays.arrays(np.float64, n, elements=st.floats(0, 1, width=16)),
        arrays.arrays(np.int8, n, elements=st.integers(0, 1)),
    )
)


def test_roc_auc_computed_by_hand() -> None:
    # Pairs (watch, other): (.9,.8) (.9,.3) correct, (.3,.8) wrong, (.3,.3) half.
    assert classification.roc_auc([0.9, 0.8, 0.3, 0.3], [1, 0, 1, 0]) == pytest.approx(2.5 / 4)


@given(labelled)
def test_metrics_agree_with_scikit_learn(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, labels = pair
    assert classification.accuracy(p > 0.5, labels) == pytest.approx(sklearn_metrics.accuracy_score(labels, p > 0.5))
    brier = sklearn_metrics.brier_score_loss(labels, p, pos_label=1)
    assert classification.brier(p, labels) == pytest.approx(brier)
    if 0 < labels.sum() < len(labels):
        assert classification.roc_auc(p, labels) == pytest.approx(sklearn_metrics.roc_auc_score(labels, p))
        assert classification.roc_auc(np.sqrt(p), labels) == pytest.approx(classification.roc_auc(p, labels))
        assert classification.f1(p > 0.5, labels) == pytest.approx(sklearn_metrics.f1_score(labels, p > 0.5))
    else:
        assert np.isnan(classification.roc_auc(p, labels))


def test_log_loss_and_brier_skill_computed_by_hand() -> None:
    assert classification.log_loss([0.5, 0.5], [1, 0]) == pytest.approx(np.log(2))
    # −log .9 for the watch, −log .8 for the other photo.
    assert classification.log_loss([0.9, 0.2], [1, 0]) == pytest.approx(-(np.log(0.9) + np.log(0.8)) / 2)
    assert classification.log_loss([0.0], [1]) == pytest.approx(-np.log(classification.LEAST_PROBABILITY))
    # Brier (.01 + .04)/2 against .5·.5.
    assert classification.brier_skill([0.9, 0.2], [1, 0]) == pytest.approx(1 - 0.025 / 0.25)
    assert classification.brier_skill([0.25] * 4, [1, 0, 0, 0]) == pytest.approx(0)
    assert np.isnan(classification.brier_skill([0.2, 0.3], [0, 0]))


@given(labelled)
def test_log_loss_equals_that_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, labels = pair
    inside = np.clip(p, classification.LEAST_PROBABILITY, 1 - classification.LEAST_PROBABILITY)
    expected = sklearn_metrics.log_loss(labels, np.stack([1 - inside, inside], axis=1), labels=[0, 1])
    assert classification.log_loss(p, labels) == pytest.approx(expected)
    assert classification.log_loss(1 - p, 1 - labels) == pytest.approx(classification.log_loss(p, labels))


@given(labelled)
def test_best_threshold_is_at_least_as_good_as_every_threshold_of_a_grid(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, labels = pair
    if not labels.sum() or not p.max():
        return
    best = classification.best_threshold(p, labels)
    grid = [float(classification.f1(p > threshold, labels)) for threshold in np.linspace(0, 0.99, 34)]
    assert classification.f1(p > best, labels) >= np.nanmax(grid) - 1e-12


def test_threshold_table_counts_each_kind_of_decision() -> None:
    rows = classification.threshold_table([0.6, 0.2, 0.04, 0.3], [1, 1, 0, 0])
    assert [row.threshold for row in rows][:4] == [0.01, 0.02, 0.05, 0.1]
    first, fifty = rows[0], rows[-1]
    assert (first.true_positives, first.false_positives, first.true_negatives) == (2, 2, 0)
    assert (fifty.f1, fifty.accuracy, fifty.roc_auc) == pytest.approx((2 / 3, 0.75, 0.75))
    assert fifty.balanced_accuracy == pytest.approx(sklearn_metrics.roc_auc_score([1, 1, 0, 0], [1, 0, 0, 0]))
    assert np.isnan(classification.threshold_table([], [])[0].f1)


def test_quality_classes_include_their_upper_limit() -> None:
    assert classification.quality_classes([5.0, 5.1, 6.0, 6.1], reject_at=5, pending_at=6).tolist() == [0, 1, 1, 2]


def test_many_resamples_at_once_equal_one_at_a_time(rng: np.random.Generator) -> None:
    p, labels = rng.random((5, 30)), rng.integers(0, 2, (5, 30))
    for metric, predicted in (
        (classification.roc_auc, p),
        (classification.f1, p > 0.4),
        (classification.accuracy, p > 0.4),
        (classification.brier, p),
    ):
        one_at_a_time = [float(metric(a, b)) for a, b in zip(predicted, labels, strict=True)]
        assert metric(predicted, labels) == pytest.approx(one_at_a_time)


@pytest.mark.filterwarnings("error")
def test_metrics_without_photos_are_nan() -> None:
    (row,) = classification.threshold_table([], [], [0.5])
    assert np.isnan([row.roc_auc, row.balanced_accuracy, row.f1, row.accuracy]).all()
    assert (row.true_positives, row.true_negatives) == (0, 0)
    assert np.isnan(classification.best_threshold([], []))


def test_best_threshold_computed_by_hand() -> None:
    # Probabilities of at least .6: 2 true positives, 1 false positive, F1 4/5. At least .9: 1 true positive, 1 false
    # negative, F1 2/3. At least .1: 2 true positives, 2 false positives, F1 2/3.
    assert classification.best_threshold([0.9, 0.8, 0.6, 0.1], [1, 0, 1, 0]) == pytest.approx(0.35)
    assert classification.best_threshold([0.6, 0.4], [1, 1]) == pytest.approx(0.2)  # halfway between 0.4 and 0
    assert classification.best_threshold([0.0, 0.0], [1, 0]) == 0.0  # no probability is above any threshold
    assert np.isnan(classification.best_threshold([0.3, 0.2], [0, 0]))


@given(labelled)
def test_the_highest_of_equally_good_thresholds_is_chosen(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, labels = pair
    steps = sorted({0.0, *p.tolist()})
    middles = [(low + high) / 2 for low, high in pairwise(steps)]
    if not labels.sum() or not middles:
        return
    scores = [sklearn_metrics.f1_score(labels, p > middle, zero_division=0.0) for middle in middles]
    best = max(zip(np.round(scores, 12), middles, strict=True))[1]
    assert classification.best_threshold(p, labels) == pytest.approx(best)


@given(labelled, st.floats(0, 1))
def test_each_row_of_the_threshold_table_agrees_with_scikit_learn(
    pair: tuple[np.ndarray, np.ndarray], threshold: float
) -> None:
    p, labels = pair
    predicted = p > threshold
    (row,) = classification.threshold_table(p, labels, [threshold])
    assert row.true_positives + row.false_positives == predicted.sum()
    assert row.true_positives + row.false_negatives == labels.sum()
    assert row.true_negatives + row.false_negatives == (~predicted).sum()
    assert row.accuracy == pytest.approx(sklearn_metrics.accuracy_score(labels, predicted))
    if 0 < labels.sum() < len(labels):
        assert row.balanced_accuracy == pytest.approx(sklearn_metrics.balanced_accuracy_score(labels, predicted))
        assert row.f1 == pytest.approx(sklearn_metrics.f1_score(labels, predicted, zero_division=0.0))

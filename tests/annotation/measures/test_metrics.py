"""Measures: hand-worked numbers, independent references, and properties."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from sklearn import metrics as sklearn_metrics

from annotation.measures import calibration, classification, correlation, distribution, intervals

vectors = st.integers(4, 30).flatmap(
    lambda n: st.tuples(*[arrays.arrays(np.float64, n, elements=st.floats(-5, 5, width=16))] * 2)
)
labelled = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        arrays.arrays(np.float64, n, elements=st.floats(0, 1, width=16)),
        arrays.arrays(np.int8, n, elements=st.integers(0, 1)),
    )
)


def test_correlations_of_four_photos_worked_by_hand() -> None:
    predicted, observed = [1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0]
    assert correlation.srcc(predicted, observed) == pytest.approx(0.8)  # 1 − 6·(0+1+1+0)/(4·15)
    assert correlation.plcc(predicted, observed) == pytest.approx(0.8)
    assert correlation.rmse(predicted, observed) == pytest.approx(np.sqrt(0.5))


def test_constant_predictions_have_no_correlation() -> None:
    assert np.isnan(correlation.srcc([5.1, 5.1, 5.1], [1, 2, 3]))
    assert np.isnan(correlation.plcc([0.1] * 3, [1, 2, 3]))


@given(vectors)
def test_rank_correlation_agrees_with_scipy(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pair
    ours = correlation.srcc(x, y)
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert ours == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
        assert correlation.srcc(np.exp(x / 4), y) == pytest.approx(ours, abs=1e-9)
        assert correlation.srcc(-x, y) == pytest.approx(-ours, abs=1e-9)
    else:
        assert np.isnan(ours)


def test_resamples_are_measured_as_if_one_by_one(rng: np.random.Generator) -> None:
    x, y = rng.random((5, 30)), rng.integers(1, 6, (5, 30)).astype(float)
    labels = (y > 3).astype(int)
    for metric, one, two in (
        (correlation.srcc, x, y),
        (correlation.plcc, x, y),
        (correlation.rmse, x, y),
        (classification.roc_auc, x, labels),
        (classification.f1, x > 0.4, labels),
        (classification.accuracy, x > 0.4, labels),
        (classification.brier, x, labels),
        (classification.log_loss, x, labels),
    ):
        assert metric(one, two) == pytest.approx([float(metric(a, b)) for a, b in zip(one, two, strict=True)])


def test_earth_movers_distance_worked_by_hand() -> None:
    # All mass one step away: CDFs differ by 1 in one of the four bins, √(1/4).
    assert distribution.emd([0, 1, 0, 0], [3, 0, 0, 0]) == pytest.approx(0.5)
    assert distribution.emd([0, 1, 0, 0], [3, 0, 0, 0], r=1.0) == pytest.approx(0.25)
    assert distribution.emd([0.5, 0.5], [4, 4]) == 0.0
    assert np.isnan(distribution.emd([0.5, 0.5], [0, 0]))


@given(arrays.arrays(np.float64, (2, 10), elements=st.floats(0.01, 1)))
def test_earth_movers_distance_is_a_distance(pair: np.ndarray) -> None:
    p, q = pair
    assert distribution.emd(p, q) == pytest.approx(distribution.emd(q, p))
    assert 0 <= distribution.emd(p, q) < 1
    assert distribution.emd(p[::-1], q[::-1]) == pytest.approx(distribution.emd(p, q), abs=1e-9)
    # With r = 1 it is Wasserstein's distance between the scores, in units of the scale.
    reference = stats.wasserstein_distance(np.arange(10), np.arange(10), p, q) / 10
    assert distribution.emd(p, q, r=1.0) == pytest.approx(reference, abs=1e-9)


def test_ranked_probability_score_worked_by_hand() -> None:
    assert distribution.rps([0, 0, 1], [0, 0, 2]) == 0.0
    assert distribution.rps([1, 0, 0], [0, 0, 1]) == pytest.approx(2.0)
    # p = ½ ½ 0; votes 1 and 3: ((½−1)² + 0 + 0 + (½−0)² + 1²)/2
    assert distribution.rps([0.5, 0.5, 0], [1, 0, 1]) == pytest.approx(0.75)


@given(
    arrays.arrays(np.float64, 5, elements=st.floats(0.01, 1)), arrays.arrays(np.int64, 5, elements=st.integers(0, 4))
)
def test_ranked_probability_score_is_the_mean_over_votes(p: np.ndarray, histogram: np.ndarray) -> None:
    if not histogram.sum():
        assert np.isnan(distribution.rps(p, histogram))
        return
    cumulated = np.cumsum(p) / p.sum()
    votes = np.repeat(np.arange(5), histogram)
    reference = np.mean([((cumulated - (y <= np.arange(5))) ** 2).sum() for y in votes])
    assert distribution.rps(p, histogram) == pytest.approx(reference, abs=1e-9)


def test_mean_score_of_a_distribution() -> None:
    assert distribution.mean_score([[0, 0.5, 0.5], [2, 0, 0]], lowest=1) == pytest.approx([2.5, 1.0])


def test_roc_auc_worked_by_hand() -> None:
    # Pairs (watch, other): (.9,.8) (.9,.3) right, (.3,.8) wrong, (.3,.3) half.
    assert classification.roc_auc([0.9, 0.8, 0.3, 0.3], [1, 0, 1, 0]) == pytest.approx(2.5 / 4)


@given(labelled)
def test_classification_agrees_with_scikit_learn(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, labels = pair
    assert classification.accuracy(p > 0.5, labels) == pytest.approx(sklearn_metrics.accuracy_score(labels, p > 0.5))
    assert classification.brier(p, labels) == pytest.approx(np.mean((p - labels) ** 2))
    if 0 < labels.sum() < len(labels):
        assert classification.roc_auc(p, labels) == pytest.approx(sklearn_metrics.roc_auc_score(labels, p))
        assert classification.roc_auc(np.sqrt(p), labels) == pytest.approx(classification.roc_auc(p, labels))
        assert classification.f1(p > 0.5, labels) == pytest.approx(sklearn_metrics.f1_score(labels, p > 0.5))
    else:
        assert np.isnan(classification.roc_auc(p, labels))


@given(labelled)
def test_best_threshold_beats_every_threshold_of_a_grid(pair: tuple[np.ndarray, np.ndarray]) -> None:
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
    assert fifty.decision_roc_auc == pytest.approx(sklearn_metrics.roc_auc_score([1, 1, 0, 0], [1, 0, 0, 0]))
    assert np.isnan(classification.threshold_table([], [])[0].f1)


def test_quality_classes_include_their_upper_border() -> None:
    assert classification.quality_classes([5.0, 5.1, 6.0, 6.1], reject_at=5, pending_at=6).tolist() == [0, 1, 1, 2]


def test_reliability_bins_hold_equal_shares_and_never_split_ties() -> None:
    bins = calibration.reliability_bins([0.1] * 6 + [0.9] * 4, [0, 0, 0, 0, 0, 1, 1, 1, 1, 0], bins=5)
    assert [(one.n, one.predicted, one.observed) for one in bins] == [
        (6, pytest.approx(0.1), pytest.approx(1 / 6)),
        (4, pytest.approx(0.9), pytest.approx(0.75)),
    ]
    assert all(one.low <= one.observed <= one.high for one in bins)


def test_calibration_error_of_perfect_and_of_reversed_probabilities(rng: np.random.Generator) -> None:
    p = rng.random(20_000)
    labels = rng.random(20_000) < p
    assert calibration.expected_calibration_error(p, labels) < 0.015
    assert calibration.expected_calibration_error(1 - p, labels) > 0.4
    assert np.isnan(calibration.expected_calibration_error([], []))


def test_wilsons_interval_of_a_published_example() -> None:
    none, half = intervals.wilson_interval(0, 10), intervals.wilson_interval(5, 10)
    assert (none.low, none.high) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert (half.low, half.high) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_score_bins_average_what_people_said() -> None:
    bins = calibration.score_bins([1, 1, 8, 9], [2, 4, 7, 9], bins=2)
    assert [(one.predicted, one.observed, one.n) for one in bins] == [(1.0, 3.0, 2), (8.5, 8.0, 2)]


@settings(max_examples=40)
@given(vectors)
def test_an_interval_contains_its_value_and_repeats_with_its_seed(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = intervals.interval(correlation.srcc, *pair, seed=3, resamples=50)
    if np.isnan(found.value):
        assert found.as_json() == {"value": None, "low": None, "high": None, "n": len(pair[0])}
        return
    assert found.low <= found.value <= found.high
    assert found == intervals.interval(correlation.srcc, *pair, seed=3, resamples=50)


@settings(max_examples=25)
@given(vectors)
def test_a_model_does_not_differ_from_itself(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = intervals.paired_interval(correlation.rmse, pair[0], pair[0], pair[1], seed=1, resamples=20)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_the_interval_covers_the_truth_about_as_often_as_it_says(rng: np.random.Generator) -> None:
    hits = 0
    for seed in range(200):
        sample = rng.normal(3.0, 1.0, 60)
        found = intervals.interval(lambda x: x.mean(axis=-1), sample, seed=seed, resamples=300)
        hits += found.low <= 3.0 <= found.high
    assert 0.89 <= hits / 200 <= 0.99


def test_pairing_narrows_the_interval_of_a_difference(rng: np.random.Generator) -> None:
    truth = rng.normal(size=150)
    champion = truth + rng.normal(size=150)
    challenger = champion + 0.3 * (truth - champion)
    difference = intervals.paired_interval(correlation.srcc, challenger, champion, truth, seed=1)
    alone = intervals.interval(correlation.srcc, challenger, truth, seed=1)
    assert difference.low > 0
    assert difference.high - difference.low < alone.high - alone.low


def test_a_thousand_resamples_of_two_hundred_images_take_less_than_a_second(rng: np.random.Generator) -> None:
    x, y = rng.random(200), rng.random(200)
    started = time.perf_counter()
    intervals.interval(correlation.srcc, x, y, seed=1)
    intervals.interval(classification.roc_auc, x, y > 0.5, seed=1)
    assert time.perf_counter() - started < 1.0


def test_memory_is_bounded_for_many_images(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    monkeypatch.setattr(intervals, "_ENTRIES_AT_ONCE", 100)
    shapes = []

    def metric(x: np.ndarray) -> np.ndarray:
        shapes.append(x.shape)
        return x.mean(axis=-1)

    found = intervals.interval(metric, rng.random(40), seed=1, resamples=7)
    assert shapes == [(40,), (2, 40), (2, 40), (2, 40), (1, 40)]
    assert found.low < found.value < found.high


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[2, 3\] entries"):
        intervals.interval(correlation.srcc, [1, 2, 3], [1, 2], seed=1)
    assert intervals.interval(correlation.rmse, [], [], seed=1).n == 0

"""Intervals: examples computed by hand, SciPy, and property tests."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from annotation.measures import classification, correlation, intervals

vectors = st.integers(4, 30).flatmap(
    lambda n: st.tuples(*[arrays.arrays(np.float64, n, elements=st.floats(-5, 5, width=16))] * 2)
)
numbers = st.lists(st.floats(-50, 50, width=16), min_size=2, max_size=30)


def test_wilson_interval_equals_a_published_example() -> None:
    none, half = intervals.wilson_interval(0, 10), intervals.wilson_interval(5, 10)
    assert (none.low, none.high) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert (half.low, half.high) == pytest.approx((0.2366, 0.7634), abs=1e-4)


@settings(max_examples=40)
@given(vectors)
def test_an_interval_contains_its_value_and_depends_only_on_the_seed(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = intervals.interval(correlation.srcc, *pair, seed=3)
    if np.isnan(found.value):
        assert found.as_json() == {"value": None, "low": None, "high": None, "n": len(pair[0])}
        return
    assert found.low <= found.value <= found.high
    assert found == intervals.interval(correlation.srcc, *pair, seed=3)


@settings(max_examples=25)
@given(vectors)
def test_a_model_does_not_differ_from_itself(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = intervals.paired_interval(correlation.rmse, pair[0], pair[0], pair[1], seed=1)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_about_95_percent_of_intervals_contain_the_true_mean(rng: np.random.Generator) -> None:
    hits = 0
    for seed in range(200):
        sample = rng.normal(3.0, 1.0, 60)
        found = intervals.interval(lambda x: x.mean(axis=-1), sample, seed=seed)
        hits += found.low <= 3.0 <= found.high
    assert 0.89 <= hits / 200 <= 0.99


def test_pairing_narrows_the_interval_of_a_difference(rng: np.random.Generator) -> None:
    truth = rng.normal(size=150)
    champion = truth + rng.normal(size=150)
    challenger = champion + 0.3 * (truth - champion)
    difference = intervals.paired_interval(correlation.srcc, challenger, champion, truth, seed=1)
    unpaired = intervals.interval(correlation.srcc, challenger, truth, seed=1)
    assert difference.low > 0
    assert difference.high - difference.low < unpaired.high - unpaired.low


def test_memory_is_bounded_for_many_images(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    monkeypatch.setattr(intervals, "_ENTRIES_AT_ONCE", 12_000)
    shapes = []

    def metric(x: np.ndarray) -> np.ndarray:
        shapes.append(x.shape)
        return x.mean(axis=-1)

    found = intervals.interval(metric, rng.random(40), seed=1)
    assert shapes == [(40,), (300, 40), (300, 40), (300, 40), (100, 40)]
    assert found.low < found.value < found.high


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[2, 3\] entries"):
        intervals.interval(correlation.srcc, [1, 2, 3], [1, 2], seed=1)
    assert intervals.interval(correlation.rmse, [], [], seed=1).n == 0


@pytest.mark.parametrize(
    ("images", "resamples"), [(0, 1000), (1, 1000), (2000, 1000), (2500, 800), (10_000, 200), (10**6, 200)]
)
def test_more_than_two_thousand_images_take_fewer_resamples(images: int, resamples: int) -> None:
    assert intervals.resample_count(images) == resamples


@pytest.mark.parametrize("images", [30, 2500])
def test_the_interval_has_the_percentiles_of_rows_drawn_with_the_seed(images: int, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=images), rng.normal(size=images)
    rows = np.random.default_rng(7).integers(0, images, (intervals.resample_count(images), images))
    drawn = correlation.rmse(x[rows], y[rows])
    found = intervals.interval(correlation.rmse, x, y, seed=7)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))


@pytest.mark.filterwarnings("error")
def test_resamples_whose_metric_is_nan_are_ignored() -> None:
    # One of the six photos is a watch. About every third resample has no watch, so its ROC AUC is NaN.
    found = intervals.interval(classification.roc_auc, [0.9, 0.95, 0.3, 0.2, 0.1, 0.4], [1, 0, 0, 0, 0, 0], seed=1)
    assert found.value == pytest.approx(0.8)
    assert (found.low, found.high) == (pytest.approx(0.5, abs=0.2), 1.0)


def test_the_interval_of_one_image_has_width_zero() -> None:
    assert intervals.interval(correlation.rmse, [3.0], [1.0], seed=1) == intervals.Interval(2.0, 2.0, 2.0, 1)


def test_students_interval_computed_by_hand() -> None:
    # Mean .5, standard deviation √(5/3), t(3) = 3.1824: half 3.1824·1.2910/2 = 2.0543.
    found = intervals.mean_interval([1, 0, -1, 2])
    assert (found.value, found.n) == (0.5, 4)
    assert (found.low, found.high) == pytest.approx((-1.5543, 2.5543), abs=1e-4)


def test_students_interval_is_unbounded_for_one_value_and_nan_for_none() -> None:
    assert intervals.mean_interval([3]) == intervals.Interval(3.0, -math.inf, math.inf, 1)
    assert intervals.mean_interval([]).as_json() == {"value": None, "low": None, "high": None, "n": 0}


@given(numbers)
def test_students_interval_equals_scipys(values: list[float]) -> None:
    found = intervals.mean_interval(values)
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    if error > 0:
        low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error)
        assert (found.low, found.high) == pytest.approx((low, high))
    assert found.low <= found.value <= found.high


def test_half_widths_of_many_images_at_once() -> None:
    halves = intervals.student_half_width([1.0, np.nan, np.nan], [4, 1, 0])
    np.testing.assert_allclose(halves, [3.1824 / 2, np.inf, np.nan], atol=1e-4)


def test_root_mean_square_interval_computed_by_hand() -> None:
    # Σd² = 6 for four values; chi-square with 4 degrees of freedom: .4844 and 11.143.
    found = intervals.root_mean_square_interval([0, 1, -1, 2])
    assert (found.value, found.n) == (pytest.approx(math.sqrt(1.5)), 4)
    assert (found.low, found.high) == pytest.approx((math.sqrt(6 / 11.143), math.sqrt(6 / 0.4844)), abs=1e-3)
    with pytest.raises(ValueError, match="At least one difference"):
        intervals.root_mean_square_interval([])


@given(numbers)
def test_root_mean_square_interval_equals_scipys_chi_square(values: list[float]) -> None:
    found = intervals.root_mean_square_interval(values)
    squares, n = sum(value**2 for value in values), len(values)
    assert found.low == pytest.approx(math.sqrt(squares / stats.chi2.ppf(0.975, n)))
    assert found.high == pytest.approx(math.sqrt(squares / stats.chi2.ppf(0.025, n)))
    assert found.low <= found.value <= found.high


def test_groups_of_one_image_draw_the_images_in_the_order_of_their_names(rng: np.random.Generator) -> None:
    names = rng.permutation(30)
    values = rng.normal(size=30)

    def mean(column: np.ndarray) -> np.ndarray:
        return column.mean(axis=-1)

    grouped = intervals.interval(mean, values, seed=1, groups=names)
    in_order = intervals.interval(mean, values[np.argsort(names)], seed=1)
    assert (grouped.low, grouped.high) == pytest.approx((in_order.low, in_order.high))
    assert (grouped.n, grouped.groups, in_order.groups) == (30, 30, None)

"""The search for slices that differ from the rest by more than chance."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from training.evaluation.calibration.facts import NO_GROUP
from training.evaluation.calibration.slice_search import FEWEST_UNITS, LEVEL, Search, Units, search


def searched(codes: list[np.ndarray], values: np.ndarray, groups: np.ndarray | None = None, *, seed: int = 1) -> Search:
    names = np.arange(len(values)) if groups is None else groups
    units = Units.of_photos(names, codes, [int(one.max()) + 1 for one in codes])
    return search(units, units.means(values)[None], two_sided=(True,), seed=seed)


def test_the_statistic_is_welchs_t_against_all_other_photos(rng: np.random.Generator) -> None:
    codes, values = rng.integers(0, 3, 120), rng.normal(0, 1, 120)
    found = searched([codes], values)
    for code in range(3):
        expected = ttest_ind(values[codes == code], values[codes != code], equal_var=False).statistic
        assert found.statistics[0, code] == pytest.approx(expected)


def test_a_slice_that_is_far_off_is_named_and_others_are_not(rng: np.random.Generator) -> None:
    bad, other = rng.integers(0, 4, 400), rng.integers(0, 4, 400)
    found = searched([bad, other], rng.normal(0, 1, 400) + 1.0 * (bad == 2))
    assert found.adjusted[0, 2] <= LEVEL
    assert (found.adjusted[0, 4:] > LEVEL).all()
    assert found.compared == 8


def test_without_a_bad_slice_few_campaigns_have_a_false_alarm() -> None:
    """Over 60 campaigns of 12 ways to cut, the expected number is 1.5; more than 5 would be very unlikely."""
    alarms = uncorrected = 0
    for trial in range(60):
        rng = np.random.default_rng(trial)
        codes = [rng.integers(0, 4, 150) for _ in range(12)]
        found = searched(codes, rng.standard_t(4, 150), seed=trial)
        alarms += bool((found.adjusted <= LEVEL).any())
        uncorrected += bool((np.abs(found.statistics) > 1.96).any())
    assert alarms <= 5
    assert uncorrected > 40


def test_near_duplicates_count_once(rng: np.random.Generator) -> None:
    codes, values = rng.integers(0, 2, 80), rng.normal(0, 1, 80)
    single = searched([codes], values)
    copied = searched([np.repeat(codes, 5)], np.repeat(values, 5), np.repeat(np.arange(80), 5))
    assert copied.statistics == pytest.approx(single.statistics)
    assert copied.adjusted == pytest.approx(single.adjusted)


def test_a_unit_belongs_to_a_slice_by_the_share_of_its_photos() -> None:
    units = Units.of_photos(np.array(["a", "a", "b"]), [np.array([0, 1, NO_GROUP])], [2])
    assert units.shares.tolist() == [[0.5, 0.5], [0.0, 0.0]]
    assert units.means(np.array([1.0, 3.0, 5.0])).tolist() == [2.0, 5.0]


def test_slices_with_few_photos_are_not_compared(rng: np.random.Generator) -> None:
    codes = np.zeros(200, dtype=np.int64)
    codes[: FEWEST_UNITS - 1] = 1
    found = searched([codes], rng.normal(0, 1, 200))
    assert np.isnan(found.statistics).all()
    assert (found.compared, np.isnan(found.limit)) == (0, True)


def test_errors_that_are_all_equal_name_nothing() -> None:
    found = searched([np.arange(100) % 2], np.full(100, 0.3))
    assert (found.adjusted == 1).all()


def test_the_same_seed_gives_the_same_result(rng: np.random.Generator) -> None:
    codes, values = rng.integers(0, 3, 90), rng.normal(0, 1, 90)
    assert searched([codes], values, seed=4).adjusted.tolist() == searched([codes], values, seed=4).adjusted.tolist()


def test_a_slice_is_named_in_four_of_five_cases_when_it_is_as_far_off_as_said() -> None:
    """The distance comes from one campaign; over 100 others, 60 to 95 of the slices that are so far off are named."""
    rng = np.random.default_rng(7)
    codes = [rng.integers(0, 4, 300) for _ in range(6)]
    quiet = searched(codes, rng.normal(0, 1, 300))
    off = quiet.seen(1.0, 75, 225)
    named = 0
    for trial in range(100):
        values = np.random.default_rng(trial).normal(0, 1, 300) + off * (codes[0] == 0)
        named += bool(searched(codes, values, seed=trial).adjusted[0, 0] <= LEVEL)
    assert 60 <= named <= 95

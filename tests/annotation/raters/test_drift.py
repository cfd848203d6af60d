"""Parts of an annotator's answers, to see drift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annotation.raters.drift import FEWEST_ANSWERS, MOST_PARTS, drift_parts


@given(st.integers(0, 500))
def test_the_parts_cover_all_answers_once_and_are_long_enough(count: int) -> None:
    parts = drift_parts(np.random.default_rng(0).normal(size=count))
    if count < 2 * FEWEST_ANSWERS:
        assert parts == []
        return
    assert 2 <= len(parts) <= MOST_PARTS
    covered = [number for part in parts for number in range(part.first, part.last + 1)]
    assert covered == list(range(1, count + 1))
    lengths = {part.last - part.first + 1 for part in parts}
    assert min(lengths) >= FEWEST_ANSWERS
    assert max(lengths) - min(lengths) <= 1


def test_a_part_has_the_mean_and_the_interval_of_its_answers() -> None:
    values = np.random.default_rng(1).normal(1, 2, 40)
    part = drift_parts(values)[0]
    expected = stats.ttest_1samp(values[:10], 0).confidence_interval(0.95)
    assert part.mean == pytest.approx(values[:10].mean())
    assert (part.low, part.high) == pytest.approx((expected.low, expected.high))


def test_drift_shows_in_the_means() -> None:
    parts = drift_parts(np.linspace(-1, 1, 120))
    assert [part.mean for part in parts] == sorted(part.mean for part in parts)
    assert parts[0].high < 0 < parts[-1].low


def test_equal_differences_have_an_interval_without_width() -> None:
    assert all((part.low, part.mean, part.high) == (0.5, 0.5, 0.5) for part in drift_parts([0.5] * 30))

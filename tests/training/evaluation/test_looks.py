"""Looks at a holdout: their levels, and which earlier ones count."""

import pytest

from training.evaluation.looks import ERROR_RATE, LOOKS, Look, fresh_needed, next_look


def test_the_levels_of_all_looks_add_up_to_five_percent() -> None:
    levels = [Look(number).level for number in range(1, LOOKS + 10)]
    assert sum(levels) == pytest.approx(ERROR_RATE)
    assert levels[0] == 0.025
    assert levels == sorted(levels, reverse=True)
    assert [Look(number).is_used_up for number in (LOOKS, LOOKS + 1)] == [False, True]
    assert (Look(LOOKS).left, Look(LOOKS + 1).level) == (0, 0.0)


def test_earlier_looks_count_while_they_saw_half_of_the_photos() -> None:
    old = set(range(100))
    assert next_look([], old).number == 1
    assert next_look([old, old], old).number == 3
    assert next_look([old], set(range(200))).number == 2, "half is new"
    assert next_look([old], set(range(201))).number == 1, "more than half is new"
    assert next_look([old], set(range(50))).number == 2, "photos have left the holdout"


def test_a_holdout_with_the_fresh_photos_is_a_fresh_one() -> None:
    old = set(range(100))
    new = old | set(range(1000, 1000 + fresh_needed(len(old))))
    assert next_look([old] * 5, new).number == 1
    assert next_look([old] * 5, new - {1000}).number == 6

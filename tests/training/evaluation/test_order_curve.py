"""Both orders compared: who learns faster is found, equal orders are not told apart, and thin evidence says nothing."""

import numpy as np
import pytest

from annotation.measures.intervals import Interval
from training.evaluation.order_curve import OrderCurve, OrderedAnswers, OrderTask, order_curve, saved_answers

PHOTOS = 300


def answers(
    task: OrderTask = OrderTask.SCORE,
    *,
    chosen_noise: float = 1.0,
    random_noise: float = 1.0,
    seed: int = 0,
    count: int = 900,
    size: int = 20,
) -> OrderedAnswers:
    """A campaign that draws every third photo at random; the noise of the answers tells the orders apart."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(PHOTOS, size)).astype(np.float32)
    quality = 5.5 + features[:, :8].sum(axis=1) / 2
    photos = rng.integers(0, PHOTOS, count)
    is_random = np.arange(count) % 3 == 0
    noise = np.where(is_random, random_noise, chosen_noise) * rng.normal(size=count)
    values = quality[photos] + noise
    if task == OrderTask.WATCH:
        values = (values > 5.5).astype(float)
    return OrderedAnswers(photos, values, is_random, ~is_random, features, np.arange(PHOTOS))


def measured(found: OrderedAnswers, task: OrderTask = OrderTask.SCORE) -> OrderCurve:
    return order_curve(found, task, seed=0, progress=lambda done, total: None)


def test_an_order_that_teaches_more_is_found_with_its_saving() -> None:
    curve = measured(answers(chosen_noise=0.0, random_noise=1.5, count=1500, size=60))
    assert curve.gain.low > 0
    assert curve.saved is None or curve.saved.value > 0
    assert curve.equal == pytest.approx(0.9 * curve.random_answers, abs=1)


def test_an_order_that_teaches_less_is_found() -> None:
    assert measured(answers(chosen_noise=9.0, random_noise=0.5)).gain.high < 0


@pytest.mark.parametrize("task", list(OrderTask))
def test_equal_orders_are_not_told_apart(task: OrderTask) -> None:
    low, high = np.array(
        [[c.gain.low, c.gain.high] for c in (measured(answers(task, seed=s), task) for s in range(3))]
    ).T
    assert ((low <= 0) & (high >= 0)).sum() >= 2


def test_the_curve_goes_on_to_all_answers_and_errors_fall() -> None:
    curve = measured(answers())
    assert [point.answers for point in curve.in_order] == sorted(point.answers for point in curve.in_order)
    assert curve.in_order[-1].answers == pytest.approx(0.9 * curve.all_answers, abs=1)
    assert len(curve.at_random) < len(curve.in_order)
    assert curve.in_order[-1].error.value < curve.in_order[0].error.value


def test_both_orders_begin_with_what_came_before() -> None:
    found = answers()
    early = np.arange(len(found.photos)) < 300
    curve = measured(
        OrderedAnswers(
            found.photos, found.values, found.is_random | early, found.is_chosen & ~early, found.features, found.groups
        )
    )
    assert curve.before == pytest.approx(300, abs=2)
    assert curve.all_answers + curve.before == 900


def test_answers_of_one_value_teach_a_constant() -> None:
    found = answers(OrderTask.WATCH)
    curve = measured(
        OrderedAnswers(found.photos, np.ones(900), found.is_random, found.is_chosen, found.features, found.groups),
        OrderTask.WATCH,
    )
    assert curve.in_order[-1].error.value == 0
    assert (curve.gain.low, curve.gain.high) == (0, 0)


@pytest.mark.parametrize(
    ("count", "all_random", "words"),
    [(240, False, "There are 79 and 160, in"), (900, True, "drawn at random"), (0, False, "drawn at random")],
)
def test_too_little_evidence_is_an_error_with_a_sentence(count: int, all_random: bool, words: str) -> None:
    found = answers(count=count)
    if all_random:
        found = OrderedAnswers(
            found.photos, found.values, np.ones(count, bool), np.zeros(count, bool), found.features, found.groups
        )
    with pytest.raises(ValueError, match=words):
        measured(found)


def test_progress_reaches_its_total() -> None:
    seen: list[tuple[int, int]] = []
    order_curve(answers(), OrderTask.SCORE, seed=0, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == len(seen)


def differences(*ends: tuple[float, float, float]) -> list[Interval]:
    return [Interval(*one, 50, 40) for one in ends]


def test_the_saving_is_where_the_difference_and_its_ends_cross_zero() -> None:
    sizes = np.array([100.0, 200.0, 300.0, 400.0])
    found = saved_answers(sizes, differences((-2, -4, -1), (0, -2, 1), (2, 0, 3), (4, 2, 5)), equal=300.0)
    assert found is not None
    # The value crosses at 200; the low end at 300; the high end half-way between 100 and 200.
    assert (found.value, found.low, found.high) == (100, 0, 150)


@pytest.mark.parametrize("first", [(1, -1, 2), (-3, -4, 1)])
def test_a_saving_beyond_the_curve_cannot_be_told(first: tuple[float, float, float]) -> None:
    sizes = np.array([100.0, 200.0])
    assert saved_answers(sizes, differences(first, (2, -1, 3)), equal=200.0) is None

"""Threads together never hold more than the budget, and each gets its turn."""

import threading
from concurrent.futures import ThreadPoolExecutor

from annotation.photos.byte_budget import ByteBudget


def test_the_sum_never_exceeds_the_budget() -> None:
    budget, lock = ByteBudget(100), threading.Lock()
    held, most = 0, 0

    def decode(size: int) -> None:
        nonlocal held, most
        with budget.hold() as reserve:
            reserve(size)
            with lock:
                held += min(size, 100)
                most = max(most, held)
            with lock:
                held -= min(size, 100)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decode, [10, 90, 60, 40, 500, 1, 100, 30] * 50))
    assert 0 < most <= 100
    with budget.hold() as reserve:  # everything was given back
        reserve(100)


def test_a_photo_larger_than_the_budget_is_decoded_alone() -> None:
    budget = ByteBudget(100)
    began, end = threading.Event(), threading.Event()

    def large() -> None:
        with budget.hold() as reserve:
            reserve(10**9)
            began.set()
            end.wait()

    other = threading.Thread(target=large)
    other.start()
    assert began.wait(120)
    small = threading.Thread(target=lambda: _hold(budget, 1))
    small.start()
    small.join(0.2)  # long enough to see that it waits
    assert small.is_alive()
    end.set()
    small.join(120)
    other.join(120)
    assert not small.is_alive()


def test_a_large_photo_is_not_overtaken_by_later_small_ones() -> None:
    budget, order = ByteBudget(100), []
    with budget.hold() as reserve:
        reserve(50)
        large = threading.Thread(target=lambda: (_hold(budget, 100), order.append("large")))
        large.start()
        while not budget._waiting:
            large.join(0.01)
        small = threading.Thread(target=lambda: (_hold(budget, 10), order.append("small")))
        small.start()
        small.join(0.2)  # it would fit, but the large one came first
        assert order == []
    large.join(120)
    small.join(120)
    assert sorted(order) == ["large", "small"]


def test_an_error_gives_the_bytes_back() -> None:
    budget = ByteBudget(10)
    for _ in range(3):
        try:
            with budget.hold() as reserve:
                reserve(10)
                raise ValueError
        except ValueError:
            pass
    _hold(budget, 10)


def _hold(budget: ByteBudget, size: int) -> None:
    with budget.hold() as reserve:
        reserve(size)

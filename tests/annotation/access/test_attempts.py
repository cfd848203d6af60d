"""Attempts are counted before anything is compared, and a success is taken off again."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from annotation.access.attempts import (
    LIMITS,
    Kind,
    TooManyAttempts,
    attempt_return,
    attempt_take,
    attempts_old_delete,
    login_return,
    login_take,
    refusal_lift,
    refusals,
)
from annotation.models import AttemptCount

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
MOST = LIMITS[Kind.PASSWORD].most


def take(now: datetime = NOW, name: str = "alice") -> None:
    attempt_take(Kind.PASSWORD, name=name, now=now)


@pytest.mark.django_db
def test_one_attempt_too_many_is_refused_until_the_period_ends() -> None:
    for minute in range(MOST):
        take(NOW + timedelta(minutes=minute))
    with pytest.raises(TooManyAttempts, match=r"Try again in 9 minutes, or ask an admin") as refused:
        take(NOW + timedelta(minutes=6, seconds=1))
    assert refused.value.seconds == 9 * 60 - 1
    take(NOW + timedelta(minutes=15))


@pytest.mark.django_db
def test_attempts_that_were_refused_do_not_make_the_wait_longer() -> None:
    for _ in range(MOST):
        take()
    for minute in (1, 14):
        with pytest.raises(TooManyAttempts, match=rf"in {15 - minute} minute"):
            take(NOW + timedelta(minutes=minute))
    take(NOW + timedelta(minutes=15))


@pytest.mark.django_db
def test_each_name_has_its_own_count_whatever_its_spelling() -> None:
    for name in ["Alice", "ALICE", "\uff21lice", "alice", "aLice"]:  # the third begins with a full-width letter
        take(name=name)
    with pytest.raises(TooManyAttempts):
        take(name="alice")
    take(name="bob")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["a\0b", "x" * 10_000, ""])
def test_any_text_can_be_a_name(name: str) -> None:
    take(name=name)
    assert AttemptCount.objects.get().count == 1


@pytest.mark.django_db
def test_a_returned_attempt_does_not_count() -> None:
    for _ in range(3 * MOST):
        take()
        attempt_return(Kind.PASSWORD, name="alice")
    assert AttemptCount.objects.get().count == 0
    attempt_return(Kind.PASSWORD, name="alice")
    assert AttemptCount.objects.get().count == 0


@pytest.mark.usefixtures("people")
def test_a_login_forgets_the_failures_of_this_name_at_this_address_only() -> None:
    for address in ("1.1.1.1", "1.1.1.1", "2.2.2.2"):
        login_take(name="alice", address=address)
    login_take(name="bob", address="1.1.1.1")
    login_return(name="alice", address="1.1.1.1", is_success=True)
    counts = {(row.kind, row.name, row.address): row.count for row in AttemptCount.objects.all()}
    assert counts == {
        ("login", "alice", "2.2.2.2"): 1,
        ("login", "bob", "1.1.1.1"): 1,
        ("login-address", "", "1.1.1.1"): 2,
        ("login-address", "", "2.2.2.2"): 1,
        ("login-name", "alice", ""): 2,
        ("login-name", "bob", ""): 1,
    }


@pytest.mark.django_db
def test_guessing_many_names_from_one_address_is_refused() -> None:
    for number in range(LIMITS[Kind.LOGIN_ADDRESS].most):
        login_take(name=f"user-{number}", address="1.1.1.1")
    with pytest.raises(TooManyAttempts):
        login_take(name="alice", address="1.1.1.1")
    login_take(name="alice", address="2.2.2.2")


@pytest.mark.django_db
def test_guessing_one_name_from_many_addresses_is_refused() -> None:
    for number in range(LIMITS[Kind.LOGIN_NAME].most):
        login_take(name="alice", address=f"1.1.1.{number}")
    with pytest.raises(TooManyAttempts):
        login_take(name="alice", address="2.2.2.2")


@pytest.mark.django_db
def test_a_name_without_an_account_is_counted_but_not_stored() -> None:
    for _ in range(LIMITS[Kind.LOGIN].most):
        login_take(name="My-Pass-Word", address="1.1.1.1")
    with pytest.raises(TooManyAttempts):
        login_take(name="my-pass-word", address="1.1.1.1")
    stored = AttemptCount.objects.values_list("name", flat=True)
    assert not any("pass" in name for name in stored)
    assert [refusal.name for refusal in refusals()] == ["a name without an account"]


@pytest.mark.django_db
def test_an_unknown_address_is_not_counted_as_one() -> None:
    for number in range(LIMITS[Kind.LOGIN_ADDRESS].most + 1):
        login_take(name=f"user-{number}", address="")


@pytest.mark.django_db
def test_refusals_are_listed_and_can_be_lifted() -> None:
    for _ in range(MOST):
        take()
    take(name="bob")
    (refusal,) = refusals(NOW)
    assert (refusal.row.name, refusal.until) == ("alice", NOW + timedelta(minutes=15))
    assert refusals(NOW + timedelta(minutes=15)) == []
    assert refusal_lift(pk=refusal.row.pk)
    assert not refusal_lift(pk=refusal.row.pk)
    take()


@pytest.mark.django_db
def test_old_counts_are_deleted() -> None:
    take()
    take(NOW + timedelta(hours=1), name="bob")
    assert attempts_old_delete(NOW + timedelta(hours=24, minutes=1)) == 1
    assert AttemptCount.objects.get().name == "bob"


@pytest.mark.django_db(transaction=True)
def test_attempts_at_the_same_time_do_not_pass_together() -> None:
    passed: list[bool] = []
    start = threading.Barrier(8)

    def guess() -> None:
        start.wait()
        try:
            take()
            passed.append(True)
        except TooManyAttempts:
            passed.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(passed) == [False] * 3 + [True] * MOST

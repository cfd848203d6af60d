"""Only a few passwords are hashed at the same time, and only a few callers wait for it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, identify_hasher, make_password

from annotation.access import hashers
from annotation.access.hashers import HashingBusy, LimitedPBKDF2PasswordHasher, Turns

# The fixture for all tests replaces the setting by a faster hasher.
HASHERS = [*django_settings.PASSWORD_HASHERS]


@pytest.fixture
def real_hashers(settings: Any) -> None:
    settings.PASSWORD_HASHERS = HASHERS


@pytest.mark.usefixtures("real_hashers")
def test_passwords_of_djangos_hasher_still_fit() -> None:
    assert HASHERS[0] == "annotation.access.hashers.LimitedPBKDF2PasswordHasher"
    old = PBKDF2PasswordHasher().encode("pass-word-1", "salt")
    assert check_password("pass-word-1", old)
    assert not check_password("pass-word-2", old)
    assert isinstance(identify_hasher(make_password("pass-word-1")), LimitedPBKDF2PasswordHasher)


def test_who_is_one_too_many_is_refused_at_once_and_the_others_get_their_turn() -> None:
    turns, entered, leave = Turns(1, 1, seconds=60), threading.Event(), threading.Event()
    order: list[str] = []

    def work(name: str) -> Callable[[], None]:
        def run() -> None:
            with turns.one():
                order.append(name)
                entered.set()
                leave.wait()

        return run

    first = threading.Thread(target=work("first"))
    first.start()
    entered.wait()
    second = threading.Thread(target=work("second"))
    second.start()
    while turns._places._value:  # until the second one waits
        pass
    with pytest.raises(HashingBusy, match="Try again in a few seconds"), turns.one():
        pass
    assert order == ["first"]
    leave.set()
    first.join()
    second.join()
    assert order == ["first", "second"]
    with turns.one():  # both places are free again
        pass


def test_a_wait_ends() -> None:
    turns = Turns(1, 1, seconds=0.01)
    with turns.one():
        for _ in range(3):  # the place of the one that gave up is free again
            with pytest.raises(HashingBusy), turns.one():
                pass


def test_every_hash_takes_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashers, "_turns", Turns(1, 0, seconds=0))
    hasher = LimitedPBKDF2PasswordHasher()
    stored = hasher.encode("pass-word-1", "salt", 1)
    with hashers._turns.one():
        for hashing in (lambda: hasher.verify("pass-word-1", stored), lambda: hasher.encode("pass-word-1", "salt", 1)):
            with pytest.raises(HashingBusy):
                hashing()
    assert hasher.verify("pass-word-1", stored)


def test_log_ins_leave_threads_for_others() -> None:
    from iqs_site.instance.supervisor_config import programs

    command = programs(host="127.0.0.1", port=1)["web"]
    assert int(command[command.index("--threads") + 1]) >= 2 * (hashers.RUNNING + hashers.WAITING)

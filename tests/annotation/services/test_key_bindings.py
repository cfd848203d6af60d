"""Each user's own keys for the annotate page."""

from typing import Any

import pytest
from django.test import Client

from annotation.models import User
from annotation.services.key_bindings import (
    ACTION_NAMES,
    DEFAULT_KEYS,
    KeyBindingError,
    key_bindings_of,
    key_bindings_set,
    key_name,
)

URL = "/api/me/keys"


def put(client: Client, bindings: Any) -> Any:
    return client.put(URL, {"bindings": bindings}, content_type="application/json")


@pytest.fixture
def alice(people: dict[str, Any]) -> User:
    user = people["alice"]
    assert isinstance(user, User)
    return user


def test_every_action_has_a_name_and_its_own_key() -> None:
    assert set(ACTION_NAMES) == set(DEFAULT_KEYS)
    assert len(set(DEFAULT_KEYS.values())) == len(DEFAULT_KEYS)


def test_only_differences_from_the_defaults_are_stored(alice: User) -> None:
    assert key_bindings_of(alice) == DEFAULT_KEYS
    keys = key_bindings_set(user=alice, bindings={**DEFAULT_KEYS, "watch_yes": "J", "skip": "Delete"})
    alice.refresh_from_db()
    assert alice.key_bindings == {"watch_yes": "j", "skip": "Delete"}
    assert keys == key_bindings_of(alice) == {**DEFAULT_KEYS, "watch_yes": "j", "skip": "Delete"}


def test_two_actions_can_swap_keys_and_all_keys_can_be_reset(alice: User) -> None:
    assert key_bindings_set(user=alice, bindings={"watch_yes": "n", "watch_no": "w"})["watch_yes"] == "n"
    assert key_bindings_set(user=alice, bindings={}) == DEFAULT_KEYS
    alice.refresh_from_db()
    assert alice.key_bindings == {}


@pytest.mark.parametrize(
    ("bindings", "message"),
    [
        ({"save": "s"}, "Unknown action 'save'"),
        ({"undo": "n"}, "The key N cannot be both “no watch” and “undo”"),
        ({"undo": "x", "zoom": "X"}, "The key X cannot be both “undo” and “zoom”"),
        ({"skip": "7"}, "The key 7 is reserved: digits are always the score"),
        ({"skip": "Escape"}, "The key Escape is reserved: it always cancels"),
        ({"skip": "ArrowUp"}, "arrow keys pan the zoomed photo"),
        ({"skip": "Control"}, "The key 'Control' cannot be used. Choose a letter"),
        ({"skip": ""}, "The key '' cannot be used"),
        ({"skip": "\n"}, "cannot be used"),
        ({"skip": "\u202e"}, "cannot be used"),
        ({"skip": "x" * 9999}, "The key 'xxxxxxxxxxxxxxxxxxxx' cannot be used"),
    ],
)
def test_invalid_keys_are_refused_with_an_error_message(alice: User, bindings: dict[str, str], message: str) -> None:
    with pytest.raises(KeyBindingError, match=message):
        key_bindings_set(user=alice, bindings=bindings)
    alice.refresh_from_db()
    assert alice.key_bindings == {}


def test_letters_of_other_alphabets_and_symbols_can_be_keys(alice: User) -> None:
    keys = key_bindings_set(user=alice, bindings={"watch_yes": "Д", "watch_no": "é", "undo": "<", "zoom": "ß"})
    assert [keys[action] for action in ("watch_yes", "watch_no", "undo", "zoom")] == ["д", "é", "<", "ß"]


def test_key_names_on_the_page() -> None:
    assert [key_name(key) for key in (" ", "w", "Enter", "?")] == ["Space", "W", "Enter", "?"]


@pytest.mark.parametrize("name", ["alice", "bob", "rita", "ada", "mallory"])
def test_each_user_sets_only_their_own_keys(client_of: Any, people: dict[str, Any], name: str) -> None:
    response = put(client_of(name), {"undo": "x"})
    assert (response.status_code, response.json()) == (200, {"bindings": {**DEFAULT_KEYS, "undo": "x"}})
    assert list(User.objects.exclude(key_bindings={}).values_list("username", flat=True)) == [name]


def test_setting_keys_needs_a_login_and_a_csrf_token(client_of: Any, people: dict[str, Any]) -> None:
    assert put(client_of("anonymous"), {}).status_code == 401
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["alice"])
    assert put(client, {"undo": "x"}).status_code == 403


def test_the_api_returns_the_error_message(client_of: Any) -> None:
    response = put(client_of("alice"), {"undo": "5"})
    assert (response.status_code, response.json()["detail"]) == (
        422,
        "The key 5 is reserved: digits are always the score.",
    )
    assert put(client_of("alice"), {"undo": 5}).status_code == 422


def test_setting_keys_takes_one_update(client_of: Any, django_assert_num_queries: Any) -> None:
    client = client_of("alice")
    with django_assert_num_queries(5):  # session, user, and the update between a savepoint and its release
        put(client, {"undo": "x"})

"""The SQL queries for sessions and users give the same result as Django's own code."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DjangoSessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from annotation.access.sessions import SessionStore
from annotation.access.user_backend import Backend
from annotation.models import Campaign, User

pytestmark = pytest.mark.django_db


def values(row: User | Campaign) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_the_loaded_user_has_every_field(people: dict[str, User]) -> None:
    User.objects.filter(username="alice").update(key_bindings={"zoom": "x"}, email="alice@example.org")
    found = Backend().get_user(people["alice"].pk)
    assert found is not None
    assert values(found) == values(User.objects.get(username="alice"))


def test_missing_and_expired_sessions_are_empty(client_of: Any) -> None:
    client = client_of("alice")
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert SessionStore(key).load() == DjangoSessionStore(key).load() != {}
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    for store in (SessionStore(key), SessionStore("no-such-key")):
        assert store.load() == {}
        assert store.session_key is None


def test_a_saved_session_is_read_again() -> None:
    store = SessionStore()
    store["last"] = [1, "two"]
    store.create()
    assert SessionStore(store.session_key)["last"] == [1, "two"]
    assert isinstance(store, DjangoSessionStore)

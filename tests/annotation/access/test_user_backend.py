"""Sessions and users are read by queries of our own: they must say what Django's own say."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore as PlainStore
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from annotation.access.permissions import campaign_for
from annotation.access.sessions import SessionStore
from annotation.access.user_backend import Backend
from annotation.models import Campaign, Role, User

pytestmark = pytest.mark.django_db


def values(row: User | Campaign) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def is_inside(client: Any) -> bool:
    return client.get(reverse("home")).status_code == 200


def test_a_user_is_the_one_in_the_table_whatever_is_asked_of_them(people: dict[str, User]) -> None:
    User.objects.filter(username="alice").update(key_bindings={"zoom": "x"}, email="alice@example.org")
    found = Backend().get_user(people["alice"].pk)
    assert found is not None
    assert values(found) == values(User.objects.get(username="alice"))


def test_a_campaign_is_the_one_in_the_table(people: dict[str, User], campaign: Campaign) -> None:
    Campaign.objects.update(synsets=[1, 2], break_minutes=7, repeat_share=0.125, created_by=people["ada"])
    found, role = campaign_for(people["alice"], campaign.slug, Role.ANNOTATOR)
    assert values(found) == values(Campaign.objects.get())
    assert role == Role.ANNOTATOR


def test_who_may_not_log_in_any_more_is_outside_at_once(client_of: Any, people: dict[str, User]) -> None:
    client = client_of("alice")
    assert is_inside(client)
    User.objects.filter(username="alice").update(is_active=False)
    assert not is_inside(client)
    assert Backend().get_user(people["alice"].pk) is None
    assert Backend().get_user(10**9) is None


def test_a_new_password_ends_the_sessions_of_the_old_one(client_of: Any, people: dict[str, User]) -> None:
    client = client_of("alice")
    people["alice"].set_password("another one, and longer")
    people["alice"].save()
    assert not is_inside(client)


def test_a_session_that_is_over_or_was_never_there_holds_nothing(client_of: Any) -> None:
    client = client_of("alice")
    key = client.cookies["sessionid"].value
    assert SessionStore(key).load() == PlainStore(key).load() != {}
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    for store in (SessionStore(key), SessionStore("no-such-key")):
        assert store.load() == {}
        assert store.session_key is None
    assert not is_inside(client)


def test_what_a_session_is_given_is_read_again() -> None:
    store = SessionStore()
    store["last"] = [1, "two"]
    store.create()
    assert SessionStore(store.session_key)["last"] == [1, "two"]
    assert isinstance(store, PlainStore)

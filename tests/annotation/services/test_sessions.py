"""Sessions: whose they are, when they were used, and how they end."""

from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

import annotation.migrations
from annotation.access.browsers import browser_name
from annotation.models import UserSession
from annotation.services.members import user_active_set
from annotation.services.sessions import session_end, sessions_clear, sessions_end
from annotation.tasks import sweep

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile Safari/604.1"


def is_logged_in(client: Any) -> bool:
    return client.get(reverse("home")).status_code == 200


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (SAFARI, "Safari on iOS"),
        (CHROME + " Edg/140.0", "Edge on Windows"),
        ("curl/8.5.0", "curl"),
        ("strange", "strange"),
        ("", "unknown browser"),
    ],
)
def test_browsers_have_names(header: str, name: str) -> None:
    assert browser_name(header) == name


def test_a_login_stores_whose_session_it_is_and_with_which_browser(people: dict[str, Any], client: Any) -> None:
    form = {"username": "alice", "password": "pass-word-1"}
    client.post(reverse("login"), form, headers={"user-agent": FIREFOX}, REMOTE_ADDR="192.0.2.7")
    session = UserSession.objects.get()
    assert (session.user, session.session_id) == (people["alice"], client.session.session_key)
    assert (session.browser, session.address) == (FIREFOX, "192.0.2.7")


def test_a_login_in_the_session_of_somebody_else_stores_the_new_user(client_of: Any, people: dict[str, Any]) -> None:
    client = client_of("alice")
    client.force_login(people["bob"])
    assert UserSession.objects.get().user == people["bob"]


def test_the_last_use_is_written_at_most_every_five_minutes(client_of: Any, django_assert_num_queries: Any) -> None:
    client = client_of("alice")
    sent = lambda: client.post("/api/campaigns/watches/practice/done")  # noqa: E731
    with django_assert_num_queries(4):  # session, user, campaign with role, update
        sent()
    before = timezone.now()
    UserSession.objects.update(seen_at=before - timedelta(minutes=6))
    with django_assert_num_queries(7):  # and the last use, in a savepoint
        sent()
    assert UserSession.objects.get().seen_at >= before


def test_a_session_without_its_row_gets_one(client_of: Any, people: dict[str, Any]) -> None:
    client = client_of("alice")
    UserSession.objects.all().delete()
    assert is_logged_in(client)
    assert UserSession.objects.get().user == people["alice"]


def test_ending_one_session_or_all_others(client_of: Any, people: dict[str, Any]) -> None:
    first, second, third, bob = (client_of(name) for name in ("alice", "alice", "alice", "bob"))
    row = UserSession.objects.get(session=first.session.session_key)
    assert not session_end(user=people["bob"], session_id=row.pk)
    assert is_logged_in(first)
    assert session_end(user=people["alice"], session_id=row.pk)
    assert not is_logged_in(first)
    assert sessions_end(user=people["alice"], keep=second.session.session_key) == 1
    assert [is_logged_in(client) for client in (second, third, bob)] == [True, False, True]


def test_a_deactivated_users_session_stays_ended_after_a_reactivation(
    client_of: Any, people: dict[str, Any], make_user: Any
) -> None:
    client, root = client_of("alice"), make_user("root", is_superuser=True)
    user_active_set(user=people["alice"], active=False, by=root)
    user_active_set(user=people["alice"], active=True, by=root)
    assert not is_logged_in(client)


def test_the_sweep_deletes_expired_sessions_once_a_day(client_of: Any) -> None:
    clients = [client_of(name) for name in ("alice", "bob", "rita")]
    keys, now = [client.session.session_key for client in clients], timezone.now()
    Session.objects.filter(pk=keys[0]).update(expire_date=now - timedelta(hours=23))
    assert sessions_clear() == 0  # less than a day ago
    Session.objects.filter(pk=keys[1]).update(expire_date=now - timedelta(hours=25))
    sweep()
    assert [session.pk for session in Session.objects.all()] == [keys[2]]
    assert [row.session_id for row in UserSession.objects.all()] == [keys[2]]


def test_the_migration_lists_the_sessions_that_exist(client_of: Any, people: dict[str, Any]) -> None:
    client_of("alice")
    Session.objects.create(pk="broken", session_data="no session", expire_date=timezone.now() + timedelta(days=1))
    UserSession.objects.all().delete()
    file = next(Path(annotation.migrations.__path__[0]).glob("*_sessions_tokens_and_links.py"))
    import_module(f"annotation.migrations.{file.stem}").sessions_listed(apps, None)
    assert [row.user for row in UserSession.objects.all()] == [people["alice"]]

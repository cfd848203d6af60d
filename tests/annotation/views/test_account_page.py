"""The account page: each user changes what is theirs."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import ApiToken, Membership, User, UserSession
from annotation.selectors.progress import QueueState
from annotation.services.tokens import token_create, token_use

NEW = "brand-new-pass-3"
NAMES = ["mallory", "alice", "rita", "ada"]
POSTS = ["account-password", "account-preferences", "account-sessions-end", "account-token-new"]


def token_made(user: User) -> tuple[ApiToken, str]:
    return token_create(user=user, name="script", scope=ApiToken.Scope.READ, days=1)


@pytest.mark.parametrize("name", NAMES)
def test_every_user_has_an_account_page(client_of: Any, people: dict[str, Any], name: str) -> None:
    page = client_of(name).get(reverse("account"))
    assert page.status_code == 200
    assert f"Your account: {name}" in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]


def test_visitors_must_log_in(client_of: Any, people: dict[str, Any]) -> None:
    client = client_of("anonymous")
    assert client.get(reverse("account")).status_code == 302
    assert [client.post(reverse(name)).status_code for name in POSTS] == [302] * 4
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("name", POSTS)
def test_changes_need_a_post(client_of: Any, name: str) -> None:
    assert client_of("alice").get(reverse(name)).status_code == 405


def test_the_password_changes_with_the_current_one_and_other_sessions_end(
    client_of: Any, people: dict[str, Any], client: Any
) -> None:
    here, elsewhere = client_of("alice"), client_of("alice")
    form = {"current": "pass-word-1", "password": NEW, "again": NEW}
    assert here.post(reverse("account-password"), form).status_code == 302
    assert here.get(reverse("account")).status_code == 200
    assert elsewhere.get(reverse("account")).status_code == 302
    assert [row.session_id for row in UserSession.objects.all()] == [here.session.session_key]
    assert client.login(username="alice", password=NEW)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"current": "wrong", "password": NEW, "again": NEW}, "not your current password"),
        ({"current": "pass-word-1", "password": "alice-7x", "again": "alice-7x"}, "too similar"),
        ({"current": "pass-word-1", "password": "password", "again": "password"}, "too common"),
        ({"current": "pass-word-1", "password": NEW, "again": "other"}, "not the same"),
        ({}, "required"),
    ],
)
def test_a_refused_password_changes_nothing(client_of: Any, form: dict[str, str], message: str) -> None:
    before, client = User.objects.get(username="alice").password, client_of("alice")
    response = client.post(reverse("account-password"), form)
    assert (response.status_code, message in response.content.decode()) == (422, True)
    assert User.objects.get(username="alice").password == before
    assert NEW not in response.content.decode()


def test_times_are_in_the_users_time_zone(client_of: Any, people: dict[str, Any]) -> None:
    Membership.objects.filter(user=people["bob"]).update(joined_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    ada, rita = client_of("ada"), client_of("ada")
    assert "1 Mar 2026" in ada.get(reverse("members", args=["watches"])).content.decode()
    ada.post(reverse("account-preferences"), {"time_zone": "Asia/Tokyo", "theme": "", "email": ""})
    assert "2 Mar 2026" in rita.get(reverse("members", args=["watches"])).content.decode()
    assert timezone.get_current_timezone_name() == "UTC"  # other requests of this thread keep the site's


def test_the_api_uses_the_users_time_zone(
    client_of: Any, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    zones: list[str] = []

    def state(*args: object) -> QueueState:  # instead of the sentence about the last photos, which needs other leases
        zones.append(timezone.get_current_timezone_name())
        return QueueState()

    monkeypatch.setattr("annotation.api.queue_state", state)
    User.objects.filter(username="alice").update(time_zone="Asia/Tokyo")
    for name in ("alice", "bob"):
        client_of(name).post("/api/campaigns/watches/leases", {}, content_type="application/json")
    _, secret = token_create(user=people["alice"], name="x", scope=ApiToken.Scope.ANNOTATE, days=1)
    client_of("anonymous").post(
        "/api/campaigns/watches/leases",
        {},
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}"},
    )
    assert zones == ["Asia/Tokyo", "UTC", "Asia/Tokyo"]


def test_a_time_zone_that_the_database_does_not_know_is_refused(
    client_of: Any, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = ("Mars/Olympus",)  # as if Python's time zone data were newer than the database's
    monkeypatch.setattr("annotation.services.preferences.time_zones", lambda: zones)
    monkeypatch.setattr("annotation.account_forms.time_zones", lambda: zones)
    response = client_of("alice").post(reverse("account-preferences"), {"time_zone": zones[0]})
    assert (response.status_code, "database does not know" in response.content.decode()) == (422, True)


def test_a_time_zone_that_no_longer_exists_is_ignored(client_of: Any, people: dict[str, Any]) -> None:
    User.objects.update(time_zone="Mars/Olympus")
    assert client_of("alice").get(reverse("home")).status_code == 200
    User.objects.update(time_zone="../etc/passwd")
    assert client_of("alice").get(reverse("home")).status_code == 200


def test_the_theme_is_in_every_page(client_of: Any, people: dict[str, Any]) -> None:
    client = client_of("alice")
    assert " data-theme=" not in client.get(reverse("home")).content.decode()
    response = client.put("/api/me/theme", {"theme": "dark"}, content_type="application/json")
    assert response.json() == {"theme": "dark"}
    assert ' data-theme="dark"' in client.get(reverse("home")).content.decode()
    client.post(reverse("account-preferences"), {"time_zone": "", "theme": "", "email": ""})
    assert " data-theme=" not in client.get(reverse("home")).content.decode()


@pytest.mark.parametrize("theme", ["blue", True, None, 1])
def test_an_unknown_theme_is_refused(client_of: Any, theme: object) -> None:
    response = client_of("alice").put("/api/me/theme", {"theme": theme}, content_type="application/json")
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"time_zone": "CEST/Nowhere"}, "time_zone"),
        ({"theme": "blue"}, "theme"),
        ({"email": "no address"}, "email"),
        ({"email": f"{'x' * 300}@example.org"}, "email"),
    ],
)
def test_wrong_preferences_are_refused(client_of: Any, form: dict[str, str], field: str) -> None:
    response = client_of("alice").post(reverse("account-preferences"), form)
    assert response.status_code == 422
    assert list(response.context["preferences_form"].errors) == [field]


def test_sessions_are_listed_and_ended_by_their_user_only(client_of: Any, people: dict[str, Any]) -> None:
    alice, elsewhere, bob = client_of("alice"), client_of("alice"), client_of("bob")
    page = alice.get(reverse("account")).content.decode()
    assert elsewhere.session.session_key not in page  # who knows the key has the session
    assert page.count("this session") == 1
    row = UserSession.objects.get(session=elsewhere.session.session_key)
    assert bob.post(reverse("account-session-end", args=[row.pk])).status_code == 404
    assert elsewhere.get(reverse("home")).status_code == 200
    alice.post(reverse("account-session-end", args=[row.pk]))
    assert elsewhere.get(reverse("home")).status_code == 302


def test_the_button_ends_all_other_sessions(client_of: Any, people: dict[str, Any]) -> None:
    alice, *others = (client_of("alice") for _ in range(3))
    assert "2 other sessions ended" in alice.post(reverse("account-sessions-end"), follow=True).content.decode()
    assert [client.get(reverse("home")).status_code for client in (alice, *others)] == [200, 302, 302]


def test_a_token_is_shown_once_and_revoked_by_its_user_only(client_of: Any, people: dict[str, Any]) -> None:
    client = client_of("alice")
    form = {"name": "backup script", "scope": "read", "days": "90"}
    made = client.post(reverse("account-token-new"), form).content.decode()
    match = re.search(r'value="(iqs_[\w-]{43})"', made)
    assert match is not None
    later = client.get(reverse("account")).content.decode()
    assert ("backup script" in later, match[1] in later) == (True, False)
    token = ApiToken.objects.get()
    assert client_of("bob").post(reverse("account-token-revoke", args=[token.pk])).status_code == 404
    assert token_use(secret=match[1]) == token
    client.post(reverse("account-token-revoke", args=[token.pk]))
    assert token_use(secret=match[1]) is None


@pytest.mark.parametrize("form", [{"name": ""}, {"scope": "root"}, {"days": "0"}, {"days": "many"}])
def test_wrong_tokens_are_refused(client_of: Any, form: dict[str, str]) -> None:
    values = {"name": "x", "scope": "read", "days": "1", **form}
    assert client_of("alice").post(reverse("account-token-new"), values).status_code == 422
    assert not ApiToken.objects.exists()


def test_queries_of_the_account_page_do_not_depend_on_sessions_and_tokens(
    client_of: Any, people: dict[str, Any], django_assert_num_queries: Any
) -> None:
    client = client_of("alice")
    for _ in range(5):
        client_of("alice")
        token_made(people["alice"])
    with django_assert_num_queries(6):  # session, user, preferences, sessions, tokens, campaign
        client.get(reverse("account"))

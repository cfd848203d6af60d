"""API tokens: which requests they allow, and when they end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from annotation.models import ApiToken, Campaign, Image, User
from annotation.services.members import user_active_set
from annotation.services.tokens import MOST_DAYS, TokenError, token_create, token_revoke

PROGRESS = "/api/campaigns/watches/progress"
LEASES = "/api/campaigns/watches/leases"


@pytest.fixture
def token_of(people: dict[str, Any]) -> Callable[..., tuple[ApiToken, dict[str, str]]]:
    """Return a function from a name and a scope to a token and the headers with its secret."""

    def make(name: str, scope: str = "annotate") -> tuple[ApiToken, dict[str, str]]:
        token, secret = token_create(user=people[name], name="script", scope=ApiToken.Scope(scope), days=1)
        return token, {"authorization": f"Bearer {secret}"}

    return make


@pytest.fixture
def program() -> Client:
    return Client(enforce_csrf_checks=True)


def post(program: Client, path: str, headers: dict[str, str]) -> Any:
    return program.post(path, {"count": 1}, content_type="application/json", headers=headers)


def test_a_program_answers_photos_without_a_session_and_without_csrf(
    program: Client, token_of: Any, make_image: Callable[..., Image]
) -> None:
    image = make_image(1)
    token, headers = token_of("alice")
    (lease,) = post(program, LEASES, headers).json()["leases"]
    assert (lease["image_id"], lease["url"]) == (image.pk, reverse("photo-original", args=[image.pk]))
    assert program.get(lease["url"], headers=headers).status_code == 200
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert not program.cookies


@pytest.mark.parametrize("end", ["expired", "revoked", "deactivated", "deleted", "wrong", "prefix", "empty"])
def test_a_token_that_is_not_valid_gets_401_even_beside_a_session(
    client_of: Any, people: dict[str, Any], token_of: Any, make_user: Any, end: str
) -> None:
    token, headers = token_of("alice")
    if end == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif end == "revoked":
        token_revoke(user=people["alice"], token_id=token.pk)
    elif end == "deactivated":
        user_active_set(user=people["alice"], active=False, by=make_user("root", is_superuser=True))
    elif end == "deleted":
        token.delete()
    else:
        wrong = {"wrong": "Bearer iqs_" + "x" * 43, "prefix": headers["authorization"].replace("iqs_", "")}
        headers = {"authorization": wrong.get(end, "Bearer ")}
    client = client_of("bob")
    for path in (PROGRESS, reverse("annotations-csv", args=["watches"])):
        response = client.get(path, headers=headers)
        assert (response.status_code, "not valid" in response.json()["detail"]) == (401, True)


def test_a_reactivated_users_old_token_stays_revoked(
    program: Client, people: dict[str, Any], token_of: Any, make_user: Any
) -> None:
    _, headers = token_of("alice")
    root = make_user("root", is_superuser=True)
    for active in (False, True):
        user_active_set(user=people["alice"], active=active, by=root)
    assert program.get(PROGRESS, headers=headers).status_code == 401


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("annotate", 200), ("admin", 200)])
def test_the_scope_read_changes_nothing(program: Client, token_of: Any, scope: str, status: int) -> None:
    _, headers = token_of("alice", scope)
    assert program.get(PROGRESS, headers=headers).status_code == 200
    assert post(program, LEASES, headers).status_code == status
    keys = program.put("/api/me/keys", {"bindings": {}}, content_type="application/json", headers=headers)
    assert keys.status_code == status


@pytest.mark.parametrize(
    ("name", "scope", "answers", "audit"),
    [
        ("alice", "admin", 403, 403),
        ("rita", "read", 200, 403),
        ("ada", "read", 200, 403),
        ("ada", "annotate", 200, 403),
        ("ada", "admin", 200, 200),
        ("mallory", "admin", 404, 404),
    ],
)
def test_a_token_never_allows_more_than_role_and_scope(
    program: Client, token_of: Any, name: str, scope: str, answers: int, audit: int
) -> None:
    _, headers = token_of(name, scope)
    assert program.get(reverse("annotations-csv", args=["watches"]), headers=headers).status_code == answers
    assert program.get(reverse("campaign-audit-csv", args=["watches"]), headers=headers).status_code == audit


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("annotate", 403), ("admin", 200)])
def test_only_the_scope_admin_of_a_superuser_reads_the_audit_of_the_site(
    program: Client, people: dict[str, Any], token_of: Any, scope: str, status: int
) -> None:
    User.objects.filter(username="ada").update(is_superuser=True)
    people["ada"].refresh_from_db()
    _, headers = token_of("ada", scope)
    assert program.get(reverse("audit-csv"), headers=headers).status_code == status


def test_tokens_open_no_page_that_is_not_marked(program: Client, token_of: Any) -> None:
    _, headers = token_of("ada", "admin")
    for name, arguments in (("account", []), ("home", []), ("members", ["watches"]), ("campaign-edit", ["watches"])):
        assert program.get(reverse(name, args=arguments), headers=headers).status_code == 302
    created = program.post(reverse("account-token-new"), {"name": "x", "scope": "admin", "days": 1}, headers=headers)
    assert created.status_code == 403  # no CSRF token
    assert ApiToken.objects.count() == 1


def test_pages_that_take_tokens_only_read() -> None:
    """A token needs no CSRF token, so these views must refuse POST."""

    def views(patterns: Any) -> Any:
        for pattern in patterns:
            yield from views(pattern.url_patterns) if hasattr(pattern, "url_patterns") else [pattern]

    marked = {
        one.name for one in views(get_resolver().url_patterns) if getattr(one.callback, "is_token_allowed", False)
    }
    assert marked == {
        "photo-original",
        "photo-thumbnail",
        "annotations-csv",
        "annotators-csv",
        "consensus-csv",
        "photos-table",
        "predictions-table",
        "export-download",
        "audit-csv",
        "campaign-audit-csv",
    }


@pytest.mark.parametrize(
    "name",
    ["annotations-csv", "consensus-csv", "annotators-csv", "photos-table", "predictions-table", "campaign-audit-csv"],
)
def test_a_post_with_a_token_to_a_marked_page_changes_nothing(program: Client, token_of: Any, name: str) -> None:
    _, headers = token_of("ada", "admin")
    assert program.post(reverse(name, args=["watches"]), headers=headers).status_code in (403, 405)


def test_a_token_is_stored_as_a_hash(token_of: Any) -> None:
    _, headers = token_of("alice")
    assert headers["authorization"].removeprefix("Bearer ") not in str(ApiToken.objects.values().get())


def test_another_scheme_is_no_token(client_of: Any, program: Client, people: dict[str, Any]) -> None:
    assert client_of("alice").get(PROGRESS, headers={"authorization": "Basic eDp5"}).status_code == 200
    assert program.get(PROGRESS, headers={"authorization": "Basic eDp5"}).status_code == 401


@pytest.mark.parametrize(
    ("name", "days", "message"), [(" ", 1, "Enter a name"), ("x", 0, "1 to"), ("x", MOST_DAYS + 1, "1 to")]
)
def test_tokens_need_a_name_and_end(people: dict[str, Any], name: str, days: int, message: str) -> None:
    with pytest.raises(TokenError, match=message):
        token_create(user=people["alice"], name=name, scope=ApiToken.Scope.READ, days=days)


def test_the_number_of_tokens_is_limited(people: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.services.tokens.MOST_TOKENS", 2)  # fewer, for speed
    first, _ = token_create(user=people["alice"], name="1", scope=ApiToken.Scope.READ, days=1)
    token_create(user=people["alice"], name="2", scope=ApiToken.Scope.READ, days=1)
    with pytest.raises(TokenError, match="You have 2 valid tokens"):
        token_create(user=people["alice"], name="3", scope=ApiToken.Scope.READ, days=1)
    token_revoke(user=people["alice"], token_id=first.pk)
    token_create(user=people["alice"], name="3", scope=ApiToken.Scope.READ, days=1)


def test_a_request_with_a_token_takes_few_queries(
    program: Client, campaign: Campaign, token_of: Any, django_assert_num_queries: Any
) -> None:
    _, headers = token_of("alice")
    program.get(PROGRESS, headers=headers)
    with django_assert_num_queries(3):  # token with user, campaign with role, update
        program.post(f"/api/campaigns/{campaign.slug}/practice/done", headers=headers)

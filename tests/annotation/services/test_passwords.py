"""Password links: made by a superuser, used once by the person."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.urls import get_resolver, reverse
from django.utils import timezone

from annotation.models import ApiToken, PasswordLink, User
from annotation.services.members import user_active_set
from annotation.services.passwords import (
    PasswordLinkError,
    password_link_create,
    password_link_find,
    password_link_use,
)
from annotation.services.tokens import token_create, token_use

NEW = "brand-new-pass-3"


@pytest.fixture
def root(people: dict[str, Any], make_user: Any) -> User:
    people["root"] = make_user("root", is_superuser=True, is_staff=True)
    return people["root"]


@pytest.fixture
def secret(root: User, people: dict[str, Any]) -> str:
    return password_link_create(user=people["alice"], by=root)[1]


def test_a_superuser_creates_an_account_with_a_link_and_the_person_sets_the_password(
    client_of: Any, root: User, client: Any
) -> None:
    response = client_of("root").post(reverse("users"), {"username": "Eve"})
    assert response.headers["Cache-Control"] == "no-store"
    link = re.search(r'value="http://testserver(/password/[^"]+)"', response.content.decode())
    assert link is not None
    assert not client.login(username="Eve", password="")
    assert "Your user name is <strong>Eve</strong>" in client.get(link[1]).content.decode()
    weak = client.post(link[1], {"password": "short", "again": "short"})
    assert (weak.status_code, "too short" in weak.content.decode()) == (422, True)
    other = client.post(link[1], {"password": NEW, "again": "another"})
    assert (other.status_code, "not the same" in other.content.decode()) == (422, True)
    assert client.post(link[1], {"password": NEW, "again": NEW}).status_code == 302
    assert client.login(username="eve", password=NEW)
    assert client.get(link[1]).status_code == 404


def test_the_secret_is_not_in_the_database_and_not_on_later_pages(client_of: Any, root: User, people: Any) -> None:
    page = reverse("user-change", args=[people["bob"].pk])
    shown = client_of("root").post(page, {"password_link": "yes"}).content.decode()
    match = re.search(r"/password/([\w-]+)/", shown)
    assert match is not None
    assert match[1] not in str(PasswordLink.objects.values().get())
    assert match[1] not in client_of("root").get(reverse("users")).content.decode()


@pytest.mark.parametrize("end", ["used", "expired", "replaced", "deactivated"])
def test_a_link_that_has_ended_is_like_one_that_never_existed(
    secret: str, root: User, people: dict[str, Any], client: Any, end: str
) -> None:
    link = password_link_find(secret=secret)
    assert link is not None
    if end == "used":
        password_link_use(link=link, password=NEW)
    elif end == "expired":
        PasswordLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif end == "replaced":
        password_link_create(user=people["alice"], by=root)
    else:
        user_active_set(user=people["alice"], active=False, by=root)
    with pytest.raises(PasswordLinkError, match="not valid"):
        password_link_use(link=link, password="yet-another-4")
    pages = [client.get(reverse("password-link", args=[one])) for one in (secret, "never-existed")]
    assert [page.status_code for page in pages] == [404, 404]
    texts = [re.sub(r'"x-csrftoken": "\w+"', "", page.content.decode()) for page in pages]  # new in each page
    assert texts[0] == texts[1]


def test_a_weak_password_does_not_use_up_the_link(secret: str) -> None:
    link = password_link_find(secret=secret)
    assert link is not None
    with pytest.raises(ValidationError):
        password_link_use(link=link, password="alice")
    assert password_link_find(secret=secret) == link


def test_a_used_link_ends_sessions_and_tokens(secret: str, people: dict[str, Any], client_of: Any) -> None:
    browser = client_of("alice")
    _, token = token_create(user=people["alice"], name="x", scope=ApiToken.Scope.READ, days=1)
    link = password_link_find(secret=secret)
    assert link is not None
    password_link_use(link=link, password=NEW)
    assert browser.get(reverse("home")).status_code == 302
    assert token_use(secret=token) is None


def test_the_link_is_sent_by_email_when_the_site_has_a_mail_server(
    root: User, people: dict[str, Any], client_of: Any, settings: Any
) -> None:
    User.objects.filter(username="bob").update(email="bob@example.org")
    page = reverse("user-change", args=[people["bob"].pk])
    client_of("root").post(page, {"password_link": "yes"})
    assert mail.outbox == []  # no mail server
    settings.EMAIL_URL = "smtp://mail.example.org"
    shown = client_of("root").post(page, {"password_link": "yes"}).content.decode()
    link = re.search(r'http://testserver/password/[^"]+', shown)
    assert link is not None
    (sent,) = mail.outbox
    assert (sent.to, link[0] in sent.body, "also sent to bob@example.org" in shown) == (["bob@example.org"], True, True)


def test_a_mail_server_that_does_not_answer_still_leaves_the_link(
    root: User, people: dict[str, Any], client_of: Any, settings: Any
) -> None:
    User.objects.filter(username="bob").update(email="bob@example.org")
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    page = reverse("user-change", args=[people["bob"].pk])
    shown = client_of("root").post(page, {"password_link": "yes"}).content.decode()
    assert "The email could not be sent" in shown
    assert "/password/" in shown


def test_no_page_sets_the_password_of_somebody_else(root: User, people: dict[str, Any], client_of: Any) -> None:
    client, bob = client_of("root"), people["bob"]
    before = User.objects.get(pk=bob.pk).password
    client.post(reverse("user-change", args=[bob.pk]), {"password": NEW})
    change = reverse("admin:annotation_user_change", args=[bob.pk])
    assert "password" not in client.get(change).context["adminform"].form.fields
    assert client.post(f"/admin/annotation/user/{bob.pk}/password/", {"password1": NEW}).status_code in (302, 404)
    assert client.get(reverse("admin:annotation_user_add")).status_code == 403
    assert client.get("/admin/password_change/").headers["Location"] == reverse("account")
    assert User.objects.get(pk=bob.pk).password == before
    assert "auth_user_password_change" not in {name for name in get_resolver().reverse_dict if isinstance(name, str)}


@pytest.mark.parametrize("name", ["anonymous", "mallory", "alice", "rita", "ada"])
def test_only_superusers_create_links(client_of: Any, people: dict[str, Any], name: str) -> None:
    response = client_of(name).post(reverse("user-change", args=[people["bob"].pk]), {"password_link": "yes"})
    assert response.status_code == (302 if name == "anonymous" else 403)
    assert not PasswordLink.objects.exists()

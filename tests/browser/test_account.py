"""The account page and password links in a browser."""

import re
from typing import Any

import pytest

from annotation.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def is_dark(page: Any) -> bool:
    return bool(page.evaluate("getComputedStyle(document.documentElement).colorScheme === 'dark'"))


def test_the_theme_follows_the_user_to_another_browser(open_page: Any, people: dict[str, Any]) -> None:
    first = open_page("/", "alice", color_scheme="light")
    with first.expect_response("**/api/me/theme") as answered:
        first.get_by_role("button", name="Switch between light and dark").click()
    assert answered.value.ok
    assert is_dark(open_page("/account/", "alice", color_scheme="light"))
    visitor = open_page("/accounts/login/", "anonymous", color_scheme="light")
    assert not is_dark(visitor)
    visitor.get_by_role("button", name="Switch between light and dark").click()  # without an account, in this browser
    visitor.reload()
    assert is_dark(visitor)


def test_a_token_is_made_and_revoked(open_page: Any, people: dict[str, Any]) -> None:
    page = open_page("/account/", "alice")
    page.get_by_label("Name", exact=True).fill("backup script")
    page.get_by_role("button", name="Create token").click()
    assert page.get_by_label("API token", exact=True).input_value().startswith("iqs_")
    page.get_by_role("button", name="Revoke the token backup script").click()
    page.get_by_text("The token was revoked").wait_for()
    assert page.get_by_label("API token", exact=True).count() == 0


def test_a_superuser_makes_a_link_and_the_person_sets_the_password_and_logs_in(
    open_page: Any, people: dict[str, Any], live_server: Any
) -> None:
    User.objects.filter(username="ada").update(is_superuser=True)
    users = open_page("/users/", "ada")
    users.locator("summary", has_text="Create an account").click()
    users.get_by_label("User name", exact=True).fill("Eve")
    users.get_by_role("button", name="Create account and link").click()
    link = users.get_by_label("Password link").input_value()
    page = open_page(re.sub(r"^https?://[^/]+", "", link), "anonymous")
    page.get_by_label("New password", exact=True).fill("brand-new-pass-3")
    page.get_by_label("New password again", exact=True).fill("brand-new-pass-3")
    page.get_by_role("button", name="Set password").click()
    page.get_by_text("Your password is set").wait_for()
    page.get_by_label("User name").fill("EVE")
    page.get_by_label("Password", exact=True).fill("brand-new-pass-3")
    page.get_by_role("button", name="Log in").click()
    page.locator("summary", has_text="Eve").click()
    page.get_by_role("link", name="Your account").click()
    page.get_by_role("heading", name="Your account: Eve").wait_for()


def test_changing_keys_is_one_click_from_the_account_page(open_page: Any, people: dict[str, Any]) -> None:
    page = open_page("/account/", "alice")
    page.evaluate("localStorage.setItem('iqs-instructions:watches', '')")  # already read
    page.get_by_role("link", name="Instructions and keys").click()
    page.get_by_role("heading", name="Keyboard").wait_for()


def test_the_account_and_audit_pages_fit_a_phone(open_page: Any, people: dict[str, Any]) -> None:
    User.objects.filter(username="ada").update(is_superuser=True)
    for path in ("/account/", "/audit/", "/campaigns/watches/audit/"):
        page = open_page(path, "ada", viewport={"width": 375, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path

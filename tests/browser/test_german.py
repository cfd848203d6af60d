"""The pages in German: chosen on the account page, whole, no wider than a phone, and usable by everybody."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, Image, User
from tests.browser.axe import axe_findings
from tests.conftest import photo_bytes, thumbnail_path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 900}}
PAGES = [
    "/",
    "/account/",
    "/new-campaign/",
    "/campaigns/watches/",
    "/campaigns/watches/photos/",
    "/campaigns/watches/models/",
    "/campaigns/watches/members/",
    "/campaigns/watches/mine/",
]
# Frequent words of the interface that no German sentence has.
ENGLISH = re.compile(r"\b(the|with|your|from|photos?|votes?|answers?|this|show|save|settings|people)\b", re.IGNORECASE)


@pytest.fixture
def images(campaign: Campaign, make_image: Callable[..., Any]) -> list[Image]:
    images = [make_image(seed) for seed in range(4)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    return images


def _words(page: Page) -> str:
    """Return what the page shows, without names of files and what is marked as English."""
    page.evaluate("for (const one of document.querySelectorAll('main [lang=en], select, code')) one.remove()")
    return re.sub(r"\S+\.(jpg|png|webp)", "", page.inner_text("body"))


def test_german_is_chosen_on_the_account_page_and_stays(open_page: Callable[..., Page]) -> None:
    page = open_page("/account/", "ada")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Save preferences").click()
    expect(page.get_by_role("button", name="Einstellungen speichern")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    assert User.objects.get(username="ada").language == "de"


def test_the_login_page_follows_the_browser(open_page: Callable[..., Page]) -> None:
    german = open_page("/accounts/login/", "anonymous", locale="de-AT")
    expect(german.get_by_role("button", name="Anmelden")).to_be_visible()
    other = open_page("/accounts/login/", "anonymous", locale="fr-FR")
    expect(other.get_by_role("button", name="Log in")).to_be_visible()


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["390", "1280"])
def test_pages_are_german_fit_and_axe_finds_nothing(
    open_page: Callable[..., Page], images: list[Image], screen: dict[str, Any]
) -> None:
    User.objects.filter(username="ada").update(language="de", is_staff=True)
    page = open_page("/", "ada", **screen)
    root = page.url.removesuffix("/")
    for path in PAGES:
        page.goto(root + path)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        assert page.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"], path
        assert axe_findings(page) == [], path
        assert [line for line in _words(page).splitlines() if ENGLISH.search(line)] == [], path


def test_a_photo_is_rated_in_german(open_page: Callable[..., Page], images: list[Image]) -> None:
    User.objects.filter(username="alice").update(language="de")
    page = open_page("/campaigns/watches/annotate/", "alice")
    page.get_by_role("button", name="Beginnen").click()
    expect(page.locator("#photo img")).to_be_visible()
    page.get_by_role("button", name="Keine Uhr").click()
    page.keyboard.press("7")
    expect(page.locator("#session-count")).to_contain_text("1 bewertet")
    expect(page.locator("#saved")).to_have_text("Gespeichert")

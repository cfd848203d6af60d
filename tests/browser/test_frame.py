"""The frame in a browser: navigation, search, own dialogs, documentation and home, by keyboard and on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, Image, Invitation
from annotation.services.invitations import invitation_create
from tests.browser.axe import axe_findings
from tests.conftest import photo_bytes, thumbnail_path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 900}}
PAGES = ["/", "/campaigns/watches/", "/docs/", "/docs/reference/metrics/", "/score/", "/api/", "/campaigns/watches/no/"]


@pytest.fixture
def images(campaign: Campaign, make_image: Callable[..., Any]) -> list[Image]:
    images = [make_image(seed) for seed in range(6)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    return images


@pytest.mark.parametrize("name", ["alice", "rita", "ada"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["390", "1280"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_axe_finds_nothing(
    open_page: Callable[..., Page], images: list[Image], name: str, screen: dict[str, Any], scheme: str
) -> None:
    page = open_page("/", name, color_scheme=scheme, **screen)
    root = page.url
    for path in PAGES:
        page.goto(root + path.removeprefix("/"))
        assert page.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"], path
        assert axe_findings(page) == [], path


def test_the_login_page_shows_the_password(open_page: Callable[..., Page], people: dict[str, Any]) -> None:
    page = open_page("/accounts/login/", "anonymous")
    field = page.get_by_label("Password", exact=True)
    field.fill("pass-word-1")
    page.get_by_role("button", name="Show the password").click()
    expect(field).to_have_attribute("type", "text")
    assert axe_findings(page) == []
    page.get_by_label("User name").fill("alice")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


# --- search -------------------------------------------------------------------------------------------


def test_the_search_goes_to_a_page_by_keyboard_alone(open_page: Callable[..., Page], images: list[Image]) -> None:
    page = open_page("/campaigns/watches/", "rita")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search")
    expect(field).to_be_focused()
    expect(page.get_by_role("option", name="Overview")).to_have_attribute("aria-selected", "true")
    assert axe_findings(page) == []
    field.fill("annotator qu")
    first = page.get_by_role("option").first
    expect(first).to_contain_text("Annotator quality")
    expect(field).to_have_attribute("aria-activedescendant", first.get_attribute("id") or "none")
    page.keyboard.press("Enter")
    page.wait_for_url("**/annotator-quality/")


def test_arrows_choose_and_escape_returns_the_focus(open_page: Callable[..., Page], images: list[Image]) -> None:
    page = open_page("/campaigns/watches/", "rita")
    button = page.get_by_role("button", name="Search")
    button.click()
    options = page.get_by_role("option")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Search")).to_be_hidden()
    expect(button).to_be_focused()


def test_a_photo_is_found_on_a_phone_by_touch(open_page: Callable[..., Page], images: list[Image]) -> None:
    page = open_page("/", "ada", **PHONE)
    page.get_by_role("button", name="Search").tap()
    page.get_by_role("combobox").fill("photo-3")
    page.get_by_role("option", name="photo-3.jpg").tap()
    page.wait_for_url(f"**/photos/{images[3].pk}/")


def test_nothing_found_and_no_server_are_said(open_page: Callable[..., Page], people: dict[str, Any]) -> None:
    page = open_page("/", "alice")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("zzzz")
    expect(page.get_by_role("status").last).to_contain_text("Nothing found for “zzzz”")
    page.context.set_offline(True)
    page.get_by_role("combobox").fill("yyyy")
    expect(page.get_by_role("status").last).to_contain_text("The server does not answer")
    page.context.set_offline(False)


def test_enter_waits_for_the_answer_to_the_last_key(open_page: Callable[..., Page], images: list[Image]) -> None:
    page = open_page("/campaigns/watches/", "rita")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.type("disputed")
    page.keyboard.press("Enter")
    page.wait_for_url("**/disputed/")


@pytest.fixture
def slow_search(open_page: Callable[..., Page], images: list[Image]) -> tuple[Page, Callable[[], None]]:
    """A page on which the search is asked for but not loaded yet, and a function that lets it come."""
    page = open_page("/campaigns/watches/photos/", "rita")
    held: list[Any] = []
    page.route("**/js/search*.js", lambda route: held.append(route))  # Playwright takes no method of a list
    with page.expect_request("**/js/search*.js"):
        page.locator("[data-search-open]").first.click()  # it also waits for the page, as a key does not
    return page, lambda: [route.continue_() for route in held]


def test_letters_typed_before_the_search_is_there_are_in_its_field(
    slow_search: tuple[Page, Callable[[], None]],
) -> None:
    page, come = slow_search
    page.keyboard.type("photo-33")
    page.keyboard.press("Backspace")
    come()
    field = page.get_by_role("combobox", name="Search")
    expect(field).to_have_value("photo-3")
    page.keyboard.type(".j")
    expect(field).to_have_value("photo-3.j")
    expect(page.get_by_role("option", name="photo-3.jpg")).to_be_visible()
    assert page.url.endswith("/campaigns/watches/photos/")  # none of the letters was a shortcut of the page


def test_characters_of_altgr_and_dead_keys_typed_before_the_search_is_there_are_kept(
    slow_search: tuple[Page, Callable[[], None]],
) -> None:
    page, come = slow_search
    page.keyboard.type("a")
    # AltGr as on Windows: a key with the modifiers Control and Alt, then the character that it writes.
    keys = page.context.new_cdp_session(page)
    keys.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "@", "code": "KeyQ", "modifiers": 1 | 2})
    keys.send("Input.dispatchKeyEvent", {"type": "char", "text": "@"})
    keys.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": "@", "code": "KeyQ", "modifiers": 1 | 2})
    page.keyboard.insert_text("é")  # what a dead key or an input method writes: no key has this character
    come()
    expect(page.get_by_role("combobox", name="Search")).to_have_value("a@é")
    expect(page.locator(".early-search")).to_have_count(0)


def test_the_focus_returns_to_where_it_was_before_the_search_was_loaded(
    slow_search: tuple[Page, Callable[[], None]],
) -> None:
    page, come = slow_search
    page.keyboard.press("Escape")
    more = page.get_by_text("More filters")
    more.focus()
    page.keyboard.press("Control+k")
    come()
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()


def test_enter_before_the_search_is_there_opens_what_was_typed(slow_search: tuple[Page, Callable[[], None]]) -> None:
    page, come = slow_search
    page.keyboard.type("annotator qu")
    page.keyboard.press("Enter")
    come()
    page.wait_for_url("**/annotator-quality/")


def test_escape_before_the_search_is_there_calls_it_off(slow_search: tuple[Page, Callable[[], None]]) -> None:
    page, come = slow_search
    page.keyboard.type("ph")
    page.keyboard.press("Escape")
    with page.expect_response("**/js/search*.js"):
        come()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search")).to_have_value("")


# --- dialogs ------------------------------------------------------------------------------------------


@pytest.fixture
def members(open_page: Callable[..., Page], campaign: Campaign, people: dict[str, Any]) -> Page:
    """The members page with an invitation."""
    invitation_create(campaign=campaign, by=people["ada"], role="annotator", note="Carla", places=1, days=7)
    return open_page("/campaigns/watches/members/", "ada")


def test_escape_and_cancel_mean_no(members: Page) -> None:
    revoke = members.get_by_role("button", name="Revoke the invitation Carla")
    for close in (lambda: members.keyboard.press("Escape"), lambda: members.keyboard.press("Enter")):
        revoke.click()
        dialog = members.get_by_role("alertdialog", name="Revoke this invitation?")
        expect(dialog).to_contain_text("The link stops working.")
        expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()  # it cannot be undone
        assert axe_findings(members) == []
        close()
        expect(dialog).to_be_hidden()
        expect(revoke).to_be_focused()
    assert Invitation.objects.get().revoked_at is None


def test_the_action_of_the_dialog_is_done(members: Page) -> None:
    members.get_by_role("button", name="Revoke the invitation Carla").click()
    dialog = members.get_by_role("alertdialog")
    dialog.get_by_role("button", name="Revoke").click()
    expect(members.locator("#invitations")).to_contain_text("revoked")
    assert Invitation.objects.get().revoked_at is not None


def test_a_form_with_a_question_is_sent_only_after_yes(open_page: Callable[..., Page], people: dict[str, Any]) -> None:
    page = open_page("/account/", "alice")
    page.evaluate(
        """() => {
          const form = document.createElement("form");
          form.method = "get";
          form.action = "/docs/";
          form.dataset.confirm = "Leave this page? Nothing is lost.";
          form.innerHTML = "<button name='asked' value='yes'>Leave</button>";
          document.querySelector("main").append(form);
        }"""
    )
    page.get_by_role("button", name="Leave").click()
    dialog = page.get_by_role("alertdialog", name="Leave this page?")
    expect(dialog).to_contain_text("Nothing is lost.")
    dialog.get_by_role("button", name="Cancel").click()
    assert page.url.endswith("/account/")
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Leave").click()
    page.wait_for_url("**/docs/?asked=yes")


# --- navigation and documentation ---------------------------------------------------------------------


def test_the_tab_of_the_page_is_in_sight_on_a_phone(open_page: Callable[..., Page], images: list[Image]) -> None:
    page = open_page("/campaigns/watches/settings/", "ada", **PHONE)
    tab = page.locator(".nav-pages [aria-current='page']")
    expect(tab).to_have_text("Settings")
    box = tab.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_the_menu_closes_by_escape_and_by_a_click_elsewhere(
    open_page: Callable[..., Page], people: dict[str, Any]
) -> None:
    page = open_page("/", "alice")
    menu = page.locator("details.user-menu")
    menu.locator("summary").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    assert axe_findings(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").click()
    page.locator("h1").click()
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()


def test_from_a_page_to_its_help_and_on(open_page: Callable[..., Page], images: list[Image]) -> None:
    page = open_page("/campaigns/watches/annotator-quality/", "rita")
    page.get_by_role("link", name="Help for this page").click()
    expect(page.locator("article h1")).to_be_visible()
    page.get_by_role("navigation", name="Documentation").get_by_role("link", name="Rate photos").click()
    expect(page.get_by_role("heading", level=1, name="Rate photos")).to_be_visible()
    assert page.evaluate("scrollY") == 0


def test_an_annotator_goes_from_home_to_the_next_photo_with_one_click(
    open_page: Callable[..., Page], images: list[Image]
) -> None:
    page = open_page("/", "alice")
    page.get_by_role("link", name="Start rating").click()
    page.wait_for_url("**/campaigns/watches/annotate/")

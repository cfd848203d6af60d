"""The whole work of an annotator by keyboard alone: log in, begin, rate, correct an answer, reach the end."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Image
from tests.browser.annotating import current_answer, expect_photo_gone, expect_saved, press, rate, shown_photo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_TABS = 30
# The text of the link or button with the focus. Without one the focus is on the body, which has the text of all.
FOCUSED = "document.activeElement.matches('a, button') ? document.activeElement.textContent : ''"


def tab_to(page: Page, words: str) -> None:
    """Press Tab until the focus is on the link or button with these words."""
    for _ in range(MOST_TABS):
        press(page, "Tab")
        if words in page.evaluate(FOCUSED):
            return
    raise AssertionError(f"{MOST_TABS} presses of Tab do not reach “{words}”.")


def test_from_login_to_the_end_by_keys_only(
    open_page: Callable[..., Page], people: dict[str, Any], make_image: Callable[..., Image]
) -> None:
    for seed in range(4):
        make_image(seed)
    page = open_page("/accounts/login/", "anonymous")
    page.keyboard.type("alice")
    press(page, "Tab")
    page.keyboard.type("pass-word-1")
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    tab_to(page, "Start rating")
    press(page, "Enter")
    expect(page.get_by_role("button", name="Begin")).to_be_focused()
    press(page, "Enter")
    expect(page.locator("#photo img")).to_be_visible()
    rated = [rate(page, *keys) for keys in ("w5", "n3", "m8")]
    expect(page.locator("#photo img")).to_be_visible()
    last = shown_photo(page)

    press(page, "l")  # the list of the last answers, newest first
    dialog = page.get_by_role("dialog", name="Last answers")
    expect(dialog.get_by_role("button").nth(1)).to_be_focused()  # after the button that closes the list
    press(page, "ArrowDown", "Enter")
    expect(page.locator(f'#photo img[src$="/photos/{rated[1]}/original"]')).to_be_visible()
    press(page, "9")  # the other answer stays
    expect_photo_gone(page, rated[1])
    expect(page.locator(f'#photo img[src$="/photos/{last}/original"]')).to_be_visible()
    expect_saved(page)
    answer = current_answer(rated[1])
    assert (answer.watch, answer.score) == ("no", 9)

    rate(page, "n", "4")
    expect(page.locator("#empty-title")).to_be_visible()
    expect_saved(page)
    assert Annotation.objects.filter(superseded_by=None).count() == 4
    assert Annotation.objects.count() == 5, "four answers and one correction"
    tab_to(page, "Back to campaign")
    press(page, "Enter")
    page.wait_for_url("**/campaigns/watches/")

"""Own keys on the annotate page: shown on the buttons, changed in the help dialog, stored. Also typed scores."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from annotation.models import Campaign, Image, PhotoComment, User
from tests.browser.annotating import PHONE, current_answer, expect_saved, press, rate, shown_photo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(8)]


def stored_keys(name: str) -> Any:
    return User.objects.get(username=name).key_bindings


def message(page: Page) -> Locator:
    return page.locator("#key-message")


def press_change_button(page: Page, action: str) -> None:
    """Open the help dialog if it is closed, and press the button that changes the key of the action."""
    if not page.get_by_role("dialog", name="What to do").is_visible():
        press(page, "?")
    page.get_by_role("button", name=f"Change the key for {action}", exact=True).click()


def test_own_keys_are_shown_on_the_buttons_and_work(annotate: Any, photos: list[Image], people: Any) -> None:
    User.objects.filter(username="alice").update(key_bindings={"watch_yes": "j", "undo": "x", "skip": "PageDown"})
    page = annotate()
    watch = page.locator('[data-watch="yes"]')
    expect(watch).to_have_text("Watch J")
    expect(watch).to_have_attribute("aria-keyshortcuts", "J")
    expect(page.get_by_role("button", name="Watch", exact=True)).to_have_count(1)
    press(page, "w")
    expect(watch).to_have_attribute("aria-pressed", "false")
    first = rate(page, "J", "5")
    press(page, "x")
    assert shown_photo(page) == first
    press(page, "Enter", "PageDown")
    expect(page.get_by_role("dialog", name="Why skip this photo?")).to_be_visible()
    expect_saved(page)
    assert current_answer(first).watch == "yes"


def test_a_pressed_key_becomes_the_new_key_and_is_stored(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    press_change_button(page, "no watch")
    expect(message(page)).to_have_text("Press the new key for “no watch”, or Esc to cancel.")
    press(page, "k")
    expect(message(page)).to_have_text("K is now the key for “no watch”.")
    assert stored_keys("alice") == {"watch_no": "k"}
    page.get_by_role("button", name="Close").click()
    first = rate(page, "k", "4")
    expect_saved(page)
    assert current_answer(first).watch == "no"
    page.reload()
    expect(page.locator('[data-watch="no"]')).to_have_text("No watch K")
    press_change_button(page, "undo")
    page.get_by_role("button", name="Reset keys").click()
    expect(message(page)).to_have_text("All keys are reset to the defaults.")
    expect(page.locator('[data-watch="no"]')).to_have_text("No watch N")
    assert stored_keys("alice") == {}


def test_a_key_in_use_is_reported_and_a_second_press_swaps_the_two_keys(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    press_change_button(page, "watch")
    press(page, "n")
    expect(message(page)).to_contain_text("N is already the key for “no watch”. Press it again to swap the two keys")
    assert stored_keys("alice") == {}
    press(page, "n")
    expect(message(page)).to_have_text("N is now the key for “watch”.")
    assert stored_keys("alice") == {"watch_yes": "n", "watch_no": "w"}
    expect(page.locator('[data-watch="no"]')).to_have_text("No watch W")


def test_reserved_keys_are_refused_with_a_reason(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    for key, reason in [("7", "digits are always the score"), ("ArrowUp", "arrow keys pan the zoomed photo")]:
        press_change_button(page, "skip")
        press(page, key)
        expect(message(page)).to_contain_text(f"is reserved: {reason}. The keys were not changed.")
    press_change_button(page, "skip")
    page.context.set_offline(True)
    press(page, "x")
    expect(message(page)).to_have_text("The server cannot be reached. The keys were not changed.")
    expect(page.locator("#skip-open")).to_have_text("Skip Space")
    assert stored_keys("alice") == {}


def test_escape_cancels_the_key_change_and_keeps_the_dialog_open(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    press_change_button(page, "zoom")
    press(page, "Escape")
    expect(message(page)).to_be_empty()
    expect(page.get_by_role("dialog", name="What to do")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press(page, "w")
    expect(page.locator('[data-watch="yes"]')).to_have_attribute("aria-pressed", "true")


def test_a_key_can_be_changed_with_the_keyboard_only(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    press(page, "?")
    page.get_by_role("button", name="Change the key for unsure").focus()
    press(page, "Enter", "q")
    expect(message(page)).to_have_text("Q is now the key for “unsure”.")


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_a_typed_score_and_a_watch_key_are_one_answer(annotate: Any, photos: list[Image], options: Any) -> None:
    Campaign.objects.update(scale_min=0, scale_max=100)
    page = annotate(**options)
    first = rate(page, "8", "3", "n")
    second = rate(page, "m", "1", "0", "0", "Enter")
    third = shown_photo(page)
    press(page, "2", "0", "0", "w")  # 200 is outside the scale, so the score is not set
    expect(page.locator('[data-watch="yes"]')).to_have_attribute("aria-pressed", "true")
    assert shown_photo(page) == third
    expect_saved(page)
    assert (current_answer(first).watch, current_answer(first).score) == ("no", 83)
    assert current_answer(first).viewing["inputs"] == {"score": "keys", "watch": "keys"}
    assert (current_answer(second).watch, current_answer(second).score) == ("unsure", 100)


# What a browser does with a key that comes in the frame after the key that closed a dialog.
_KEY_TO_CLOSED = """([id, key]) => {
  const field = document.getElementById(id);
  field.focus();
  field.closest("dialog").close();
  field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}"""


@pytest.mark.parametrize(
    ("opening", "field", "text"), [("c", "comment-text", "Blurred"), (" ", "skip-comment", "Blurred")]
)
def test_a_key_right_after_a_dialog_was_closed_is_a_key_of_the_page(
    annotate: Any, photos: list[Image], opening: str, field: str, text: str
) -> None:
    page = annotate()
    first = shown_photo(page)
    for key, expected in {"w": "[data-watch=yes][aria-pressed=true]", "l": "#last[open]", "Enter": "body"}.items():
        press(page, opening)
        page.locator(f"#{field}").fill(text)
        page.evaluate(_KEY_TO_CLOSED, [field, key])
        expect(page.locator(expected)).to_be_visible()
        if key == "l":
            press(page, "Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
    assert shown_photo(page) == first  # Enter did not skip it
    press(page, opening)
    page.evaluate(_KEY_TO_CLOSED, [field, "4"])
    expect(page.locator(f'#photo img[src$="/photos/{first}/original"]')).to_have_count(0)
    expect_saved(page)
    assert current_answer(first).score == 4
    assert not PhotoComment.objects.exists()

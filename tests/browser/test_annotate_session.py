"""The session with its goal, the list of last answers, comments, the kind word, and what comes at the end."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Campaign, Image, Membership, PhotoComment, User
from tests.browser.annotating import DESKTOP, PATH, PHONE, current_answer, expect_saved, press, rate, shown_photo
from tests.browser.keeping import expect_unsent_count
from tests.browser.page_clock import MINUTE, PageClock
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(24)]


def test_begin_keeps_the_focus_while_practice_photos_are_loaded(open_page: Any, make_image: Any) -> None:
    make_image(31, role="practice", expected_score=2, expected_watch="no")
    page = open_page(PATH, "alice")
    expect(page.locator("#photo img")).to_be_visible()  # behind the instructions
    expect(page.get_by_role("button", name="Begin")).to_be_focused()
    page.evaluate("document.activeElement.blur()")  # as after a click beside the text
    press(page, "Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_goal_is_stored_and_the_count_survives_a_reload(annotate: Any, options: Any) -> None:
    page = annotate(**options)
    expect(page.locator("#session")).to_have_text("0 rated24 left")
    page.locator("#session").click()
    page.get_by_label("Session goal", exact=True).select_option("10")
    expect(page.locator("#goal-message")).to_have_text("Saved to your account.")
    assert User.objects.get(username="alice").session_goal == 10
    press(page, "Escape")
    for _ in range(4):
        rate(page, "w", "5")
    expect_saved(page)
    page.reload()
    expect(page.locator("#photo img")).to_be_visible()
    expect(page.locator("#session")).to_have_text("4 of 1020 left")
    for _ in range(6):
        rate(page, "w", "5")
    expect(page.locator("#note")).to_contain_text("Goal reached: 10 photos.")
    expect(page.locator("#photo img")).to_be_visible()  # rating goes on
    expect(page.locator("#session")).to_have_attribute("data-reached", "yes")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_session_ends_after_half_an_hour(annotate: Any) -> None:
    page = annotate()
    clock = PageClock(page)
    page.reload()
    rate(page, "w", "5")
    clock.advance(9 * MINUTE)
    rate(page, "w", "5")
    expect(page.locator("#session-count")).to_have_text("2 rated")
    clock.advance(31 * MINUTE)
    page.reload()
    expect(page.locator("#session-count")).to_have_text("0 rated")


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_earlier_answer_is_given_again_from_the_list_and_the_present_photo_waits(
    annotate: Any, options: Any
) -> None:
    page = annotate(**options)
    first = rate(page, "w", "3")
    expect_saved(page)
    page.reload()  # the list also has answers from before
    expect(page.locator("#photo img")).to_be_visible()
    second, present = rate(page, "w", "4"), shown_photo(page)
    press(page, "n", "l")
    rows = page.locator("#last-list button")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("watch, 4")
    expect(rows.first).to_be_focused()
    press(page, "ArrowDown", "Enter")
    expect(page.locator("#previous")).to_contain_text("Earlier answer: watch, 3")
    assert shown_photo(page) == first
    rate(page, "8")
    expect_saved(page)
    assert shown_photo(page) == present
    expect(page.locator('[data-watch="no"]')).to_have_attribute("aria-pressed", "true")
    assert (current_answer(first).score, current_answer(second).score) == (8, 4)
    page.get_by_role("button", name="Last answers").click()
    press(page, "Escape")
    assert shown_photo(page) == present


def test_the_list_works_without_a_connection(annotate: Any) -> None:
    page = annotate()
    rate(page, "w", "3")
    expect_saved(page)
    page.context.set_offline(True)
    press(page, "l")
    expect(page.locator("#last-note")).to_contain_text("Earlier answers could not be loaded.")
    expect(page.locator("#last-list button")).to_have_count(1)


def test_a_skip_takes_a_comment_and_digits_in_it_are_text(annotate: Any) -> None:
    page = annotate()
    first = shown_photo(page)
    press(page, " ")
    page.get_by_label("Comment for the campaign's admins").fill("2 clocks, ")
    press(page, "1")
    assert shown_photo(page) == first
    press(page, "Enter")
    wait_for(PhotoComment.objects.exists, "The comment is not stored.")
    wait_for(Annotation.objects.exists, "The skip is not stored.")
    assert Annotation.objects.get().skip_reason == "Another reason"
    assert PhotoComment.objects.get().text == "2 clocks, 1"
    assert PhotoComment.objects.get().image_id == first


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_comment_is_kept_without_a_connection_and_the_photo_stays(annotate: Any, options: Any) -> None:
    page: Page = annotate(**options)
    page.context.set_offline(True)
    photo = shown_photo(page)
    press(page, "c")
    page.get_by_label("Comment", exact=True).fill("Two clocks.")
    press(page, "Enter")
    expect(page.locator("#note")).to_contain_text("sent to the admins")
    expect_unsent_count(page, 1)
    page.context.set_offline(False)
    expect_saved(page)
    assert PhotoComment.objects.get().text == "Two clocks."
    assert shown_photo(page) == photo
    page.locator("#saved").click()
    expect(page.get_by_role("dialog")).to_contain_text("Everything is saved.")
    expect(page.get_by_role("button", name="Download answers")).to_be_enabled()


def test_touch_screens_show_no_key_caps_in_the_skip_menu(annotate: Any) -> None:
    page = annotate(**PHONE)
    page.get_by_role("button", name="Skip").tap()
    expect(page.get_by_role("dialog", name="Why skip this photo?")).to_be_visible()
    expect(page.locator("#skip .key:visible")).to_have_count(0)
    page.get_by_role("button", name="Comment without skipping").tap()
    expect(page.get_by_role("dialog", name="Comment on this photo")).to_be_visible()
    assert not Annotation.objects.exists()


def test_a_kind_word_after_eight_answers_in_under_a_second_each(annotate: Any) -> None:
    page = annotate()
    said = page.evaluate(
        """async () => {
            const { Glance } = await import("/static/js/annotate/glance.js");
            const glance = new Glance();
            const minute = 60_000;
            const row = (milliseconds, now) =>
                Array.from({ length: 8 }, () => glance.answered(milliseconds, now)).filter(Boolean).length;
            return [row(900, 0), row(900, minute), row(1000, 20 * minute), row(null, 20 * minute),
                    row(500, 20 * minute), row(500, 40 * minute), row(500, 60 * minute)];
        }"""
    )
    assert said == [1, 0, 0, 0, 1, 1, 0]


def test_the_end_leads_to_own_work_and_to_another_campaign(
    annotate: Any, people: Any, make_image: Callable[..., Any]
) -> None:
    other = Campaign.objects.create(slug="clocks", name="Clocks")
    Membership.objects.create(campaign=other, user=people["alice"])
    make_image(60, campaign=other)
    Image.objects.filter(campaign__slug="watches").exclude(name="photo-1.jpg").update(problem="gone")
    page = annotate()
    rate(page, "w", "5")
    expect(page.get_by_role("heading", name="Your part is done")).to_be_visible()
    expect(page.locator("#empty-note")).to_contain_text("You have rated 1 photo here.")
    expect(page.locator("#questions")).to_be_hidden()
    expect(page.get_by_role("link", name="Your work")).to_have_attribute("href", "/campaigns/watches/mine/")
    page.get_by_role("link", name="Rate in Clocks (1 left)").click()
    page.wait_for_url("**/campaigns/clocks/annotate/")

"""The annotate page with keyboard and touch, without a network, in two tabs, and after the session ended."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Assignment, Campaign, Image
from tests.browser.annotating import (
    DESKTOP,
    PATH,
    PHONE,
    current_answer,
    expect_no_leases,
    expect_saved,
    press,
    rate,
    shown_photo,
)
from tests.browser.page_clock import MINUTE, PageClock
from tests.conftest import photo_path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(24)]


def expect_answers_disabled(page: Page, *, can_skip: bool) -> None:
    """Expect that all answer buttons are disabled. The skip button is enabled if `can_skip`."""
    expect(page.locator("#questions button:disabled")).to_have_count(13)  # 3 for the watch, 10 scores
    expect(page.get_by_role("button", name="Skip")).to_be_enabled(enabled=can_skip)


def test_twenty_photos_rated_by_keyboard_are_twenty_rows(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    rated = []
    for number in range(20):
        expect(page.locator("#photo img")).to_be_visible()
        rated.append(rate(page, "w" if number % 2 else "n", str(number % 10)))
    expect_saved(page)
    expect(page.locator("#session")).to_contain_text("20 rated")
    rows = list(Annotation.objects.order_by("pk"))
    assert [row.image_id for row in rows] == rated
    assert [row.score for row in rows] == [number % 10 or 10 for number in range(20)]
    assert [row.watch for row in rows] == ["no", "yes"] * 10
    assert not any(row.surplus for row in rows)
    assert rows[0].milliseconds is not None
    assert rows[0].viewing["viewport"] == [1280, 900]
    assert rows[0].viewing["shown"] == [96, 64], "a small photo is not enlarged"
    assert rows[0].viewing["input"] == "keys"


def test_the_questions_have_no_fixed_order_and_answers_can_change_before_sending(
    annotate: Any, photos: list[Image]
) -> None:
    page = annotate()
    first = rate(page, "7", "m")
    shown_photo(page)  # answers count for a photo that is shown
    press(page, "w", "n")
    expect(page.get_by_role("button", name="No watch")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name=re.compile("^Watch"))).to_have_attribute("aria-pressed", "false")
    second = rate(page, "3")
    expect_saved(page)
    assert (current_answer(first).watch, current_answer(first).score) == ("unsure", 7)
    assert (current_answer(second).watch, current_answer(second).score) == ("no", 3)


def test_the_next_photo_is_shown_in_the_same_frame(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    rate(page, "w", "5")
    expect_saved(page)
    changed_at_once = page.evaluate(
        """() => {
            const before = document.querySelector("#photo img").src;
            for (const key of ["w", "5"])
                document.body.dispatchEvent(new KeyboardEvent("keydown", { key, code: "", bubbles: true }));
            const after = document.querySelector("#photo img");
            return after !== null && after.complete && after.src !== before;
        }"""
    )
    assert changed_at_once


def test_undo_goes_back_and_the_new_answer_replaces_the_old_one(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    first, second = rate(page, "w", "7"), rate(page, "w", "6")
    next_photo = shown_photo(page)
    press(page, "u", "u")
    assert shown_photo(page) == first
    expect(page.locator('[data-score="7"]')).to_have_attribute("aria-pressed", "true")
    rate(page, "2")
    expect_saved(page)
    assert shown_photo(page) == next_photo
    assert (current_answer(first).watch, current_answer(first).score) == ("yes", 2)
    assert current_answer(first).supersedes is not None
    assert current_answer(second).supersedes is None
    assert Annotation.objects.count() == 3


def test_undo_can_keep_the_earlier_answer(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    rate(page, "w", "7")
    next_photo = shown_photo(page)
    press(page, "Backspace")
    expect(page.locator("#previous")).to_contain_text("Earlier answer: watch, 7")
    press(page, "Enter")
    assert shown_photo(page) == next_photo
    expect_saved(page)
    assert Annotation.objects.count() == 1


def test_a_skip_needs_a_reason(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    press(page, " ")
    expect(page.get_by_role("dialog", name="Why skip this photo?")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press(page, " ")
    skipped = rate(page, "2")
    expect_saved(page)
    assert current_answer(skipped).skip_reason == "It does not load or is damaged"
    expect(page.locator('[aria-pressed="true"]')).to_have_count(0)


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_rating_continues_without_a_connection_and_answers_are_sent_later(
    annotate: Any, photos: list[Image], options: Any
) -> None:
    page = annotate(**options)
    rate(page, "w", "5")
    expect_saved(page)
    page.context.set_offline(True)
    rated = [rate(page, "n", "4") for _ in range(3)]
    expect(page.locator("#saved")).to_have_text("3 not sent yet")
    expect(page.get_by_role("alert")).to_contain_text("No connection: 3 ratings are kept in this browser")
    assert Annotation.objects.count() == 1
    page.context.set_offline(False)
    expect_saved(page)
    expect(page.get_by_role("alert")).to_be_hidden()
    assert [row.image_id for row in Annotation.objects.order_by("pk")[1:]] == rated


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_reload_keeps_unsent_answers(annotate: Any, photos: list[Image], options: Any) -> None:
    page = annotate(**options)
    page.route("**/annotations", lambda route: route.abort())
    rated = {rate(page, "n", "4"), rate(page, "n", "8")}
    expect(page.locator("#saved")).to_have_text("2 not sent yet")
    page.reload()
    expect(page.locator("#saved")).to_have_text("2 not sent yet")
    expect(page.locator("#photo img")).to_be_visible()
    assert shown_photo(page) not in rated
    page.unroute("**/annotations")
    expect_saved(page)
    assert set(Annotation.objects.values_list("image_id", flat=True)) == rated
    assert not Annotation.objects.exclude(supersedes=None).exists()


def test_an_answer_whose_response_was_lost_is_stored_once(annotate: Any, photos: list[Image]) -> None:
    page = annotate()

    def store_and_drop_the_response(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/annotations", store_and_drop_the_response, times=1)
    rate(page, "w", "9")
    expect(page.locator("#saved")).to_have_text("1 not sent yet")
    expect_saved(page)
    assert Annotation.objects.count() == 1


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_ratings_after_the_session_ended_are_kept_until_the_next_login(
    annotate: Any, photos: list[Image], log_in: Any, options: Any
) -> None:
    page = annotate(**options)
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    rate(page, "w", "9")
    expect(page.get_by_role("alert")).to_contain_text("Log in again: 1 rating is kept in this browser")
    expect(page.get_by_role("link", name="Log in")).to_have_attribute("href", f"/accounts/login/?next={PATH}")
    log_in(page.context, "bob")
    expect(page.get_by_role("alert")).to_contain_text("You are logged in as bob")
    assert Annotation.objects.count() == 0
    log_in(page.context, "alice")
    expect_saved(page)
    assert Annotation.objects.get().annotator.username == "alice"


def test_a_refused_answer_is_shown_until_it_is_discarded(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    Campaign.objects.update(scale_max=5, pending_at=5)
    rate(page, "w", "9")
    expect(page.get_by_role("alert")).to_contain_text("refused 1 rating: This score was given on the scale 1 to 10")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect_saved(page)


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_two_tabs_never_show_the_same_photo(annotate: Any, photos: list[Image], options: Any) -> None:
    first = annotate(**options)
    second = first.context.new_page()
    second.goto(first.url)
    expect(second.locator("#photo img")).to_be_visible()
    seen = []
    for _ in range(4):
        for tab in (first, second):
            expect(tab.locator("#photo img")).to_be_visible()
            seen.append(rate(tab, "w", "5"))
    expect_saved(first)
    expect_saved(second)
    assert len(set(seen)) == 8
    assert Annotation.objects.filter(supersedes=None).count() == 8


def test_leaving_the_page_returns_its_leases(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    rate(page, "w", "5")
    expect_saved(page)
    assert Assignment.objects.filter(state="leased").exists()
    page.goto("about:blank")
    expect_no_leases(page)  # the request may end after the page is gone


def test_leases_are_renewed_while_the_user_is_active_and_then_returned(annotate: Any, photos: list[Image]) -> None:
    page: Page = annotate()
    clock = PageClock(page)
    page.reload()
    expect(page.locator("#photo img")).to_be_visible()
    clock.wait_for_requests()
    expired_at = timezone.now()
    Assignment.objects.filter(state="leased").update(expires_at=expired_at)
    with page.expect_response("**/leases/renew"):
        clock.advance(101_000)
    assert not Assignment.objects.filter(state="leased", expires_at__lte=expired_at).exists()
    with page.expect_response("**/leases/return"):
        clock.advance(11 * MINUTE)
    expect(page.get_by_role("heading", name="Are you still there?")).to_be_visible()
    expect_no_leases(page)
    press(page, "w")
    expect(page.locator("#photo img")).to_be_visible()


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_empty_queue_shows_the_reason_and_can_be_tried_again(open_page: Any, make_image: Any, options: Any) -> None:
    page = open_page(PATH, "alice", **options)
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#empty")).to_contain_text("There are no photos yet")
    expect_answers_disabled(page, can_skip=False)
    expect(page.get_by_role("link", name="Back to campaign")).to_have_attribute("href", "/campaigns/watches/")
    make_image(1)
    expect(page.locator("#questions")).to_be_hidden()
    page.get_by_role("button", name="Check again").click()
    expect(page.locator("#photo img")).to_be_visible()
    expect(page.locator("#questions")).to_be_visible()
    expect(page.locator("#questions button:disabled, #skip-open:disabled")).to_have_count(0)
    rate(page, "w", "5")
    expect(page.locator("#empty")).to_contain_text("You have answered every photo that still needs votes")
    expect_answers_disabled(page, can_skip=False)
    Campaign.objects.update(state="paused")
    page.get_by_role("button", name="Check again").click()
    expect(page.locator("#empty")).to_contain_text("The campaign is paused")


def test_a_photo_that_does_not_load_has_a_message_and_can_be_skipped(
    annotate: Any, make_image: Any, open_page: Any
) -> None:
    photo_path(make_image(1)).write_bytes(b"no photo")
    page = open_page(PATH, "alice")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#empty")).to_contain_text("This photo could not be loaded")
    expect_answers_disabled(page, can_skip=True)
    press(page, "w", "5")
    press(page, " ", "2")
    expect(page.locator("#empty")).to_contain_text("You have answered every photo")
    expect_saved(page)
    assert Annotation.objects.get().skip_reason == "It does not load or is damaged"


def test_instructions_open_on_the_first_visit_and_after_a_change(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    page.reload()
    expect(page.locator("#photo img")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    press(page, "?")
    expect(page.get_by_role("dialog", name="What to do")).to_be_visible()
    expect(page.get_by_role("button", name="Begin")).to_have_count(0)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    Campaign.objects.update(instructions="Look at the hands first.")
    page.reload()
    expect(page.get_by_role("dialog", name="What to do")).to_contain_text("Look at the hands first.")
    expect(page.get_by_role("button", name="Begin")).to_be_focused()


def test_the_page_works_with_touch_only(annotate: Any, photos: list[Image]) -> None:
    page = annotate(**PHONE)
    assert page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == [844, 390]
    for button in page.locator("button:visible").all():
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 44, button.text_content()
    first = shown_photo(page)
    page.locator('[data-score="8"]').tap()
    page.get_by_role("button", name="No watch").tap()
    expect_saved(page)
    assert (current_answer(first).watch, current_answer(first).score) == ("no", 8)
    assert current_answer(first).viewing["input"] == "touch"
    page.get_by_role("button", name="Undo").tap()
    page.locator('[data-score="3"]').tap()
    expect_saved(page)
    assert current_answer(first).score == 3


def test_scores_of_a_long_scale_can_be_typed(annotate: Any, photos: list[Image]) -> None:
    Campaign.objects.update(scale_min=0, scale_max=100)
    page = annotate()
    press(page, "w", "8", "3")
    rated = rate(page, "Enter")
    expect_saved(page)
    assert current_answer(rated).score == 83

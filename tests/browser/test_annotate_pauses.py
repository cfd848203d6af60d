"""Breaks after half an hour of rating, and hints after an unsure answer with a top score."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Campaign, Image
from tests.browser.annotating import (
    DESKTOP,
    PHONE,
    current_answer,
    expect_no_leases,
    expect_saved,
    press,
    rate,
    shown_photo,
)
from tests.browser.page_clock import MINUTE, PageClock

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(24)]


class RatingSession:
    """The annotate page with a clock that the test sets."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clock = PageClock(page)
        self.reload()

    def reload(self) -> None:
        self.page.reload()
        expect(self.page.locator("#photo img")).to_be_visible()

    def rate_after(self, minutes: float) -> int:
        self.clock.advance(minutes * MINUTE)
        expect(self.page.locator("#photo img")).to_be_visible()
        return rate(self.page, "w", "5")


@pytest.fixture
def start_session(annotate: Callable[..., Page]) -> Callable[..., RatingSession]:
    return lambda **options: RatingSession(annotate(**options))


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_suggests_a_break_after_the_minutes_of_the_campaign(
    start_session: Any, photos: list[Image], options: Any
) -> None:
    Campaign.objects.update(break_minutes=10)
    session = start_session(**options)
    page = session.page
    for _ in range(3):
        session.rate_after(3)
    session.rate_after(4)
    expect(page.get_by_role("heading", name="Time for a break")).to_be_visible()
    expect(page.locator("#empty")).to_contain_text("You have rated 4 photos in 10 minutes.")
    expect_saved(page)
    expect_no_leases(page)
    assert Annotation.objects.count() == 4
    press(page, "w", "5", " ")  # during the break, these keys give no answer and open no skip dialog
    expect(page.locator("#photo img")).to_be_visible()  # the space key pressed the focused button
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert Annotation.objects.count() == 4
    session.rate_after(4)
    session.rate_after(4)
    expect(page.locator("#photo img")).to_be_visible()
    session.rate_after(4)
    session.rate_after(4)
    expect(page.get_by_role("heading", name="Time for a break")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#photo img")).to_be_visible()
    press(page, "u")
    expect(page.locator("#previous")).to_contain_text("Earlier answer: watch, 5")


def test_a_pause_counts_as_a_break_and_a_reload_does_not(start_session: Any, photos: list[Image]) -> None:
    Campaign.objects.update(break_minutes=10)
    session = start_session()
    page = session.page
    session.rate_after(0)
    session.rate_after(4)
    session.reload()
    session.rate_after(4)
    session.rate_after(6)
    expect(page.locator("#photo img")).to_be_visible()
    session.rate_after(4)
    session.rate_after(4)
    session.reload()
    session.rate_after(3)
    expect(page.locator("#empty")).to_contain_text("You have rated 4 photos in 11 minutes.")


def test_zero_minutes_turn_breaks_off(start_session: Any, photos: list[Image]) -> None:
    Campaign.objects.update(break_minutes=0)
    session = start_session()
    page = session.page
    for _ in range(8):
        session.rate_after(4.5)
    expect(page.locator("#photo img")).to_be_visible()


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_unsure_with_a_top_score_gets_a_hint_and_the_next_photo_is_shown(
    annotate: Any, photos: list[Image], options: Any
) -> None:
    page = annotate(**options)
    line, undo = page.locator("#previous"), page.get_by_role("button", name="Undo")
    rate(page, "m", "8")
    expect(line).to_contain_text("Last: unsure, 8")
    expect(line).not_to_contain_text("?")
    rate(page, "n", "9")  # a high score without a watch is not unusual
    expect(line).to_contain_text("Last: no watch, 9")
    expect(line).not_to_contain_text("?")
    first = rate(page, "m", "9")
    expect(line).to_contain_text("Unsure, score 9. Undo?")
    expect(page.locator("#announce-saved")).to_have_text("Saved")
    expect(page.locator("#announce")).to_contain_text("Unsure, score 9. Undo?")
    expect(page.locator("#photo img")).to_be_visible()
    undo.click()
    assert shown_photo(page) == first
    rate(page, "w")
    expect(line).to_contain_text("Last: watch, 9")
    expect(line).not_to_contain_text("?")
    rate(page, "m", "0")
    expect(line).to_contain_text("Unsure, score 10. Undo?")
    expect_saved(page)
    assert current_answer(first).watch == "yes"


def test_a_hint_that_was_ignored_three_times_is_not_shown_again(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    line = page.locator("#previous")
    for _ in range(3):
        rate(page, "m", "9")
        expect(line).to_contain_text("Unsure, score 9. Undo?")
    rate(page, "m", "9")
    expect(line).to_contain_text("Last: unsure, 9")
    expect(line).not_to_contain_text("?")


def test_the_hint_depends_on_the_scale(annotate: Any, photos: list[Image]) -> None:
    Campaign.objects.update(scale_min=0, scale_max=100)
    page = annotate()
    rate(page, "m", "8", "0", "Enter")
    expect(page.locator("#previous")).not_to_contain_text("?")
    rate(page, "m", "9", "0", "Enter")
    expect(page.locator("#previous")).to_contain_text("Unsure, score 90. Undo?")

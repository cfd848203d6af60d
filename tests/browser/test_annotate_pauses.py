"""Breaks after half an hour of rating, and hints after an unsure answer with a top score."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Campaign, Image
from tests.browser.annotating import DESK, PHONE, expect_nothing_leased, expect_saved, press, rate, shown, standing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MINUTE = 60_000  # milliseconds


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(24)]


class Sitting:
    """The page with a clock that the test sets; time passes only while no request is under way, else it would fail."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.under_way: set[Any] = set()
        page.on("request", lambda request: self.under_way.add(request))
        page.on("requestfinished", lambda request: self.under_way.discard(request))
        page.on("requestfailed", lambda request: self.under_way.discard(request))
        page.clock.install()
        self.reload()

    def reload(self) -> None:
        self.page.reload()
        self.under_way.clear()  # nobody hears how the last requests of the page before ended
        expect(self.page.locator("#photo img")).to_be_visible()

    def settle(self) -> None:
        while self.under_way:
            self.page.wait_for_timeout(10)  # requests end while Playwright's own loop runs

    def rate_after(self, minutes: float) -> int:
        self.settle()
        self.page.clock.fast_forward(int(minutes * MINUTE))
        expect(self.page.locator("#photo img")).to_be_visible()
        return rate(self.page, "w", "5")


@pytest.fixture
def sit_down(annotate: Callable[..., Page]) -> Callable[..., Sitting]:
    return lambda **options: Sitting(annotate(**options))


@pytest.mark.parametrize("options", [DESK, PHONE], ids=["desk", "phone"])
def test_after_the_campaigns_minutes_a_card_proposes_a_break(sit_down: Any, photos: list[Image], options: Any) -> None:
    Campaign.objects.update(break_minutes=10)
    sitting = sit_down(**options)
    page = sitting.page
    for _ in range(3):
        sitting.rate_after(3)
    sitting.rate_after(4)
    expect(page.get_by_role("heading", name="Time for a break")).to_be_visible()
    expect(page.locator("#empty")).to_contain_text("You have rated 4 photos in 10 minutes.")
    expect_saved(page)
    expect_nothing_leased(page)
    assert Annotation.objects.count() == 4
    press(page, "w", "5", " ")  # no answers, and no skip of a photo that is not there
    expect(page.locator("#photo img")).to_be_visible()  # Space pressed the button that has the focus
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert Annotation.objects.count() == 4
    sitting.rate_after(4)
    sitting.rate_after(4)
    expect(page.locator("#photo img")).to_be_visible()
    sitting.rate_after(4)
    sitting.rate_after(4)
    expect(page.get_by_role("heading", name="Time for a break")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#photo img")).to_be_visible()
    press(page, "u")
    expect(page.locator("#previous")).to_contain_text("Earlier answer: watch, 5")


def test_a_pause_of_ones_own_is_a_break_and_a_reload_is_none(sit_down: Any, photos: list[Image]) -> None:
    Campaign.objects.update(break_minutes=10)
    sitting = sit_down()
    page = sitting.page
    sitting.rate_after(0)
    sitting.rate_after(4)
    sitting.reload()
    sitting.rate_after(4)
    sitting.rate_after(6)
    expect(page.locator("#photo img")).to_be_visible()
    sitting.rate_after(4)
    sitting.rate_after(4)
    sitting.reload()
    sitting.rate_after(3)
    expect(page.locator("#empty")).to_contain_text("You have rated 4 photos in 11 minutes.")


def test_a_campaign_can_do_without_breaks(sit_down: Any, photos: list[Image]) -> None:
    Campaign.objects.update(break_minutes=0)
    sitting = sit_down()
    page = sitting.page
    for _ in range(8):
        sitting.rate_after(4.5)
    expect(page.locator("#photo img")).to_be_visible()


@pytest.mark.parametrize("options", [DESK, PHONE], ids=["desk", "phone"])
def test_unsure_with_a_top_score_gets_a_hint_and_the_next_photo_is_shown(
    annotate: Any, photos: list[Image], options: Any
) -> None:
    page = annotate(**options)
    line, undo = page.locator("#previous"), page.get_by_role("button", name="Undo")
    rate(page, "m", "8")
    expect(line).to_contain_text("Last: unsure, 8")
    expect(line).not_to_contain_text("?")
    rate(page, "n", "9")  # a good photo without a watch is nothing unusual
    expect(line).to_contain_text("Last: no watch, 9")
    expect(line).not_to_contain_text("?")
    first = rate(page, "m", "9")
    expect(line).to_contain_text("Unsure, score 9. Undo?")
    expect(page.locator("#announce-saved")).to_have_text("Saved")
    expect(page.locator("#announce")).to_contain_text("Unsure, score 9. Undo?")
    expect(page.locator("#photo img")).to_be_visible()
    undo.click()
    assert shown(page) == first
    rate(page, "w")
    expect(line).to_contain_text("Last: watch, 9")
    expect(line).not_to_contain_text("?")
    rate(page, "m", "0")
    expect(line).to_contain_text("Unsure, score 10. Undo?")
    expect_saved(page)
    assert standing(first).watch == "yes"


def test_a_hint_that_is_ignored_three_times_is_shown_no_more(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    line = page.locator("#previous")
    for _ in range(3):
        rate(page, "m", "9")
        expect(line).to_contain_text("Unsure, score 9. Undo?")
    rate(page, "m", "9")
    expect(line).to_contain_text("Last: unsure, 9")
    expect(line).not_to_contain_text("?")


def test_the_hint_follows_the_scale(annotate: Any, photos: list[Image]) -> None:
    Campaign.objects.update(scale_min=0, scale_max=100)
    page = annotate()
    rate(page, "m", "8", "0", "Enter")
    expect(page.locator("#previous")).not_to_contain_text("?")
    rate(page, "m", "9", "0", "Enter")
    expect(page.locator("#previous")).to_contain_text("Unsure, score 90. Undo?")

"""Calibration, gallery and overview in the browser: charts, live parts, and no console errors."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import PIL.Image
import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, Image
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import predictions_make, version_make, votes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CALIBRATION = "/campaigns/watches/calibration/"
GALLERY = "/campaigns/watches/photos/"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def images(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Any], rng: np.random.Generator
) -> list[Image]:
    """24 holdout photos with two votes each and predictions."""
    images = [make_image(seed, split="holdout") for seed in range(24)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    quality = np.linspace(2, 9, 24)
    watch = np.tile(["yes", "no"], 12)
    scores = np.rint(quality[:, None] + rng.normal(0, 1, (24, 2))).clip(1, 10)
    votes(images, [people["alice"], people["bob"]], scores, np.stack([watch] * 2, 1))
    predictions_make(version_make(campaign), images, quality, watch=np.where(watch == "yes", 0.8, 0.02))
    return images


@pytest.fixture
def open_checked(open_page: Callable[..., Any]) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page. The test fails if the console shows an error or a warning."""
    console_messages: list[str] = []

    def open_page_and_listen(path: str, name: str = "rita", **options: Any) -> Page:
        page: Page = open_page("/", name, **options)
        page.on(
            "console",
            lambda message: console_messages.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.goto(page.url.rstrip("/") + path)
        return page

    yield open_page_and_listen
    # The tests block service workers (`open_page`), and Playwright says so on every page.
    blocked = "Service Worker registration blocked by Playwright"
    assert [text for text in console_messages if text != blocked] == []


def wait_for_charts(page: Page) -> Page:
    """Wait until all charts are drawn, and return the page."""
    for name in ("scatter", "thresholds", "reliability"):
        expect(page.locator(f'[data-chart="{name}-data"][data-drawn="yes"]')).to_be_visible()
    return page


def point_of(page: Page, image: Image) -> tuple[float, float]:
    """Return the position of a photo's mark on the page, in pixels."""
    found: dict[str, float] = page.evaluate(
        """(id) => {
          for (const document of Bokeh.documents) for (const root of document.roots()) {
            const marks = root.renderers?.find((one) => one.data_source?.data?.image);
            if (!marks) continue;
            const row = Array.from(marks.data_source.data.image).indexOf(id);
            if (row < 0) continue;
            const view = Bokeh.index.get_one(root);
            const frame = view.frame, box = view.el.getBoundingClientRect();
            return {
              x: box.left + frame.x_scale.compute(marks.data_source.data.predicted[row]),
              y: box.top + frame.y_scale.compute(marks.data_source.data.mos[row]),
            };
          }
        }""",
        str(image.pk),
    )
    return found["x"], found["y"]


def test_charts_are_drawn_under_the_content_security_policy(open_checked: Any, images: list[Image]) -> None:
    page = wait_for_charts(open_checked(CALIBRATION))
    assert page.locator(".chart canvas").count() >= 3
    policy = page.request.get(page.url).headers["content-security-policy"]
    assert "script-src 'self';" in policy


def test_a_tooltip_shows_the_photo_and_a_click_opens_it(open_checked: Any, images: list[Image]) -> None:
    page = wait_for_charts(open_checked(CALIBRATION))
    page.locator("#scores").scroll_into_view_if_needed()
    page.mouse.move(*point_of(page, images[0]))
    tooltip = page.locator('img[width="180"]')
    expect(tooltip).to_be_visible()
    expect(tooltip).to_have_attribute("src", f"/photos/{images[0].pk}/thumbnail")
    expect(page.locator('div:has(> img[width="180"])')).to_contain_text(images[0].name)
    page.mouse.click(*point_of(page, images[0]))
    page.wait_for_url(f"**{GALLERY}{images[0].pk}/")


def test_a_change_of_theme_redraws_the_charts_in_its_colours(open_checked: Any, images: list[Image]) -> None:
    page = wait_for_charts(open_checked(CALIBRATION, color_scheme="light"))
    background = "() => Bokeh.documents.at(-1).roots()[0].background_fill_color"
    assert "#ffffff" in json.dumps(page.evaluate(background))
    page.get_by_role("button", name="Switch between light and dark").click()
    page.wait_for_function(f"() => JSON.stringify(({background})() ?? '').includes('#212121')")
    wait_for_charts(page)


def test_a_chart_is_downloaded_as_picture_and_as_table(open_checked: Any, images: list[Image]) -> None:
    page = wait_for_charts(open_checked(CALIBRATION))
    for place, name in (("#scores", "scatter"), ("#spread", "votes-and-predictions")):
        with page.expect_download() as pending:
            page.locator(place).get_by_role("button", name="Download as PNG").click()
        assert pending.value.suggested_filename == f"{name}.png"
        with PIL.Image.open(pending.value.path()) as picture:
            assert picture.width > 300
            assert picture.height > 200
            assert len(picture.convert("RGB").getcolors(1_000_000) or []) > 5
        with page.expect_download() as pending:
            page.locator(place).get_by_role("button", name="Download as CSV").click()
        lines = pending.value.path().read_text(encoding="utf-8-sig").splitlines()
        assert len(lines) == (25 if name == "scatter" else 11)
    assert lines[0] == "Score,Votes,People,Model"


def test_a_name_that_a_spreadsheet_would_run_is_guarded_in_the_download(open_checked: Any, images: list[Image]) -> None:
    Image.objects.filter(pk=images[0].pk).update(name="=1+1.jpg")
    page = wait_for_charts(open_checked(CALIBRATION))
    with page.expect_download() as pending:
        page.locator("#scores").get_by_role("button", name="Download as CSV").click()
    text = pending.value.path().read_text(encoding="utf-8-sig")
    assert text.startswith("photo,id,predicted,predicted_80_low,predicted_80_high,mos,mos_95_low,mos_95_high,votes")
    assert "\n'=1+1.jpg," in text


def test_the_cost_of_a_missed_watch_chooses_the_threshold_by_keyboard(open_checked: Any, images: list[Image]) -> None:
    # One watch is called 0.02, as all other photos are.
    images[0].predictions.update(watch_probability=0.02)
    page = wait_for_charts(open_checked(CALIBRATION))
    slider = page.get_by_label("How bad is a missed watch?")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-cost-question]")).to_have_text("One false alarm is as bad as 10 missed watches.")
    expect(page.locator("[data-cost-missed]")).to_have_text("1")
    expect(page.locator("[data-cost-alarms]")).to_have_text("0")
    page.keyboard.press("End")
    expect(page.locator("[data-cost-question]")).to_have_text("One missed watch is as bad as 100 false alarms.")
    expect(page.locator("[data-cost-missed]")).to_have_text("0")
    expect(page.locator("[data-cost-alarms]")).to_have_text("12")
    expect(page.locator("[data-cost-threshold]")).to_have_text("0–0.02")
    # The table for those without JavaScript says the same.
    expect(page.locator("[data-cost-table] tbody tr").last.locator("td").first).to_have_text("0–0.02")
    marked = page.evaluate(
        "() => Bokeh.documents.map((one) => one.get_model_by_name('cost-line')).find(Boolean).visible"
    )
    assert marked is True


def test_choosing_another_photo_updates_only_that_part(open_checked: Any, images: list[Image]) -> None:
    page = wait_for_charts(open_checked(CALIBRATION))
    link = page.locator(".picks a").nth(3)
    name = link.locator("img").get_attribute("alt") or ""
    link.click()
    expect(page.locator("#one-photo")).to_contain_text(name)
    expect(page.locator('[data-chart="scatter-data"][data-drawn="yes"]')).to_be_visible()


def test_scrolling_loads_more_of_the_gallery(
    open_checked: Any, images: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference.views import photos

    monkeypatch.setattr(photos, "PAGE_SIZE", 15)
    page = open_checked(f"{GALLERY}?order=best")
    tiles = page.locator(".photo-grid figure")
    expect(tiles.first).to_be_visible()
    page.mouse.wheel(0, 20_000)
    expect(tiles).to_have_count(24)
    tiles.first.click()
    expect(page.get_by_role("heading", name=images[-1].name)).to_be_visible()
    page.get_by_role("button", name="Next photo").click()
    expect(page.get_by_role("heading", name=images[-2].name)).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/campaigns/watches/", CALIBRATION, GALLERY, f"{GALLERY}FIRST/"])
def test_no_page_is_wider_than_a_phone(open_checked: Any, images: list[Image], path: str) -> None:
    page = open_checked(path.replace("FIRST", str(images[0].pk)), **PHONE)
    if path == CALIBRATION:
        wait_for_charts(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_charts_do_not_block_scrolling_by_touch(open_checked: Any, images: list[Image]) -> None:
    page = wait_for_charts(open_checked(CALIBRATION, **PHONE))
    canvas = page.locator(".chart canvas").first
    assert canvas.evaluate("(one) => getComputedStyle(one).touchAction") in ("auto", "pan-y", "manipulation")


def test_the_overview_is_updated_live(open_checked: Any, images: list[Image], campaign: Campaign) -> None:
    page = open_checked("/campaigns/watches/", "alice")
    expect(page.locator(".stat", has_text="photos complete").locator("strong")).to_have_text("0")
    campaign.images.filter(pk=images[0].pk).update(vote_count=9)
    expect(page.locator(".stat", has_text="photos complete").locator("strong")).to_have_text("1")


def test_an_ended_session_redirects_to_the_login(open_checked: Any, images: list[Image]) -> None:
    page = open_checked("/campaigns/watches/", "alice")
    expect(page.locator("#campaign-status")).to_be_visible()
    page.context.clear_cookies()
    page.wait_for_url("**/accounts/login/**")

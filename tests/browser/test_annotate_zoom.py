"""The zoom: at 100 % one pixel of the photo is one pixel of the screen, and the next photo is fitted again."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Image
from tests.browser.annotating import DESKTOP, PHONE, current_answer, expect_saved, press, rate, shown_photo
from tests.conftest import photo_bytes, photo_path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTH, HEIGHT = 2400, 1800
SCALED_DESKTOP = {**DESKTOP, "device_scale_factor": 1.5}


@pytest.fixture
def large_photos(make_image: Callable[..., Any]) -> list[Image]:
    photos = [make_image(seed, width=WIDTH, height=HEIGHT) for seed in range(3)]
    for seed, photo in enumerate(photos):
        photo_path(photo).write_bytes(photo_bytes(seed, width=WIDTH, height=HEIGHT))
    return photos


def box_of(page: Page) -> dict[str, float]:
    box = page.locator("#photo img").bounding_box()
    assert box
    return dict(box)


def is_zoomed(page: Page) -> bool:
    return page.get_by_role("button", name="Zoom to 100 %").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize(
    ("options", "ratio"), [(DESKTOP, 1), (SCALED_DESKTOP, 1.5), (PHONE, 2)], ids=["desktop", "scaled desktop", "phone"]
)
def test_one_pixel_of_the_photo_is_one_pixel_of_the_screen(
    annotate: Any, large_photos: list[Image], options: Any, ratio: float
) -> None:
    page = annotate(**options)
    stage = page.locator("#stage").bounding_box()
    fitted = box_of(page)
    assert fitted["width"] <= stage["width"]
    assert fitted["height"] <= stage["height"]
    assert fitted["width"] / fitted["height"] == pytest.approx(WIDTH / HEIGHT, rel=0.01)
    before = page.evaluate("performance.now()")
    press(page, "z")
    zoomed = box_of(page)
    assert (zoomed["width"], zoomed["height"]) == pytest.approx((WIDTH / ratio, HEIGHT / ratio), abs=0.1)
    assert (zoomed["x"] * ratio) % 1 == pytest.approx(0, abs=0.02), (
        "the photo must start at a whole pixel, or the browser interpolates it"
    )
    page.wait_for_timeout(60)  # the page records how long the photo is zoomed
    press(page, "z")
    assert box_of(page) == fitted
    longest = page.evaluate("performance.now()") - before
    first = rate(page, "w", "5")
    expect_saved(page)
    viewing = current_answer(first).viewing
    assert 60 <= viewing["zoomed"] <= longest + 1, "in milliseconds, rounded"
    assert viewing["pixel_ratio"] == ratio
    assert viewing["shown"] == pytest.approx([fitted["width"], fitted["height"]], abs=1)


def test_the_next_photo_is_not_zoomed(annotate: Any, large_photos: list[Image]) -> None:
    page = annotate()
    press(page, "z")
    assert is_zoomed(page)
    rate(page, "w", "5")
    expect(page.locator("#photo img")).to_be_visible()
    assert not is_zoomed(page)
    assert box_of(page)["width"] < 1280
    second = rate(page, "w", "5")
    press(page, "u", "z", "Escape")
    assert not is_zoomed(page)
    assert shown_photo(page) == second, "the first Escape must only end the zoom"
    press(page, "Escape")
    assert shown_photo(page) != second
    expect_saved(page)
    assert current_answer(second).viewing["zoomed"] == 0


def test_a_double_click_zooms_in_at_the_pointer(annotate: Any, large_photos: list[Image]) -> None:
    page = annotate()
    fitted = box_of(page)
    x, y = fitted["x"] + 0.25 * fitted["width"], fitted["y"] + 0.6 * fitted["height"]
    page.mouse.dblclick(x, y)
    zoomed = box_of(page)
    assert (x - zoomed["x"]) / zoomed["width"] == pytest.approx(0.25, abs=0.002)
    assert (y - zoomed["y"]) / zoomed["height"] == pytest.approx(0.6, abs=0.002)
    page.mouse.dblclick(x, y)
    assert box_of(page) == fitted
    page.mouse.move(x, y)
    press(page, "z")
    assert box_of(page) == zoomed, "Z must zoom in at the mouse pointer"


def test_drag_wheel_and_arrow_keys_pan_the_photo_up_to_its_edges(annotate: Any, large_photos: list[Image]) -> None:
    page = annotate()
    stage = page.locator("#stage").bounding_box()
    press(page, "z")
    start = box_of(page)
    page.mouse.move(600, 400)
    page.mouse.down()
    page.mouse.move(500, 430, steps=4)
    page.mouse.up()
    dragged = box_of(page)
    assert (dragged["x"] - start["x"], dragged["y"] - start["y"]) == (-100, 30)
    press(page, "ArrowLeft")
    assert box_of(page)["x"] == pytest.approx(dragged["x"] + stage["width"] / 10, abs=1)
    page.mouse.wheel(0, 50)
    page.wait_for_function(f"document.querySelector('#photo img').getBoundingClientRect().y === {dragged['y'] - 50}")
    press(page, *["ArrowDown"] * 12, *["ArrowRight"] * 12)
    corner = box_of(page)
    assert corner["x"] + corner["width"] == pytest.approx(stage["x"] + stage["width"], abs=1)
    assert corner["y"] + corner["height"] == pytest.approx(stage["y"] + stage["height"], abs=1)
    expect(page.locator('[aria-pressed="true"]')).to_have_count(1)  # the zoom button


@pytest.mark.parametrize(("options", "width"), [(DESKTOP, 96), (PHONE, 48)], ids=["desktop", "phone"])
def test_a_small_photo_is_never_enlarged_and_a_message_says_so(
    annotate: Any, make_image: Callable[..., Any], options: Any, width: int
) -> None:
    make_image(1)
    page = annotate(**options)
    assert box_of(page)["width"] == width
    press(page, "z")
    expect(page.locator("#note")).to_contain_text("This photo is already shown at 100 %")
    assert box_of(page)["width"] == width
    assert not is_zoomed(page)


def test_the_window_can_be_resized_during_the_zoom(annotate: Any, large_photos: list[Image]) -> None:
    page = annotate()
    press(page, "z")
    page.set_viewport_size({"width": 700, "height": 700})
    assert box_of(page)["width"] == WIDTH
    press(page, "z")
    assert box_of(page)["width"] <= 700


def test_plus_and_minus_go_through_200_and_400_percent_and_back(annotate: Any, large_photos: list[Image]) -> None:
    page = annotate()
    fitted = box_of(page)
    stage = page.locator("#stage").bounding_box()
    level = page.locator("#zoom-level")
    for percent in (100, 200, 400):
        press(page, "+")
        expect(level).to_have_text(f"{percent} %")
        zoomed = box_of(page)
        size = (WIDTH * percent / 100, HEIGHT * percent / 100)
        assert (zoomed["width"], zoomed["height"]) == pytest.approx(size, abs=0.1)
        # What was in the middle of the stage stays there.
        middle = stage["x"] + stage["width"] / 2
        assert (middle - zoomed["x"]) / zoomed["width"] == pytest.approx(0.5, abs=0.002)
    press(page, "+")
    expect(page.locator("#note")).to_have_text("400 % is the largest zoom")
    assert box_of(page) == zoomed
    for percent in (200, 100):
        press(page, "-")
        expect(level).to_have_text(f"{percent} %")
        assert box_of(page)["width"] == pytest.approx(WIDTH * percent / 100, abs=0.1)
    press(page, "-")
    expect(page.locator("#zoom-steps")).to_be_hidden()
    assert box_of(page) == fitted


def test_the_photo_is_panned_to_its_corner_at_400_percent(annotate: Any, large_photos: list[Image]) -> None:
    page = annotate()
    stage = page.locator("#stage").bounding_box()
    press(page, "+", "+", "+", *["ArrowDown"] * 60, *["ArrowRight"] * 60)
    corner = box_of(page)
    assert corner["x"] + corner["width"] == pytest.approx(stage["x"] + stage["width"], abs=1)
    assert corner["y"] + corner["height"] == pytest.approx(stage["y"] + stage["height"], abs=1)
    press(page, "z")
    assert box_of(page)["width"] <= stage["width"]


def test_the_buttons_on_the_photo_zoom_to_400_percent_on_a_phone(annotate: Any, large_photos: list[Image]) -> None:
    page = annotate(**PHONE)
    page.get_by_role("button", name="Zoom to 100 %").tap()
    plus = page.get_by_role("button", name="Zoom in")
    plus.tap()
    plus.tap()
    expect(page.locator("#zoom-level")).to_have_text("400 %")
    assert box_of(page)["width"] == pytest.approx(WIDTH * 4 / 2, abs=0.1), "the screen has two pixels for one of CSS"
    page.get_by_role("button", name="Fit").tap()
    assert not is_zoomed(page)

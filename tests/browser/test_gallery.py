"""The gallery in a browser: filter, scroll, open a photo, move by keys, return to the same position."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, Image
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import distortions_make, predictions_make, version_make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GALLERY = "/campaigns/watches/photos/"
PHOTOS = 24


@pytest.fixture
def images(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Any]) -> list[Image]:
    """Photos with rising predicted quality and falling blur."""
    images = [make_image(seed) for seed in range(PHOTOS)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    rising = [1 + 0.3 * seed for seed in range(PHOTOS)]
    predictions_make(version_make(campaign), images, rising, watch=[0.9, 0.01] * (PHOTOS // 2))
    distortions_make(images, quality=50.0, blur=[1 - seed / PHOTOS for seed in range(PHOTOS)])
    return images


def names(page: Page) -> list[str]:
    return page.locator(".photo-grid .name").all_inner_texts()


def test_a_reviewer_sorts_filters_scrolls_and_returns_to_the_same_position(
    open_page: Any, images: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference.views import photos

    monkeypatch.setattr(photos, "PAGE_SIZE", 8)
    page = open_page(GALLERY, "rita")
    page.get_by_label("Sort by").select_option("blur")
    page.wait_for_url(f"**{GALLERY}?order=blur")
    page.get_by_text("More filters").click()
    page.get_by_label("Blur at least").fill("0.5")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url(f"**{GALLERY}?order=blur&blur_from=0.5")
    tiles = page.locator(".photo-grid figure")
    expect(tiles.first).to_contain_text("blur 1.00")
    page.mouse.wheel(0, 20_000)
    expect(tiles).to_have_count(13)
    assert names(page) == [image.name for image in images[:13]]

    tiles.nth(10).click()
    expect(page.get_by_role("heading", name=images[10].name)).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name=images[11].name)).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name=images[10].name)).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(rf"\?order=blur&blur_from=0\.5&at={images[10].pk}#photo-{images[10].pk}$"))
    expect(page.locator(f"#photo-{images[10].pk}")).to_be_in_viewport()
    page.get_by_role("link", name="Earlier photos").click()
    expect(tiles).to_have_count(13)
    assert names(page) == [image.name for image in images[:13]]


def test_best_and_worst_keep_the_filter_and_link_to_the_photos(open_page: Any, images: list[Image]) -> None:
    page = open_page(f"{GALLERY}?watch=yes", "rita")
    page.get_by_role("link", name="20 best and 20 worst").click()
    best, worst = page.locator(".extremes section").all()
    expect(best.locator("figure")).to_have_count(12)
    expect(best.locator("figure").first).to_contain_text("watch 0.90")
    expect(best.locator(".name").first).to_have_text(images[22].name)
    expect(worst.locator(".name").first).to_have_text(images[0].name)
    page.get_by_role("link", name="remove filter").click()
    expect(best.locator("figure")).to_have_count(20)
    worst.locator("figure a").first.click()
    expect(page.get_by_role("heading", name=images[0].name)).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name=images[1].name)).to_be_visible()


def test_arrow_keys_move_between_photos_in_the_grid(open_page: Any, images: list[Image]) -> None:
    page = open_page(f"{GALLERY}?order=worst", "rita")
    page.locator(".photo-grid figure a").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"#photo-{images[1].pk}")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator(f"#photo-{images[1].pk}")).to_be_focused()


def test_an_empty_gallery_offers_to_remove_a_filter(open_page: Any, images: list[Image]) -> None:
    page = open_page(f"{GALLERY}?order=best&quality_from=9.9", "rita")
    page.get_by_role("link", name="quality ≥ 9.9", exact=True).click()
    expect(page.locator(".photo-grid figure")).to_have_count(PHOTOS)
    assert page.url.endswith("?order=best")


@pytest.mark.parametrize("address", [f"{GALLERY}?order=blur", f"{GALLERY}extremes/"])
def test_the_gallery_fits_a_phone(open_page: Any, images: list[Image], address: str) -> None:
    page = open_page(address, "rita", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

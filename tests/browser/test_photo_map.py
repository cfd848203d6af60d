"""The map of the photos in a browser: points, hover, a lasso that becomes a filter, clusters; and axe on all pages."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, Image, PhotoMap
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import predictions_make, version_make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GALLERY = "/campaigns/watches/photos/"
PHOTOS = 24
FINGERPRINT = "f" * 64


@pytest.fixture
def images(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> list[Image]:
    """Twelve photos on the left of a stored map and twelve on the right."""
    from inference.services import photo_map

    images = [make_image(seed) for seed in range(PHOTOS)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    predictions_make(version_make(campaign), images, [1 + 0.3 * seed for seed in range(PHOTOS)])
    x = np.where(np.arange(PHOTOS) < 12, 10_000, 55_000)
    y = 5_000 + 5_000 * (np.arange(PHOTOS) % 12)
    # The photos have no features, so the page would take this map for an old one.
    monkeypatch.setattr(photo_map, "_fingerprint", lambda features: (FINGERPRINT, PHOTOS))
    PhotoMap.objects.create(
        campaign=campaign,
        fingerprint=FINGERPRINT,
        photos=PHOTOS,
        image_ids=np.array([image.pk for image in images], "<i8").tobytes(),
        places=np.stack([x, y], 1).astype("<u2").tobytes(),
        clusters=(np.arange(PHOTOS) >= 12).astype("u1").tobytes(),
        made_at="2026-11-01T12:00Z",
    )
    return images


def canvas_box(page: Page) -> dict[str, float]:
    """Return the box of the map when it is drawn."""
    expect(page.locator("[data-map]")).to_have_attribute("data-drawn", str(PHOTOS))
    page.locator("[data-map]").scroll_into_view_if_needed()
    box: dict[str, float] = page.locator("[data-map]").bounding_box()  # type: ignore[assignment]
    return box


def test_a_lasso_becomes_a_filter_of_the_grid(open_page: Any, images: list[Image]) -> None:
    page = open_page(f"{GALLERY}map/", "rita")
    box = canvas_box(page)
    left, right = box["x"] + 20, box["x"] + box["width"] / 2
    top, bottom = box["y"] + 5, box["y"] + box["height"] - 5
    page.get_by_role("button", name="Lasso").click()
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in [(right, top), (right, bottom), (left, bottom)]:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()
    expect(page.locator("[data-map-count]")).to_have_text("12 photos in the lasso")
    page.get_by_role("button", name="Show in the grid").first.click()
    page.wait_for_url("**selection=**")
    expect(page.locator(".tile")).to_have_count(12)
    assert set(page.locator(".tile .name").all_inner_texts()) == {image.name for image in images[:12]}
    page.get_by_role("navigation", name="Campaign").get_by_role("link", name="Map").click()
    expect(page.locator("[data-map-message]")).to_contain_text("12 of 24 photos match the filters")


def test_hover_shows_the_photo_and_a_click_opens_it(open_page: Any, images: list[Image]) -> None:
    page = open_page(f"{GALLERY}map/", "rita")
    box = canvas_box(page)
    scale = min(box["width"], box["height"]) / (65_536 * 1.06)
    x = box["x"] + box["width"] / 2 + (10_000 - 32_768) * scale
    y = box["y"] + box["height"] / 2 + (5_000 - 32_768) * scale
    page.mouse.move(x, y)
    expect(page.locator("[data-map-card] img")).to_have_attribute("src", f"/photos/{images[0].pk}/thumbnail")
    expect(page.locator("[data-map-facts]")).to_contain_text("○ 1.0 ± 1.0")
    page.mouse.click(x, y)
    page.wait_for_url(f"**{GALLERY}{images[0].pk}/")


def test_the_map_works_by_keyboard_and_clusters_lead_to_the_grid(open_page: Any, images: list[Image]) -> None:
    page = open_page(f"{GALLERY}map/", "rita")
    canvas_box(page)
    page.locator("[data-map]").focus()
    for _ in range(6):
        page.keyboard.press("+")
    expect(page.locator("[data-map]")).to_have_attribute("data-drawn", "0")
    page.keyboard.press("0")
    expect(page.locator("[data-map]")).to_have_attribute("data-drawn", str(PHOTOS))
    page.get_by_label("Colour by").select_option("class")
    expect(page.locator("[data-map-legend]")).to_contain_text("rejected")
    page.get_by_role("button", name="Show cluster 2 in the grid").click()
    page.wait_for_url("**selection=**")
    assert set(page.locator(".tile .name").all_inner_texts()) == {image.name for image in images[12:]}


def test_a_change_of_theme_draws_the_map_in_its_colours(open_page: Any, images: list[Image]) -> None:
    page = open_page(f"{GALLERY}map/", "rita", color_scheme="light")
    canvas_box(page)
    ramp = "document.querySelector('.ramp').style.background"
    before = page.evaluate(ramp)
    page.get_by_role("button", name="Switch between light and dark").click()
    page.wait_for_function(f"() => {ramp} !== {before!r}")

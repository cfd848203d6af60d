"""The gallery in a browser: filters at once, scrolling, the viewer, many photos at once, and the way back."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import BulkAction, Campaign, Image, PhotoTag, SavedView
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import distortions_make, predictions_make, version_make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GALLERY = "/campaigns/watches/photos/"
PHOTOS = 24
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


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


@pytest.fixture
def pages_of_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    from inference.views import photos

    monkeypatch.setattr(photos, "PAGE_SIZE", 8)


def names(page: Page) -> list[str]:
    return page.locator(".photo-grid .name").all_inner_texts()


def viewer_name(page: Page, image: Image) -> None:
    expect(page.locator("#lightbox-name")).to_have_text(image.name)


def test_filters_apply_at_once_and_the_back_button_undoes_them(open_page: Any, images: list[Image]) -> None:
    page = open_page(GALLERY, "rita")
    expect(page.locator("#gallery-total")).to_have_text("24 photos")
    expect(page.locator("#count-watch-yes")).to_have_text("12")
    page.get_by_label("Sort by").select_option("blur")
    page.wait_for_url(f"**{GALLERY}?order=blur")
    page.get_by_text("More filters").click()
    page.get_by_label("Blur at least").fill("0.5")
    page.get_by_label("Blur at least").press("Tab")
    page.wait_for_url(f"**{GALLERY}?order=blur&blur_from=0.5")
    expect(page.locator("#gallery-total")).to_have_text("13 photos")
    expect(page.locator(".tile").first).to_contain_text("blur 1.00")
    page.get_by_label("watch, above").check()
    page.wait_for_url("**watch=yes**")
    expect(page.locator("#gallery-total")).to_have_text("7 photos")
    expect(page.get_by_label("watch, above")).to_be_focused()
    page.go_back()
    expect(page.locator("#gallery-total")).to_have_text("13 photos")
    expect(page.get_by_label("watch, above")).not_to_be_checked()
    page.get_by_role("link", name="blur ≥ 0.5").click()
    expect(page.locator("#gallery-total")).to_have_text("24 photos")
    expect(page.get_by_label("Blur at least")).to_have_value("")


def test_the_viewer_goes_on_across_pages_and_returns_to_the_photo(
    open_page: Any, images: list[Image], pages_of_eight: None
) -> None:
    page = open_page(f"{GALLERY}?order=worst", "rita")
    page.locator(".tile figure > a").nth(6).click()
    viewer_name(page, images[6])
    for place in range(7, 18):
        page.keyboard.press("ArrowRight")
        viewer_name(page, images[place])
    page.keyboard.press("i")
    expect(page.locator("[data-lightbox-panel]")).to_contain_text("6.10 ± 1.00")
    page.keyboard.press("z")
    expect(page.locator("[data-lightbox-stage]")).to_have_attribute("data-zoomed", "")
    page.keyboard.press("z")
    page.keyboard.press("ArrowLeft")
    viewer_name(page, images[16])
    page.keyboard.press("Escape")
    expect(page.locator("#lightbox")).to_be_hidden()
    expect(page.locator(f"#photo-{images[16].pk}")).to_be_focused()
    expect(page.locator(f"#photo-{images[16].pk}")).to_be_in_viewport()
    assert names(page)[:17] == [image.name for image in images[:17]], "every photo once, in order"


def test_the_viewer_says_which_photo_of_how_many_it_shows(
    open_page: Any, images: list[Image], pages_of_eight: None
) -> None:
    page = open_page(f"{GALLERY}?order=worst", "rita")
    place = page.locator("[data-lightbox-place]")
    page.locator(".tile figure > a").nth(6).click()
    expect(place).to_have_text("7 of 24")
    expect(page.locator("[aria-live]", has=place)).to_have_text(f"{images[6].name}7 of 24")
    for seed in range(7, 10):
        page.keyboard.press("ArrowRight")
        viewer_name(page, images[seed])
    expect(place).to_have_text("10 of 24")
    # A page that begins in the middle does not know how many photos come before it until it has loaded them.
    page.goto(page.url.split("?")[0] + f"?order=worst&at={images[12].pk}")
    page.locator(f"#photo-{images[12].pk}").click()
    viewer_name(page, images[12])
    expect(place).to_be_hidden()
    for seed in range(11, 2, -1):
        page.keyboard.press("ArrowLeft")
        viewer_name(page, images[seed])
    expect(place).to_have_text("4 of 24")


def test_the_viewer_says_where_the_photos_end_and_opens_the_page(open_page: Any, images: list[Image]) -> None:
    page = open_page(f"{GALLERY}?order=worst&watch=yes", "rita")
    page.locator(".tile figure > a").first.click()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-lightbox-note]")).to_have_text("This is the first photo.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=images[0].name)).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name=images[2].name)).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("z")
    expect(page.locator("[data-stage]")).to_have_attribute("data-zoomed", "")
    page.keyboard.press("Escape")
    expect(page.locator("[data-stage]")).not_to_have_attribute("data-zoomed", "")
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(rf"\?order=worst&watch=yes&at={images[2].pk}#photo-{images[2].pk}$"))
    expect(page.locator(f"#photo-{images[2].pk}")).to_be_in_viewport()


def test_a_range_is_tagged_and_the_tag_is_undone(open_page: Any, images: list[Image]) -> None:
    page = open_page(f"{GALLERY}?order=worst", "rita")
    boxes = page.locator("[data-select]")
    boxes.nth(2).check(force=True)
    boxes.nth(5).click(modifiers=["Shift"], force=True)
    expect(page.locator("[data-selected]")).to_have_text("4")
    page.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_label("Tag", exact=True).last.fill("to discuss")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#bulk-status")).to_contain_text("4 photos changed")
    assert set(PhotoTag.objects.values_list("image_id", flat=True)) == {image.pk for image in images[2:6]}
    expect(page.locator("[data-bulk]")).to_be_hidden()
    page.goto(page.url + "&tag=to+discuss")
    assert names(page) == [image.name for image in images[2:6]]
    page.locator(".tile figure > a").first.click()
    page.get_by_role("button", name="Facts").click()
    expect(page.get_by_role("button", name="Remove the tag to discuss")).to_be_visible()
    page.keyboard.press("Escape")
    page.goto(page.url.split("?")[0] + "bulk/")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("undone", exact=True)).to_be_visible()
    assert not PhotoTag.objects.exists()


def test_all_that_match_are_withdrawn_except_one_and_come_back(
    open_page: Any, images: list[Image], pages_of_eight: None
) -> None:
    page = open_page(f"{GALLERY}?order=worst&watch=yes", "rita")
    page.locator(".tile figure > a").first.focus()
    page.keyboard.press("x")
    page.get_by_role("button", name="Select all 12 that match").click()
    expect(page.locator("[data-selected]")).to_have_text("12")
    page.keyboard.press("Escape")
    expect(page.locator("[data-bulk]")).to_be_hidden()
    page.locator(".tile figure > a").first.focus()
    page.keyboard.press("x")
    page.get_by_role("button", name="Select all 12 that match").click()
    page.locator("[data-select]").first.uncheck(force=True)
    page.get_by_role("button", name="Withdraw", exact=True).first.click()
    page.get_by_label("Reason").fill("a test")
    page.locator("#bulk-withdraw").get_by_role("button", name="Withdraw").click()
    expect(page.locator("#bulk-status")).to_contain_text("11 photos changed")
    assert Image.objects.filter(withdrawn_at=None).count() == PHOTOS - 11
    expect(page.locator(".tile")).to_have_count(1)
    page.locator("#bulk-status").get_by_role("button", name="Undo").click()
    expect(page.locator("#bulk-status")).to_contain_text("Put back")
    assert Image.objects.filter(withdrawn_at=None).count() == PHOTOS
    assert BulkAction.objects.count() == 2
    expect(page.locator("#gallery-total")).to_have_text("12 photos")


def test_a_selection_is_shown_alone_and_downloaded(open_page: Any, images: list[Image]) -> None:
    page = open_page(GALLERY, "rita")
    for place in (1, 3):
        page.locator("[data-select]").nth(place).check(force=True)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert len(download.value.path().read_text().splitlines()) == 3
    page.get_by_role("button", name="Export").click()
    page.get_by_role("button", name="Show only these").click()
    page.wait_for_url("**selection=**")
    expect(page.locator(".tile")).to_have_count(2)


def test_a_view_is_saved_opened_and_deleted(open_page: Any, images: list[Image]) -> None:
    page = open_page(f"{GALLERY}?order=worst", "rita")
    page.get_by_label("no watch").check()
    page.wait_for_url("**watch=no")
    page.get_by_text("Views", exact=True).click()
    page.get_by_label("Name of this view").fill("Without a watch")
    page.get_by_role("button", name="Save this view").click()
    expect(page.get_by_text("Saved as “Without a watch”")).to_be_visible()
    assert SavedView.objects.get().query == "order=worst&watch=no"
    page.goto(page.url.split("?")[0])
    page.get_by_text("Views", exact=True).click()
    page.get_by_role("link", name="Without a watch").click()
    page.wait_for_url(f"**{GALLERY}?order=worst&watch=no")
    expect(page.locator(".tile")).to_have_count(12)
    page.get_by_text("Views", exact=True).click()
    page.get_by_role("button", name="Delete the view Without a watch").click()
    expect(page.get_by_text("The view was deleted")).to_be_visible()


def test_the_size_of_the_tiles_is_kept(open_page: Any, images: list[Image]) -> None:
    page = open_page(GALLERY, "rita")
    width = "document.querySelector('.tile img').getBoundingClientRect().width"
    medium = page.evaluate(width)
    page.get_by_role("button", name="Small photos").click()
    small = page.evaluate(width)
    assert small < medium
    page.reload()
    assert page.evaluate(width) == small
    page.get_by_role("button", name="Large photos").click()
    assert page.evaluate(width) > medium


def test_best_and_worst_keep_the_filter_and_link_to_the_photos(open_page: Any, images: list[Image]) -> None:
    page = open_page(f"{GALLERY}?watch=yes", "rita")
    page.get_by_role("link", name="Best and worst").first.click()
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


@pytest.mark.parametrize("address", [f"{GALLERY}?order=blur", f"{GALLERY}extremes/", f"{GALLERY}map/"])
def test_the_gallery_fits_a_phone(open_page: Any, images: list[Image], address: str) -> None:
    page = open_page(address, "rita", **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_phone_the_filters_open_over_the_photos_and_photos_come_early(open_page: Any, images: list[Image]) -> None:
    page = open_page(GALLERY, "rita", **PHONE)
    head = page.locator(".tile").first.bounding_box()["y"] - page.locator("#main").bounding_box()["y"]
    assert head < 0.25 * 844, "tabs, sorting and filters take less than a quarter of the screen"
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("no watch").check()
    page.wait_for_url("**watch=no")
    page.get_by_role("button", name="Close the filters").click()
    expect(page.locator(".tile")).to_have_count(12)
    page.locator(".tile figure > a").first.tap()
    page.get_by_role("button", name="Next photo").tap()
    expect(page.locator("#lightbox-name")).to_have_text(images[21].name)
    page.get_by_role("button", name="Close", exact=True).tap()
    expect(page.locator("#lightbox")).to_be_hidden()

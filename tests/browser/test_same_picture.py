"""Models get what people see: the picture that Chromium shows, in every format that is taken."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from playwright.sync_api import expect

from annotation.photos.decoding import PhotoRejected, photo_inspect, photo_open
from tests.annotation.bad_files import encoded, scene
from tests.annotation.photos import colour_code_files, colour_files, shape_files
from tests.browser.annotating import PATH
from tests.browser.shown_pictures import largest_difference, shown_by
from tests.conftest import photo_path

pytestmark = pytest.mark.browser

BOUND = 3.0
"""Grey levels that the mean of a block of 8 × 8 pixels may differ by."""
GROUPS: dict[str, Callable[[], dict[str, bytes]]] = {
    "profiles": colour_files.profile_files,
    "PNG chunks": colour_code_files.png_chunk_files,
    "colour codes": colour_code_files.code_files,
    "transparency": colour_files.transparent_files,
    "orientation": shape_files.orientation_files,
    "JPEG": shape_files.jpeg_files,
    "PNG": shape_files.png_files,
    "BMP": shape_files.bmp_files,
    "GIF": shape_files.gif_files,
    "WebP and AVIF": shape_files.webp_avif_files,
}


def ours(data: bytes) -> NDArray[np.uint8] | None:
    try:
        return np.asarray(photo_open(io.BytesIO(data)))
    except PhotoRejected:
        return None


@pytest.mark.parametrize("group", GROUPS)
def test_models_get_what_chromium_shows(browser: Any, group: str) -> None:
    files = GROUPS[group]()
    shown = shown_by(browser, files)
    wrong = {}
    taken = 0
    for name, data in files.items():
        there, here = shown[name], ours(data)
        if here is None:
            continue  # what is refused, nobody rates
        taken += 1
        if there is None:
            wrong[name] = "taken, but Chromium does not show it"
        elif (difference := largest_difference(here, there)) > BOUND:
            wrong[name] = f"{difference:.1f} levels, {here.shape} for the models and {there.shape} in Chromium"
    assert not wrong
    assert taken >= 0.6 * len(files)


def test_thumbnails_show_the_same_colours_and_lie_the_same_way(browser: Any) -> None:
    files = {**colour_files.profile_files(), **colour_files.transparent_files(), **shape_files.orientation_files()}
    taken = {name: data for name, data in files.items() if ours(data) is not None}
    shown = shown_by(browser, taken)
    thumbnails = shown_by(browser, {f"{name}.webp": photo_inspect(data).thumbnail for name, data in taken.items()})
    wrong = {}
    for name, picture in shown.items():
        thumbnail = thumbnails[f"{name}.webp"]
        assert picture is not None
        assert thumbnail is not None
        # A thumbnail is compressed, so its blocks are larger here and the bound is wider.
        means = [
            PillowImage.fromarray(pixels).resize((6, 4), PillowImage.Resampling.BOX) for pixels in (picture, thumbnail)
        ]
        difference = np.abs(np.asarray(means[0], float) - np.asarray(means[1], float)).max()
        if picture.shape != thumbnail.shape or difference > 2 * BOUND:
            wrong[name] = difference
    assert not wrong


@pytest.mark.parametrize("profile", ["p3", "adobe", "prophoto", "linear", "swapped", "lut", "three-curves"])
def test_a_photo_that_is_reduced_while_it_is_decoded_has_the_same_colours(browser: Any, profile: str) -> None:
    sharp = scene(11, 1600, 1200)
    data = encoded(sharp, "JPEG", quality=95, icc_profile=colour_files.matrix_profiles()[profile])
    shown = shown_by(browser, {"large.jpg": data})["large.jpg"]
    assert shown is not None
    for side in (140, 280, 560):
        reduced = photo_open(io.BytesIO(data), at_least=side).resize((200, 150), PillowImage.Resampling.BOX)
        there = PillowImage.fromarray(shown).resize((200, 150), PillowImage.Resampling.BOX)
        assert largest_difference(np.asarray(reduced), np.asarray(there)) <= BOUND


def middle(picture: bytes) -> NDArray[np.uint8]:
    """Return the pixels of a screenshot without its outermost ones, which lie between photo and surround."""
    return np.asarray(PillowImage.open(io.BytesIO(picture)).convert("RGB"))[4:-40, 4:-4]


@pytest.mark.parametrize("alpha", [0, 100])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.django_db(transaction=True)
def test_pages_put_the_ground_of_the_models_behind_a_transparent_photo(
    annotate: Callable[..., Any],
    open_page: Callable[..., Any],
    make_image: Callable[..., Any],
    scheme: str,
    alpha: int,
) -> None:
    data = encoded(PillowImage.new("RGBA", (320, 240), (200, 30, 60, alpha)), "PNG")
    image = make_image(0, suffix=".png", width=320, height=240)
    example = make_image(1, suffix=".png", width=320, height=240, role="example", expected_score=9)
    for photo in (image, example):
        photo_path(photo).parent.mkdir(parents=True, exist_ok=True)
        photo_path(photo).write_bytes(data)
    models = np.asarray(photo_open(photo_path(image)))[0, 0].astype(int)
    for page, place in (
        (annotate(color_scheme=scheme), "#photo img"),
        (open_page(PATH, "alice", color_scheme=scheme), ".examples img"),
        (open_page(f"/campaigns/watches/photos/{image.pk}/", "rita", color_scheme=scheme), ".photo-stage img"),
    ):
        shown = page.locator(place)
        shown.scroll_into_view_if_needed()
        expect(shown).to_have_js_property("complete", True)
        expect(shown).to_have_js_property("naturalWidth", 320)
        taken = middle(shown.screenshot(animations="disabled"))
        assert np.abs(taken - models).max() <= 1, place

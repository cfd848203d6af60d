"""The annotate page on touch screens: swipes that can be cancelled, double taps, and the size of buttons."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Campaign, Image
from tests.browser.annotating import PHONE, current_answer, expect_photo_gone, expect_saved, shown_photo
from tests.conftest import photo_bytes, photo_path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE_LANDSCAPE = {**PHONE, "viewport": {"width": 844, "height": 390}}
MIDDLE = (195.0, 300.0)


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    photos = [make_image(seed, width=1200, height=900) for seed in range(5)]
    for seed, photo in enumerate(photos):
        photo_path(photo).write_bytes(photo_bytes(seed, width=1200, height=900))
    return photos


class Fingers:
    """Sends touch events to the page, as a touch screen does."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": touches})

    def drag(self, *path: tuple[float, float]) -> None:
        """Put one finger down and move it along the path, without lifting it."""
        self.touch("Start", path[0])
        for (x, y), (to_x, to_y) in pairwise(path):
            for step in range(1, 6):
                self.touch("Move", (x + (to_x - x) * step / 5, y + (to_y - y) * step / 5))

    def lift(self) -> None:
        self.touch("End")

    def double_tap(self, point: tuple[float, float]) -> None:
        for _ in range(2):
            self.touch("Start", point)
            self.lift()


def right_of(point: tuple[float, float], pixels: float) -> tuple[float, float]:
    return point[0] + pixels, point[1]


@pytest.mark.parametrize(("pixels", "watch", "words"), [(130, "yes", "Watch"), (-130, "no", "No watch")])
def test_a_swipe_shows_its_answer_and_gives_it_on_release(
    annotate: Any, photos: list[Image], pixels: int, watch: str, words: str
) -> None:
    page = annotate(**PHONE)
    fingers, first = Fingers(page), shown_photo(page)
    expect(page.locator("#previous")).to_contain_text("Swipe right for watch, left for no watch, up to skip")
    fingers.drag(MIDDLE, right_of(MIDDLE, pixels))
    expect(page.locator("#swipe")).to_contain_text("Release to answer · move back to cancel")
    expect(page.locator("#swipe")).to_have_attribute("data-chosen", "right" if pixels > 0 else "left")
    expect(page.locator(f'[data-watch="{watch}"]')).to_have_attribute("aria-pressed", "false")
    fingers.lift()
    expect(page.locator("#swipe")).to_be_hidden()
    expect(page.get_by_role("button", name=words, exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="7", exact=True).tap()
    expect_photo_gone(page, first)
    second = shown_photo(page)
    page.get_by_role("button", name="4", exact=True).tap()
    fingers.drag(MIDDLE, right_of(MIDDLE, pixels))
    fingers.lift()
    expect_photo_gone(page, second)
    expect_saved(page)
    assert (current_answer(first).watch, current_answer(first).score) == (watch, 7)
    assert current_answer(first).viewing["inputs"] == {"watch": "swipe", "score": "touch"}
    assert current_answer(second).viewing["input"] == "swipe"


@pytest.mark.parametrize(
    "path",
    [
        [MIDDLE, right_of(MIDDLE, 130), right_of(MIDDLE, 20)],
        [MIDDLE, right_of(MIDDLE, 60)],
        [MIDDLE, (MIDDLE[0], MIDDLE[1] + 150)],
        [(8, 300), (200, 300)],
    ],
    ids=["moved back", "too short", "downwards", "from the edge, which the system uses"],
)
def test_a_swipe_that_is_cancelled_or_too_short_does_nothing(annotate: Any, photos: list[Image], path: Any) -> None:
    page = annotate(**PHONE)
    fingers = Fingers(page)
    fingers.drag(*path)
    fingers.lift()
    expect(page.locator("#swipe")).to_be_hidden()
    expect(page.locator('[aria-pressed="true"]')).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_second_finger_cancels_the_swipe(annotate: Any, photos: list[Image]) -> None:
    page = annotate(**PHONE)
    fingers = Fingers(page)
    fingers.drag(MIDDLE, right_of(MIDDLE, 130))
    fingers.touch("Start", right_of(MIDDLE, 130), (150, 350))
    expect(page.locator("#swipe")).to_be_hidden()
    fingers.lift()
    expect(page.locator('[aria-pressed="true"]')).to_have_count(0)


def test_a_swipe_up_only_opens_the_skip_dialog(annotate: Any, photos: list[Image]) -> None:
    page = annotate(**PHONE)
    fingers, first = Fingers(page), shown_photo(page)
    fingers.drag(MIDDLE, (MIDDLE[0] + 10, MIDDLE[1] - 140))
    expect(page.locator("#swipe")).to_have_attribute("data-chosen", "up")
    fingers.lift()
    expect(page.get_by_role("dialog", name="Why skip this photo?")).to_be_visible()
    page.get_by_role("button", name="Cancel").tap()
    assert shown_photo(page) == first
    assert Annotation.objects.count() == 0


def test_the_photo_does_not_move_for_users_who_prefer_reduced_motion(annotate: Any, photos: list[Image]) -> None:
    page = annotate(**PHONE, reduced_motion="reduce")
    before = page.locator("#photo img").bounding_box()
    fingers = Fingers(page)
    fingers.drag(MIDDLE, right_of(MIDDLE, 130))
    expect(page.locator("#swipe")).to_be_visible()
    assert page.locator("#photo img").bounding_box() == before
    fingers.touch("Cancel")
    expect(page.locator("#swipe")).to_be_hidden()


def test_a_double_tap_or_a_pinch_zooms_the_photo_and_not_the_page(annotate: Any, photos: list[Image]) -> None:
    page = annotate(**PHONE)
    fingers, zoom = Fingers(page), page.get_by_role("button", name="Zoom to 100 %")
    fingers.double_tap(MIDDLE)
    expect(zoom).to_have_attribute("aria-pressed", "true")
    before = page.locator("#photo img").bounding_box()
    fingers.drag(MIDDLE, right_of(MIDDLE, -60))
    fingers.lift()
    expect(page.locator("#swipe")).to_be_hidden()
    assert page.locator("#photo img").bounding_box()["x"] == before["x"] - 60, "a drag must move the zoomed photo"
    expect(page.locator('[data-watch="no"]')).to_have_attribute("aria-pressed", "false")
    fingers.double_tap(MIDDLE)
    expect(zoom).to_have_attribute("aria-pressed", "false")
    for spread, pressed in [(100, "true"), (20, "false")]:
        fingers.touch("Start", right_of(MIDDLE, -45))
        fingers.touch("Start", right_of(MIDDLE, -45), right_of(MIDDLE, 45))
        fingers.touch("Move", right_of(MIDDLE, -spread), right_of(MIDDLE, spread))
        fingers.lift()
        expect(zoom).to_have_attribute("aria-pressed", pressed)
    for button in ["No watch", "Unsure"]:
        box = page.get_by_role("button", name=button, exact=True).bounding_box()
        fingers.double_tap((box["x"] + 20, box["y"] + 20))
    assert page.evaluate("visualViewport.scale") == 1


@pytest.mark.parametrize("options", [PHONE, PHONE_LANDSCAPE], ids=["portrait", "landscape"])
@pytest.mark.parametrize("highest", [10, 100], ids=["buttons", "slider"])
def test_every_target_is_large_enough_for_touch_and_nothing_scrolls(
    annotate: Any, photos: list[Image], options: Any, highest: int
) -> None:
    Campaign.objects.update(scale_max=highest)
    page = annotate(**options)
    width, height = options["viewport"]["width"], options["viewport"]["height"]
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [width, height]
    for name in [None, "Instructions and keys", "Skip"]:
        if name:
            page.get_by_role("button", name=name, exact=True).tap()
        area = page.locator("dialog[open]") if name else page
        for target in area.locator("button:visible, a:visible:not(.skip-link), input:visible").all():
            box = target.bounding_box()
            assert box["height"] >= 44, target.evaluate("node => node.outerHTML")
            assert box["width"] >= 44, target.evaluate("node => node.outerHTML")
            assert name or (box["x"] >= 0 and box["x"] + box["width"] <= width)
        if name:
            page.keyboard.press("Escape")
    stage = page.locator("#stage").bounding_box()
    assert stage["height"] >= 0.35 * height, "the photo must have a large part of the page"


def test_a_score_is_set_with_the_slider(annotate: Any, photos: list[Image]) -> None:
    Campaign.objects.update(scale_min=0, scale_max=100)
    page = annotate(**PHONE)
    first = shown_photo(page)
    page.get_by_role("button", name="Watch", exact=True).tap()
    slider = page.get_by_role("slider", name="Score").bounding_box()
    page.touchscreen.tap(slider["x"] + slider["width"] / 2, slider["y"] + slider["height"] / 2)
    expect(page.get_by_role("spinbutton", name="Score as a number")).to_have_value("50")
    page.touchscreen.tap(slider["x"] + 0.8 * slider["width"], slider["y"] + slider["height"] / 2)
    assert shown_photo(page) == first, "moving the slider must not send the answer"
    chosen = int(page.get_by_role("spinbutton").input_value())
    assert 75 <= chosen <= 85
    page.get_by_role("button", name="Set").tap()
    expect_photo_gone(page, first)
    expect_saved(page)
    assert current_answer(first).score == chosen
    assert current_answer(first).viewing["input"] == "slider"

"""Accessible names, focus order, contrast and layout of the annotate page, from a phone to a large screen."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Image
from tests.browser.annotating import PATH, begin, press, rate
from tests.conftest import photo_bytes, photo_path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCREENS = {"phone": (390, 844), "desktop": (1280, 900), "large": (3840, 2160)}

# Returns each visible text whose contrast with its background is below 4.5 (WCAG 2.2, relative luminance).
LOW_CONTRAST = """
() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (value) => ((value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const background = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const color = channels(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !node.checkVisibility({ visibilityProperty: true })) continue;
    if (node.closest("script, .visually-hidden, .skip-link, :disabled")) continue;
    const pair = [luminance(channels(getComputedStyle(node).color)), luminance(background(node))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) low.push(`${ratio.toFixed(2)} ${texts.currentNode.data.trim()}`);
  }
  return low;
}
"""


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    photos = [make_image(seed, width=1600, height=1200) for seed in range(6)]
    for seed, photo in enumerate(photos):
        photo_path(photo).write_bytes(photo_bytes(seed, width=1600, height=1200))
    return photos


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast_with_its_background(
    annotate: Any, photos: list[Image], make_image: Callable[..., Any], scheme: str
) -> None:
    make_image(11, role="practice", expected_score=2, expected_watch="no", guidance="Blurred from shaking.")
    make_image(12, role="example", expected_score=9, expected_watch="yes", guidance="Sharp.")
    page: Page = annotate(color_scheme=scheme)
    low = page.evaluate(LOW_CONTRAST)
    press(page, "n", "7")
    low += page.evaluate(LOW_CONTRAST)
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Practice done")).to_be_visible()
    low += page.evaluate(LOW_CONTRAST)
    press(page, "Enter")
    rate(page, "n", "9")
    expect(page.locator("#photo img")).to_be_visible()
    press(page, "w", "z")
    low += page.evaluate(LOW_CONTRAST)
    for key in ["?", " "]:
        press(page, key)
        expect(page.get_by_role("dialog")).to_be_visible()
        low += page.evaluate(LOW_CONTRAST)
        press(page, "Escape")
    assert low == []


@pytest.mark.parametrize("screen", SCREENS)
def test_the_photo_has_most_of_the_height_and_no_button_text_is_cut_off(
    annotate: Any, photos: list[Image], screen: str
) -> None:
    width, height = SCREENS[screen]
    page = annotate(viewport={"width": width, "height": height})
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [width, height]
    stage = page.locator("#stage").bounding_box()
    assert stage["height"] > 0.55 * height
    cut_off = page.locator(".choices button, .answer-bar button, .annotate-bar button").evaluate_all(
        "nodes => nodes.filter(node => node.scrollWidth > node.clientWidth).map(node => node.textContent)"
    )
    assert cut_off == []
    channels = (
        page.locator("#stage").evaluate("node => getComputedStyle(node).backgroundColor").strip("rgb()").split(", ")
    )
    assert len(set(channels)) == 1, "the background of the photo must be grey"


def test_controls_have_accessible_names_and_answers_are_announced(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    expect(page.get_by_role("heading", level=1, name="Rate the photo")).to_have_count(1)
    expect(page.get_by_role("group", name="Is there a watch or clock?").get_by_role("button")).to_have_count(3)
    scores = page.get_by_role("group", name="How good does the photo look? 1 worst, 10 best").get_by_role("button")
    expect(scores).to_have_count(10)
    expect(scores.first).to_have_accessible_name("1, worst")
    expect(scores.last).to_have_accessible_name("10, best")
    expect(page.get_by_role("button", name="Unsure", exact=True)).to_have_attribute("aria-keyshortcuts", "M")
    expect(page.get_by_role("img", name="Photo to rate")).to_be_visible()
    first = page.locator("#photo img").get_attribute("src")
    rate(page, "w", "5")
    for announced in ("watch, 5 for photo", "Saved"):
        expect(page.get_by_role("status").filter(has_text=announced)).to_have_count(1)
    assert page.locator("#photo img").get_attribute("src") != first


def test_the_focus_moves_from_top_to_bottom_and_is_visible(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    rate(page, "w", "5")
    focused = []
    press(page, "Tab")  # from the closed dialog past the end of the page
    for _ in range(24):
        press(page, "Tab")
        focused.append(
            page.evaluate(
                """() => {
                  const node = document.activeElement, box = node.getBoundingClientRect();
                  const style = getComputedStyle(node);
                  return [node.id || node.dataset.watch || node.dataset.score || node.className,
                          style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2, Math.round(box.top)];
                }"""
            )
        )
    names = [name for name, _, _ in focused]
    assert names[:2] == ["skip-link", "back"]
    assert names[-14:] == ["skip-open", "yes", "no", "unsure", *(str(score) for score in range(1, 11))]
    assert all(is_outlined for _, is_outlined, _ in focused)
    tops = [top for _, _, top in focused[1:]]
    assert tops == sorted(tops), "the order must be: bar, line below the photo, questions"


def test_the_first_photo_is_painted_and_its_time_is_printed(open_page: Any, photos: list[Image], people: Any) -> None:
    page = open_page(PATH, "alice")
    begin(page)
    page.goto("about:blank")
    page.go_back()
    page.reload()
    expect(page.locator("#photo img")).to_be_visible()
    # The time from the start of the navigation to the paint. It is only printed, because a busy machine is slow.
    milliseconds = page.evaluate(
        """() => new Promise((resolve) => new PerformanceObserver((list) => {
          const photo = list.getEntries().find((entry) => entry.url?.includes("/original"));
          if (photo) resolve(photo.startTime);
        }).observe({ type: "largest-contentful-paint", buffered: true }))"""
    )
    print(f"first photo after {milliseconds:.0f} ms")
    assert milliseconds > 0

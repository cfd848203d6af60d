"""Actions and expectations on the annotate page, for the browser tests."""

import re

from playwright.sync_api import Page, expect

from annotation.models import Annotation, Assignment
from tests.browser.page_clock import page_wait

PATH = "/campaigns/watches/annotate/"
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


def begin(page: Page) -> None:
    """Close the instructions and wait for the first photo."""
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#photo img")).to_be_visible()


def shown_photo(page: Page) -> int:
    """Return the id of the photo that the page shows."""
    source = page.locator("#photo img").get_attribute("src") or ""
    return int(re.findall(r"\d+", source)[0])


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def expect_photo_gone(page: Page, image_id: int) -> None:
    """Wait until the page shows another photo or none."""
    expect(page.locator(f'#photo img[src$="/photos/{image_id}/original"]')).to_have_count(0)


def rate(page: Page, *keys: str) -> int:
    """Press the keys, wait until the photo is gone, and return its id."""
    image_id = shown_photo(page)
    press(page, *keys)
    expect_photo_gone(page, image_id)
    return image_id


def expect_saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text("Saved")


def expect_no_leases(page: Page) -> None:
    """Wait until no photo is leased. The page may still receive leases, which it then returns."""
    page_wait(page, lambda: not Assignment.objects.filter(state="leased").exists(), "Photos are still leased.")


def current_answer(image_id: int) -> Annotation:
    return Annotation.objects.get(image=image_id, superseded_by=None)

"""What a person at the annotate page does and sees, for the tests that walk through it."""

import re

from playwright.sync_api import Page, expect

from annotation.models import Annotation, Assignment

PATH = "/campaigns/watches/annotate/"
DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


def begin(page: Page) -> None:
    """Leave the instructions, and wait for the first photo."""
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#photo img")).to_be_visible()


def shown(page: Page) -> int:
    """Return the id of the photo on the stage."""
    source = page.locator("#photo img").get_attribute("src") or ""
    return int(re.findall(r"\d+", source)[0])


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def expect_gone(page: Page, image_id: int) -> None:
    """Wait until another photo (or none) is on the stage."""
    expect(page.locator(f'#photo img[src$="/photos/{image_id}/original"]')).to_have_count(0)


def rate(page: Page, *keys: str) -> int:
    """Press the keys and return the id of the photo they were for, once another (or none) is on the stage."""
    image_id = shown(page)
    press(page, *keys)
    expect_gone(page, image_id)
    return image_id


def expect_saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text("Saved")


def expect_nothing_leased(page: Page) -> None:
    """Wait until no photo is held: a claim that was under way when they went back is answered, and returned, later."""
    for _ in range(250):
        if not Assignment.objects.filter(state="leased").exists():
            return
        page.wait_for_timeout(20)  # the page works only while Playwright's loop runs
    raise AssertionError("Photos are still held.")


def standing(image_id: int) -> Annotation:
    return Annotation.objects.get(image=image_id, superseded_by=None)

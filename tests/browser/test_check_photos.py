"""The page "Check photos" of a campaign in a browser: one photo after the other, with a decision and its reasons."""

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from annotation.models import Campaign, User
from inference.tasks import scoring_job_run
from tests.annotation.bad_files import encoded, scene
from tests.browser.axe import axe_findings
from tests.inference.tiny_models import tiny_models_place
from tests.inference.tiny_versions import BACKBONE, version_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DARK = encoded(Image.new("RGB", (300, 200), (8, 8, 8)))


@pytest.fixture
def open_gate(open_page: Callable[..., Page], campaign: Campaign, settings: Any) -> Callable[..., Page]:
    """Return a function that opens the page as rita, with two versions to choose from."""
    tiny_models_place(settings.MODELS_ROOT)
    Campaign.objects.update(backbone=BACKBONE)
    campaign.refresh_from_db()
    version_of(campaign, 1, champion=False)
    version_of(campaign, 2, champion=True)
    return lambda **options: open_page("/campaigns/watches/gate/", "rita", **options)


def send(page: Page, name: str, data: bytes) -> None:
    """Choose a file, and score it as a worker does."""
    before = page.url
    page.locator("#photos").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": data})
    page.wait_for_url(lambda address: address != before and "/gate/" in address)
    assert scoring_job_run(User.objects.get(username="rita").pk, page.url.split("/")[-2]) == 1


@pytest.mark.parametrize("options", [
    {"viewport": {"width": 1280, "height": 900}},
    {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": "dark"},
], ids=["desk", "phone"])  # fmt: skip
def test_photos_are_checked_one_after_the_other(open_gate: Callable[..., Page], options: dict[str, Any]) -> None:
    page = open_gate(**options)
    expect(page.get_by_text("Take a photo")).to_be_visible(visible="has_touch" in options)
    send(page, "dark.jpg", DARK)
    dark = page.get_by_role("article").filter(has_text="dark.jpg")
    expect(dark.locator(".verdict")).to_contain_text("rejected")
    expect(dark.locator(".reasons li").first).to_contain_text("is at most 5.")
    expect(dark.locator(".reasons")).to_contain_text("Too dark or too bright")
    expect(dark.locator(".guarantee")).to_contain_text("No guarantee")
    expect(page.locator("#said")).to_have_text("dark.jpg: rejected")
    send(page, "beach.jpg", encoded(scene(1, 640, 480)))
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("article").first).to_contain_text("beach.jpg")  # the newest comes first
    send(page, "letter.jpg", b"Dear Sir or Madam")
    expect(page.get_by_role("article").first).to_contain_text("not scored Not a photo")
    assert page.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]
    assert axe_findings(page) == []
    page.reload()  # the address is that of the newest result
    expect(page.get_by_role("article")).to_have_count(1)


def test_a_refusal_stands_in_the_form_and_the_results_stay(open_gate: Callable[..., Page], settings: Any) -> None:
    settings.IQS_SCORED_PHOTOS_PER_HOUR = 1
    page = open_gate()
    send(page, "dark.jpg", DARK)
    expect(page.locator("#quota")).to_contain_text("You can score 0 more photos")
    page.locator("#photos").set_input_files({"name": "b.jpg", "mimeType": "image/jpeg", "buffer": DARK})
    expect(page.get_by_role("alert")).to_contain_text("You can score 1 photos an hour")
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.locator("#not-live")).to_be_hidden()


def test_the_keyboard_is_enough(open_gate: Callable[..., Page]) -> None:
    page = open_gate()
    page.on("filechooser", lambda _chooser: None)  # Playwright takes over the dialog from here on, not from Enter on
    page.locator("#version").focus()
    page.keyboard.press("ArrowDown")
    assert page.locator("#version option:checked").inner_text() == "Version 1"
    page.keyboard.press("Tab")
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Enter")
    chosen.value.set_files({"name": "dark.jpg", "mimeType": "image/jpeg", "buffer": DARK})
    page.wait_for_url("**/gate/*/")
    assert scoring_job_run(User.objects.get(username="rita").pk, page.url.split("/")[-2]) == 1
    expect(page.get_by_role("article").locator(".guarantee")).to_contain_text("Scored by version 1 of Watches.")

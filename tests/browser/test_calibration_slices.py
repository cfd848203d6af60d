"""Slices, versions over time and disagreement in the browser: by keyboard, on a phone, and while a worker measures."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, Image, VoteRequest
from annotation.services.figures_rows import row_make
from annotation.services.queue import counters_rebuild
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import predictions_make, version_make, votes
from training.services.stored_trends import TREND

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "/campaigns/watches/calibration/"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def images(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Any], rng: np.random.Generator
) -> list[Image]:
    """48 holdout photos with three votes each. On the first one, the model is six points too high."""
    images = [make_image(seed, split="holdout") for seed in range(48)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    quality = np.linspace(2, 9, 48)
    scores = np.rint(quality[:, None] + rng.normal(0, 0.7, (48, 3))).clip(1, 10)
    votes(images, [people[name] for name in ("alice", "bob", "ada")], scores, "no")
    means = quality + rng.normal(0, 0.4, 48)
    means[0] = 9.0
    predictions_make(version_make(campaign), images, means)
    counters_rebuild(campaign=campaign)
    return images


def width_of(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


def test_a_photo_is_sent_for_more_votes_and_taken_back_by_keyboard(
    open_page: Callable[..., Page], images: list[Image]
) -> None:
    page = open_page(PAGE, "rita")
    ask = page.locator("#disagreement").get_by_role("button", name=f"Ask for 2 more votes on {images[0].name}")
    ask.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Sent 1 photo for 2 more votes each.")).to_be_visible()
    part = page.locator("#disagreement")
    expect(part.get_by_text("waiting for votes")).to_be_visible()
    expect(part.get_by_text("0 of 2 votes have come")).to_be_visible()
    part.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Undone for 1 photo.")).to_be_visible()
    assert VoteRequest.objects.get().undone_at is not None


def test_the_versions_appear_when_a_worker_has_measured_them(
    open_page: Callable[..., Page], campaign: Campaign, images: list[Image]
) -> None:
    page = open_page(PAGE, "rita")
    part = page.locator("#over-time")
    expect(part.get_by_text("Waiting for a worker")).to_be_visible()
    row_make(TREND.row(campaign=campaign), TREND)
    expect(part.locator("svg.of-points")).to_be_visible()
    part.locator("select[name=metric]").select_option("quality_rmse")
    part.get_by_role("button", name="Show").click()
    expect(page.locator("#over-time").get_by_role("heading", name="Quality RMSE")).to_be_visible()
    assert "metric=quality_rmse" in page.url


def test_the_sections_fit_a_phone_and_the_measure_changes(
    open_page: Callable[..., Page], campaign: Campaign, images: list[Image]
) -> None:
    row_make(TREND.row(campaign=campaign), TREND)
    page = open_page(PAGE, "rita", **PHONE)
    assert width_of(page) == 390
    for part in ("#slices", "#annotators", "#over-time", "#disagreement"):
        expect(page.locator(part)).to_be_visible()
    page.get_by_role("link", name="Typical error").click()
    expect(page.get_by_role("link", name="Typical error")).to_have_attribute("aria-current", "true")
    assert width_of(page) == 390

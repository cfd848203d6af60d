"""The pages Campaign quality and Plan a campaign are readable on a desktop and a phone, and work by keyboard."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Campaign
from tests.opinions_and_predictions import images_make, vote

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = [pytest.param(1280, 900, id="desktop"), pytest.param(390, 844, id="phone")]


@pytest.fixture
def rated(campaign: Campaign, people: dict[str, Any], rng: np.random.Generator) -> None:
    """120 photos by three people, in four weeks."""
    start = datetime(2026, 3, 3, tzinfo=UTC)
    for number, image in enumerate(images_make(campaign, 120)):
        quality = rng.normal(5.5, 1.5)
        for shift, name in enumerate(("alice", "bob", "rita")):
            score = int(np.clip(np.rint(quality + shift - 1 + rng.normal(0, 1.2)), 1, 10))
            vote(image, people[name], score, "yes" if quality > 6.5 else "no", milliseconds=3000)
        Annotation.objects.filter(image=image).update(created_at=start + timedelta(weeks=number // 30))


def assert_within(page: Page, width: int) -> None:
    """Check that nothing but tables reaches beyond the page, and that labels of charts stay inside it."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "only tables may scroll sideways"
    for label in page.locator("svg.drawing text").all():
        box = label.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_campaign_quality_is_readable(
    rated: None, open_page: Callable[..., Page], width: int, height: int, scheme: str
) -> None:
    page = open_page(
        "/campaigns/watches/quality/", "rita", viewport={"width": width, "height": height}, color_scheme=scheme
    )
    expect(page.get_by_role("heading", name="A perfect model would reach a correlation of")).to_be_visible()
    expect(page.get_by_role("img", name="alpha by week")).to_be_visible()
    expect(page.get_by_role("heading", name="of the photos are in the middle of the scale")).to_be_visible()
    assert_within(page, width)
    page.get_by_role("link", name="Plan more votes").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Plan a campaign")).to_be_visible()
    expect(page.get_by_label("Seconds a vote")).to_have_value("3.0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_a_plan_is_computed_by_keyboard(
    rated: None, open_page: Callable[..., Page], width: int, height: int, scheme: str
) -> None:
    page = open_page("/plan-campaign/", "rita", viewport={"width": width, "height": height}, color_scheme=scheme)
    expect(page.get_by_role("heading", name="3,400 votes take 4.7 hours")).to_be_visible()
    page.get_by_label("Votes on each", exact=True).fill("4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="4,200 votes take 5.8 hours")).to_be_visible()
    expect(page.get_by_role("heading", name="What to change first")).to_be_visible()
    assert page.locator("svg.drawing").count() == 4
    assert_within(page, width)
    page.get_by_label("Votes on each", exact=True).fill("40")
    page.keyboard.press("Enter")
    expect(page.get_by_text("at most 10 are possible")).to_be_visible()

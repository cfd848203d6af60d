"""The methods report is reached through the navigation, readable on a desktop and a phone, and prints on its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, User
from tests.opinions_and_predictions import images_make, vote

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OVERVIEW, PAGE = "/campaigns/watches/", "/campaigns/watches/methods/"
WIDTHS = [pytest.param(1280, 900, id="desktop"), pytest.param(390, 844, id="phone")]
VIEWING = {"viewport": [1440, 800], "shown": [900, 600], "pixel_ratio": 1.25, "scheme": "dark", "input": "keys"}


@pytest.fixture
def rated(campaign: Campaign, people: dict[str, Any], rng: np.random.Generator) -> None:
    """40 photos rated by alice, bob and simulated ada."""
    Campaign.objects.update(instructions="Rate how sharp and well lit the photo is.\nA watch may be small.")
    User.objects.filter(pk=people["ada"].pk).update(is_simulated=True)
    for image, quality in zip(images_make(campaign, 40), rng.uniform(3, 8, 40), strict=True):
        for name in ("alice", "bob", "ada"):
            score = int(np.clip(np.rint(quality + rng.normal(0, 1)), 1, 10))
            vote(image, people[name], score, "yes", viewing=VIEWING, milliseconds=2400)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_the_report_is_readable(
    rated: None, open_page: Callable[..., Page], width: int, height: int, scheme: str
) -> None:
    page = open_page(OVERVIEW, "rita", viewport={"width": width, "height": height}, color_scheme=scheme)
    page.get_by_role("navigation", name="Areas of the campaign").get_by_role("link", name="Quality").click()
    page.get_by_role("link", name="Methods report").click()
    expect(page.get_by_role("heading", name="Methods report", level=1)).to_be_visible()
    expect(page.get_by_text("3, of which 1 simulated")).to_be_visible()
    expect(page.get_by_text("A watch may be small.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_print_leaves_out_the_navigation(rated: None, open_page: Callable[..., Page]) -> None:
    page = open_page(PAGE, "rita", color_scheme="dark")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation")).to_be_hidden()
    expect(page.get_by_role("link", name="Download Markdown")).to_be_hidden()
    expect(page.get_by_role("heading", name="Methods report: Watches")).to_be_visible()

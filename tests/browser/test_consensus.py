"""The consensus on the overview, the photo page and in the gallery, in a real browser."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client
from playwright.sync_api import expect

from annotation.models import Campaign, Image, PhotoConsensus, User
from annotation.services.campaigns import campaign_update
from annotation.services.enough_votes import votes_needed_plan
from annotation.services.queue import counters_rebuild
from annotation.tasks import consensus_refresh
from tests.opinions_and_predictions import votes


@pytest.fixture
def rated(campaign: Campaign, make_image: Callable[..., Image], make_user: Callable[..., User]) -> list[Image]:
    """Four people, one of them simulated, rate nine photos; photos stop at a wide interval."""
    images = [make_image(seed) for seed in range(9)]
    raters = [make_user(f"person-{number}", is_simulated=number == 3) for number in range(4)]
    rng = np.random.default_rng(0)
    scores = np.clip(np.arange(9)[:, np.newaxis] + rng.integers(0, 3, (9, 4)), 1, 10)
    votes(images, raters, scores, "yes")
    counters_rebuild(campaign=campaign)
    campaign_update(campaign=campaign, target_half_width=1.6, target_watch=0.9)
    consensus_refresh(campaign.pk)
    votes_needed_plan(campaign=Campaign.objects.get(pk=campaign.pk))
    return images


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_consensus_fits_the_page(
    rated: list[Image], open_page: Callable[..., Any], width: int, scheme: Any
) -> None:
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    row = PhotoConsensus.objects.get(pk=rated[3].pk)
    places = {
        "": "text=independent votes used",
        f"photos/{rated[3].pk}/": f"dd:has-text('{row.corrected_mos:.2f}')",
        "photos/?order=people_best": ".by",
    }
    for path, selector in places.items():
        page = open_page(f"/campaigns/watches/{path}", "rita", **options)
        page.locator(selector).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_gallery_sorts_by_people_from_its_form(rated: list[Image], open_page: Callable[..., Any]) -> None:
    page = open_page("/campaigns/watches/photos/", "rita")
    page.get_by_label("Sort by").select_option("people_worst")
    page.wait_for_url("**order=people_worst**")
    worst = PhotoConsensus.objects.order_by("corrected_mos").first().pk
    expect(page.locator("figure a").first).to_have_attribute("id", f"photo-{worst}")


def test_the_targets_are_set_on_the_settings_page(
    rated: list[Image], campaign: Campaign, open_page: Callable[..., Any], client_of: Callable[[str], Client]
) -> None:
    page = open_page("/campaigns/watches/settings/", "ada")
    page.get_by_label("MOS interval within").fill("0.5")
    page.get_by_label("most votes", exact=False).fill("12")
    page.get_by_role("button", name="Save").first.click()
    page.wait_for_load_state()
    campaign.refresh_from_db()
    assert (campaign.target_half_width, campaign.most_votes) == (0.5, 12)


@pytest.mark.parametrize("width", [1280, 390])
def test_disputed_photos_fit_the_page(rated: list[Image], open_page: Callable[..., Any], width: int) -> None:
    PhotoConsensus.objects.filter(pk=rated[2].pk).update(sos=4.0)
    for path in ("disputed/", f"disputed/{rated[2].pk}/"):
        page = open_page(f"/campaigns/watches/{path}", "rita", viewport={"width": width, "height": 900})
        page.get_by_role("heading", level=1).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path

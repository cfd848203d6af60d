"""The drift section of the models page, and near-duplicates on the campaign page and the page of a photo."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.models import Campaign, DuplicateLink, Image, SplitChange
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import version_make
from training.models import DriftCheck

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}}
WIDE = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"}


@pytest.fixture
def image(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]) -> Image:
    """A photo whose mirrored copy was found, in a campaign with a drift check."""
    image, copy = (make_image(seed, split="neither") for seed in (1, 2))
    for one in (image, copy):
        thumbnail_path(one).write_bytes(photo_bytes(one.phash, kind="WEBP"))
    Image.objects.update(group=image.group)
    DuplicateLink.objects.create(image=copy, other=image, bits=4, is_mirrored=True, cosine=0.913)
    for one in (image, copy):
        SplitChange.objects.create(image=one, before="train", after="neither")
    numbers = {"coefficient": 0.081, "by_chance": 0.021, "p_value": 0.001, "power": None}
    counts = {"new_photos": 120, "new_groups": 110, "old_photos": 640}
    DriftCheck.objects.create(
        campaign=campaign,
        model_version=version_make(campaign),
        made_at=timezone.now(),
        since=timezone.now(),
        photos={"verdict": "drift", **numbers, **counts},
        scores={"verdict": "no drift", **numbers, "power": 0.96, **counts},
        weeks=[
            {
                "ago": ago,
                "until": f"2026-10-{28 - ago:02}",
                "mean": mean,
                "low": mean - 0.3,
                "high": mean + 0.3,
                "n": 90,
            }
            for ago, mean in ((11, 6.1), (8, 6.3), (3, 6.0), (1, 5.9), (0, 5.2))
        ],
    )
    return image


@pytest.mark.parametrize("options", [PHONE, WIDE], ids=["phone", "wide"])
def test_the_sections_fit_the_screen(open_page: Callable[..., Page], image: Image, options: dict[str, Any]) -> None:
    paths = {"models": "models/", "photo": f"photos/{image.pk}/", "campaign": ""}
    for name, path in paths.items():
        page = open_page(f"/campaigns/watches/{path}", "rita", **options)
        if name == "models":
            expect(page.get_by_text("A reason to train:")).to_be_visible()
            expect(page.get_by_role("img", name="Mean predicted score of each week")).to_be_visible()
            page.locator("section[aria-labelledby=drift-title] summary").press("Enter")
            expect(page.get_by_role("cell", name="5.20", exact=True)).to_be_visible()
        elif name == "photo":
            page.locator("summary", has_text="File:").click()
            expect(page.get_by_text("used neither for training nor for evaluation").first).to_be_visible()
            expect(page.get_by_text("0.913, mirrored")).to_be_visible()
        else:
            expect(page.get_by_text("1 group joined to another one.")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{name}-{options['viewport']['width']}.png", full_page=True)

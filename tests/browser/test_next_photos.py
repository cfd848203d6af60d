"""The page Next photos and its colours of the map in a browser: it fits, axe finds nothing, and keys are enough."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.measures.intervals import Interval
from annotation.models import Assignment, Campaign, Image, PhotoMap
from annotation.services.figures_rows import row_make
from annotation.services.queue import counters_rebuild
from inference.services import photo_map
from inference.services.queue_priorities import priorities_refresh
from tests.browser.axe import axe_findings
from tests.browser.layout import layout_findings
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import predictions_make, version_make, votes
from training.evaluation.order_curve import OrderCurve, OrderPoint, OrderTask
from training.selectors import choice
from training.services.stored_choices import CHOICE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "/campaigns/watches/next/"
WIDTHS = [pytest.param(1280, 900, id="desktop"), pytest.param(390, 844, id="phone")]
FINGERPRINT = "f" * 64


def curve(answers: Any, task: OrderTask, **_: Any) -> OrderCurve:
    """Return a finished comparison: its measurement has tests of its own and takes seconds."""
    points = [OrderPoint(float(n), Interval(1 + 20 / n, 0.9, 1.4, 40, 40)) for n in (50, 100, 200)]
    gain = Interval(0.1, 0.04, 0.16, 40, 40)
    return OrderCurve(task, points, points[:2], 10, 120, 220, gain, Interval(30, 10, 50, 40, 40), 100.0)


@pytest.fixture
def images(
    campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image], monkeypatch: pytest.MonkeyPatch
) -> list[Image]:
    campaign.lane_shares = {"random": 0.4, "fewest_votes": 0.6}
    campaign.save()
    images = [make_image(seed, split="train") for seed in range(40)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    votes(images[:25], [people["alice"], people["bob"]], np.tile([4, 6], (25, 1)), "no")
    Assignment.objects.bulk_create(
        Assignment(
            campaign=campaign,
            image=image,
            annotator=people["alice"],
            lane="random" if place % 2 else "fewest_votes",
            state="done",
            expires_at=timezone.now(),
        )
        for place, image in enumerate(images[:25])
    )
    predictions_make(version_make(campaign), images, [5.0] * 40, watch=[0.4] * 40)
    counters_rebuild(campaign=campaign)
    priorities_refresh(campaign=campaign)
    # The photos have no features, so the page of the map would take this one for an old one.
    monkeypatch.setattr(photo_map, "_fingerprint", lambda features: (FINGERPRINT, 40))
    monkeypatch.setattr(choice, "order_curve", curve)
    x = np.linspace(5_000, 60_000, 40)
    PhotoMap.objects.create(
        campaign=campaign,
        fingerprint=FINGERPRINT,
        photos=40,
        image_ids=np.array([image.pk for image in images], "<i8").tobytes(),
        places=np.stack([x, x], 1).astype("<u2").tobytes(),
        clusters=(np.arange(40) >= 30).astype("u1").tobytes(),
        made_at=timezone.now(),
    )
    row_make(CHOICE.row(campaign=campaign), CHOICE)
    return images


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_the_page_fits_and_axe_finds_nothing(
    images: list[Image], open_page: Callable[..., Page], width: int, height: int, scheme: str
) -> None:
    page = open_page(PAGE, "rita", viewport={"width": width, "height": height}, color_scheme=scheme)
    expect(page.get_by_role("heading", name="about 12 are chosen and 8 drawn at random")).to_be_visible()
    expect(page.get_by_role("heading", name="The choice pays", exact=True)).to_be_visible()
    expect(page.get_by_text("Asked because:")).to_have_count(20)
    for picture in page.locator(".asked img").all()[:3]:
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)
    assert layout_findings(page) == []
    for table in page.get_by_text("Table", exact=True).all():
        table.click()
    assert axe_findings(page) == []


def test_a_chart_is_downloaded_with_its_numbers(images: list[Image], open_page: Callable[..., Page]) -> None:
    page = open_page(PAGE, "rita")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV: The choice pays for scores").click()
    assert download.value.suggested_filename == "order-of-score.csv"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the next photos as CSV").click()
    assert download.value.suggested_filename == "watches-next-photos.csv"


def test_the_map_shows_what_is_rated_and_what_comes_next(images: list[Image], open_page: Callable[..., Page]) -> None:
    page = open_page(PAGE, "rita")
    page.get_by_role("link", name="Rated, next and not yet, on the map").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Colour by")).to_have_value("asked")
    legend = page.get_by_role("group", name="Legend")
    expect(legend).to_contain_text("next 20")
    expect(legend).to_contain_text("rated")
    expect(legend).to_contain_text("not yet")

"""The page "Your work": view it, open an answer, and edit it with the keyboard."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Campaign, Image
from tests.browser.annotating import DESKTOP, PHONE
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import vote, votes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "/campaigns/watches/mine/"


@pytest.fixture
def images(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]) -> list[Image]:
    images = [make_image(seed) for seed in range(8)]
    for score, image in enumerate(images, start=2):
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
        votes([image], [people["alice"], people["bob"], people["rita"]], [[score, score - 1, score]], [["yes"] * 3])
    for image, score in zip(images[:6], (2, 3, 4, 6, 6, 5), strict=True):
        vote(image, people["alice"], score, "yes", is_repeat=True)
    return images


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_annotator_views_own_work_and_edits_an_answer_by_keyboard(
    open_page: Callable[..., Page], people: dict[str, Any], images: list[Image], size: dict[str, Any]
) -> None:
    page = open_page(PAGE, "alice", **size)
    expect(page.get_by_text("0.50 points higher")).to_be_visible()
    expect(page.get_by_text("Based on 6 photos that you rated twice")).to_be_visible()
    expect(page.get_by_role("img", name="Answers per day")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name=f"Edit the answer to {images[7].name}").click()
    expect(page.get_by_role("img", name=images[7].name)).to_be_visible()
    page.get_by_role("radio", name="9").focus()
    page.keyboard.press("ArrowLeft")  # selects 8, the radio button before 9
    page.keyboard.press("Enter")
    first = page.locator(".own-history li").first
    expect(first.get_by_role("status")).to_contain_text("Saved. Before: watch, 9.")
    expect(first).to_contain_text("edited")
    expect(first.locator("strong")).to_have_text("8")
    assert Annotation.objects.filter(image=images[7], annotator=people["alice"]).count() == 2


def test_a_blind_campaign_shows_the_answers_of_others_when_it_is_closed(
    open_page: Callable[..., Page], campaign: Campaign, images: list[Image]
) -> None:
    Campaign.objects.update(mode="blind")
    page = open_page(PAGE, "alice")
    expect(page.get_by_text("This campaign is blind")).to_be_visible()
    expect(page.get_by_text("(n = 2)")).to_have_count(0)
    Campaign.objects.update(state="closed")
    page.reload()
    expect(page.get_by_text("(n = 2)").first).to_be_visible()
    page.get_by_role("link", name=f"Edit the answer to {images[0].name}").click()
    expect(page.get_by_text("The campaign is closed. Answers cannot be changed.")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)


def test_a_link_shows_older_answers(
    open_page: Callable[..., Page], images: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotation.views import own_work

    monkeypatch.setattr(own_work, "PAGE_SIZE", 5)
    page = open_page(PAGE, "alice")
    expect(page.locator(".own-history li")).to_have_count(5)
    page.get_by_role("link", name="Older answers").click()
    expect(page.locator(".own-history li")).to_have_count(3)
    page.get_by_role("link", name="Newest").click()
    expect(page.locator(".own-history li")).to_have_count(5)

"""The page "Practice and check photos": choose, edit and remove photos, and put photos with problems back."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign, Image
from tests.browser.annotating import DESKTOP, PHONE
from tests.conftest import photo_bytes, thumbnail_path
from tests.opinions_and_predictions import votes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "/campaigns/watches/special-photos/"


@pytest.fixture
def images(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Image]) -> list[Image]:
    """Nine photos with the scores 1 to 9. Each has three equal votes."""
    images = [make_image(seed) for seed in range(9)]
    for image in images:
        thumbnail_path(image).write_bytes(photo_bytes(image.phash, kind="WEBP"))
    three = [people["alice"], people["bob"], people["rita"]]
    votes(images, three, [[score] * 3 for score in range(1, 10)], [["yes"] * 3] * 9)
    return images


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_practice_photos_are_chosen_edited_and_made_ordinary(
    open_page: Callable[..., Page], images: list[Image], size: dict[str, Any]
) -> None:
    page = open_page(PAGE, "ada", **size)
    page.get_by_role("button", name="Choose 5 from worst to best").click()
    tiles = page.locator(".special-grid li")
    expect(tiles).to_have_count(5)
    assert tiles.locator("strong").all_inner_texts() == ["1", "3", "5", "7", "9"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tiles.nth(1).get_by_role("link", name="Edit").click()
    page.get_by_label("Expected score").fill("4")
    page.get_by_label("Guidance").fill("Out of focus: the hands cannot be read.")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Save").click()
    expect(tiles.nth(1)).to_contain_text("the hands cannot be read")
    tiles.nth(4).get_by_role("button", name="Use as a normal photo").click()
    expect(tiles).to_have_count(4)
    assert Image.objects.filter(role="practice").count() == 4


def test_a_photo_becomes_gold_on_its_own_page(open_page: Callable[..., Page], images: list[Image]) -> None:
    page = open_page(f"/campaigns/watches/photos/{images[6].pk}/", "ada")
    page.get_by_text("Use as practice, example or gold photo").click()
    expect(page.get_by_label("Expected score")).to_have_value("7")  # the mean of the votes
    page.get_by_label("Use as").select_option("gold")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{PAGE}?show=gold")
    expect(page.locator(".special-grid li")).to_have_count(1)
    page.locator(".special-grid .thumbnail").click()
    expect(page.get_by_text("gold photo", exact=True)).to_be_visible()


def test_a_holdout_photo_needs_a_confirmation(open_page: Callable[..., Page], images: list[Image]) -> None:
    Image.objects.filter(pk=images[0].pk).update(split="holdout")
    page = open_page(f"{PAGE}{images[0].pk}/", "ada")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("left out of every evaluation")
    page.get_by_label("Yes, leave this photo out of evaluation").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".special-grid li")).to_contain_text("holdout")


def test_a_photo_with_a_problem_is_put_back(open_page: Callable[..., Page], images: list[Image]) -> None:
    Image.objects.filter(pk=images[0].pk).update(problem="2 annotators report: “It does not load or is damaged”.")
    page = open_page(PAGE, "ada")
    page.get_by_role("link", name="Problems 1").click()
    expect(page.locator(".special-grid li")).to_contain_text("2 annotators report")
    page.get_by_role("button", name="Put back into the queue").click()
    expect(page.get_by_role("heading", name="No photos with problems")).to_be_visible()
    assert not Image.objects.exclude(problem="").exists()

"""Training in the browser: start a run, follow its progress, promote the new version and roll back."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign
from inference.models import ModelVersion
from tests.training.conftest import make_rated_images, make_version  # noqa: F401  # fixtures
from training.models import TrainingRun
from training.services.evaluations import evaluation_make
from training.services.runs import run_claim, run_finish, run_write

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MODELS = "/campaigns/watches/models/"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


@pytest.fixture
def versions(make_rated_images: Callable[..., Any], make_version: Callable[..., Any]) -> list[ModelVersion]:  # noqa: F811
    """Return a champion with random predictions and a challenger with correct ones."""
    images = make_rated_images(train=4, holdout=40, votes=3, features=8)
    champion = make_version(
        1, champion=True, predict={image: (4.0 + image.pk % 4, 0.2 + 0.1 * (image.pk % 5)) for image in images}
    )
    challenger = make_version(2, predict={image: (image.quality, 0.8 * image.is_watch) for image in images})
    evaluation_make(version=champion)
    evaluation_make(version=challenger, against=champion)
    return [champion, challenger]


def loss_history(epochs: int) -> list[dict[str, float]]:
    return [
        {"epoch": epoch, "train": 0.05 + 0.1 / (1 + epoch / 3), "validation": 0.08 + 0.08 / (1 + epoch / 4)}
        for epoch in range(epochs)
    ]


def no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_a_run_shows_its_progress_and_its_version(
    open_page: Callable[..., Page], versions: list[ModelVersion], device: dict[str, Any]
) -> None:
    page = open_page(MODELS, "ada", **device)
    expect(page.get_by_text("A run would learn from 12 answers")).to_be_visible()
    page.get_by_role("button", name="Train").click()
    expect(page.get_by_role("heading", name="Training run")).to_be_visible()
    expect(page.get_by_text("Waiting for a worker since")).to_be_visible()

    run = TrainingRun.objects.get()
    attempt = run_claim(run_id=run.pk) or 0
    run_write(run_id=run.pk, attempt=attempt, progress=0.42, stage="Learning quality", history=loss_history(30))
    expect(page.get_by_text("Learning quality")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Progress of the run")).to_have_attribute("value", "42")
    expect(page.locator("svg polyline.validation")).to_be_visible()
    assert no_sideways_scroll(page)

    run_finish(run_id=run.pk, attempt=attempt, state="done", message="Promoted.", challenger=versions[1], progress=1.0)
    page.get_by_role("link", name="Version 2", exact=True).click()
    expect(page.get_by_role("heading", name="Version 2")).to_be_visible()
    assert no_sideways_scroll(page)


def test_cancel_ends_a_queued_run(open_page: Callable[..., Page], campaign: Campaign) -> None:
    page = open_page(MODELS, "ada")
    page.get_by_role("button", name="Train").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled by ada.")).to_be_visible()
    assert page.locator("[hx-get]").count() == 0


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_promotion_needs_confirmation_and_can_be_rolled_back(
    open_page: Callable[..., Page], versions: list[ModelVersion], device: dict[str, Any]
) -> None:
    page = open_page(MODELS, "ada", **device)
    page.get_by_role("button", name="Promote version 2").click()
    dialog = page.get_by_role("dialog", name="Make version 2 the champion?")
    expect(dialog).to_contain_text("Its predictions replace those of version 1 on all pages.")
    expect(dialog.get_by_role("row", name="Quality SRCC")).to_contain_text("better")
    expect(dialog).to_contain_text("The rule says: promote.")
    assert no_sideways_scroll(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert ModelVersion.objects.get(is_champion=True) == versions[0]
    page.get_by_role("button", name="Promote version 2").click()
    dialog.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_text("Version 2 is now the champion")).to_be_visible()
    page.get_by_role("button", name="Roll back to version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back", exact=True).click()
    expect(page.get_by_text("Version 1 is now the champion")).to_be_visible()
    assert ModelVersion.objects.get(is_champion=True) == versions[0]


def test_a_decision_against_the_rule_asks_for_a_reason(
    open_page: Callable[..., Page],
    versions: list[ModelVersion],
    make_version: Callable[..., Any],  # noqa: F811
) -> None:
    make_version(3)
    page = open_page(MODELS, "ada")
    page.get_by_role("button", name="Promote version 3").click()
    dialog = page.get_by_role("dialog", name="Make version 3 the champion?")
    expect(dialog).to_contain_text("It has not been compared with the present champion")
    dialog.get_by_role("button", name="Promote", exact=True).click()
    expect(dialog).to_be_visible()  # the browser asks for the reason
    dialog.get_by_role("textbox").fill("A test of the export.")
    dialog.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_text("“A test of the export.” Decided by an admin")).to_be_visible()
    assert ModelVersion.objects.get(is_champion=True).number == 3


def test_metrics_and_recipe_are_in_a_details_element(
    open_page: Callable[..., Page], versions: list[ModelVersion]
) -> None:
    page = open_page(MODELS, "rita", **PHONE)
    page.get_by_text("Version 2", exact=True).last.click()
    card = page.locator("#v2")
    card.get_by_text("All metrics and the recipe").click()
    expect(card.get_by_role("rowheader", name="Quality SRCC")).to_be_visible()
    expect(card.get_by_text("full_decays")).to_be_visible()
    assert no_sideways_scroll(page)
    expect(page.get_by_role("button", name="Train")).to_have_count(0)

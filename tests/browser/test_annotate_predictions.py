"""Photos that show the prediction before the answer: a few of a campaign, mixed with those that do not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Assignment, Campaign, Image
from inference.models import ModelVersion, Prediction
from tests.browser.annotating import expect_saved, press, rate, shown, standing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MODEL = "model 6.2 ± 1.1, watch 97 %"


@pytest.fixture
def photos(campaign: Campaign, make_image: Callable[..., Any]) -> list[Image]:
    photos = [make_image(seed) for seed in range(4)]
    version = ModelVersion.objects.create(
        campaign=campaign, number=1, backbone="b", folder="f", checksum="c", is_champion=True
    )
    Prediction.objects.bulk_create(
        Prediction(
            image=photo,
            model_version=version,
            watch_probability=0.97,
            synset_probabilities=[0.97],
            quality_mean=6.2,
            quality_std=1.1,
            distribution=[0.1] * 10,
            quality_class="accepted",
        )
        for photo in photos
    )
    return photos


@pytest.fixture
def anchored(campaign: Campaign, photos: list[Image], people: Any) -> Image:
    """Return the photo of the experiment, leased to alice before all others."""
    Campaign.objects.update(mode="blind")
    Image.objects.filter(pk=photos[2].pk).update(open_slots=2)
    Assignment.objects.create(
        campaign=campaign,
        image=photos[2],
        annotator=people["alice"],
        is_anchored=True,
        expires_at=timezone.now() + timedelta(minutes=5),
    )
    return photos[2]


def test_a_photo_of_the_experiment_comes_together_with_its_prediction(annotate: Any, anchored: Image) -> None:
    page = annotate()
    assert shown(page) == anchored.pk
    expect(page.locator("#previous")).to_contain_text(MODEL)
    rate(page, "w", "6")
    expect(page.locator("#previous")).to_contain_text("last: watch, 6")
    expect(page.locator("#previous")).not_to_contain_text("model")
    second = rate(page, "w", "5")
    expect_saved(page)
    assert standing(anchored.pk).saw_prediction
    assert not standing(second).saw_prediction


def test_an_answer_before_the_prediction_has_come_is_no_answer(annotate: Any, anchored: Image, open_page: Any) -> None:
    page = open_page("/health", "alice")
    held: list[Any] = []
    page.route("**/reveal", lambda route: held.append(route))
    with page.expect_request("**/reveal"):
        page.goto(page.url.replace("/health", "/campaigns/watches/annotate/"))
    page.get_by_role("button", name="Begin").click()
    press(page, "w", "6")
    expect(page.locator('[aria-pressed="true"]')).to_have_count(0)
    expect(page.locator("#photo img")).to_have_count(0)
    held[0].continue_()
    expect(page.locator("#photo img")).to_be_visible()
    expect(page.locator("#previous")).to_contain_text(MODEL)


def test_a_prediction_that_does_not_come_holds_the_photo_up_for_two_seconds_at_most(
    annotate: Any, anchored: Image, open_page: Any
) -> None:
    page = open_page("/health", "alice")
    page.route("**/reveal", lambda route: None)
    page.goto(page.url.replace("/health", "/campaigns/watches/annotate/"))
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#photo img")).to_be_visible()
    rate(page, "w", "6")
    expect_saved(page)
    assert not standing(anchored.pk).saw_prediction

"""Predictions are shown after the answer, before it, for the photos of the anchoring experiment, or never."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Annotation, Assignment, Campaign, Image
from inference.models import ModelVersion, Prediction
from tests.browser.annotating import DESKTOP, PHONE, current_answer, expect_saved, press, rate, shown_photo

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
        )
        for photo in photos
    )
    return photos


@pytest.fixture
def anchored(campaign: Campaign, photos: list[Image], people: Any) -> Image:
    """Return the photo of the anchoring experiment. Alice gets it first, because it is already leased to her."""
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


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_photo_of_the_experiment_is_shown_with_its_prediction(annotate: Any, anchored: Image, options: Any) -> None:
    page = annotate(**options)
    assert shown_photo(page) == anchored.pk
    expect(page.locator("#previous")).to_contain_text(MODEL)
    rate(page, "w", "6")
    expect(page.locator("#previous")).to_contain_text("Last: watch, 6")
    expect(page.locator("#previous")).not_to_contain_text("model")
    second = rate(page, "w", "5")
    expect_saved(page)
    assert current_answer(anchored.pk).saw_prediction
    assert not current_answer(second).saw_prediction


def test_keys_do_nothing_before_the_prediction_arrives(annotate: Any, anchored: Image, open_page: Any) -> None:
    page = open_page("/health", "alice")
    paused_requests: list[Any] = []
    page.route("**/reveal", lambda route: paused_requests.append(route))
    with page.expect_request("**/reveal"):
        page.goto(page.url.replace("/health", "/campaigns/watches/annotate/"))
    page.get_by_role("button", name="Begin").click()
    press(page, "w", "6")
    expect(page.locator('[aria-pressed="true"]')).to_have_count(0)
    expect(page.locator("#photo img")).to_have_count(0)
    paused_requests[0].continue_()
    expect(page.locator("#photo img")).to_be_visible()
    expect(page.locator("#previous")).to_contain_text(MODEL)


def test_a_photo_is_shown_without_its_prediction_after_two_seconds(
    annotate: Any, anchored: Image, open_page: Any
) -> None:
    page = open_page("/health", "alice")
    page.route("**/reveal", lambda route: None)
    page.goto(page.url.replace("/health", "/campaigns/watches/annotate/"))
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#photo img")).to_be_visible()
    rate(page, "w", "6")
    expect_saved(page)
    assert not current_answer(anchored.pk).saw_prediction


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_prediction_is_revealed_after_the_answer(annotate: Any, photos: list[Image], options: Any) -> None:
    page = annotate(**options)
    expect(page.locator("#previous")).not_to_contain_text("model")
    first = rate(page, "w", "5")
    expect(page.locator("#previous")).to_contain_text("model 6.2 ± 1.1, watch 97 %")
    drawing = page.locator("#previous svg.drawing")
    if options is PHONE:  # its bar has room for the words only; the list of the last answers has the drawing
        expect(drawing).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        expect(page.get_by_role("button", name="Skip")).to_be_in_viewport(ratio=1)
        page.get_by_role("button", name="Last answers").click()
        drawing = page.locator("#last-list svg.drawing")
    expect(drawing).to_be_visible()
    expect(drawing).to_have_css("width", "80px")  # waits: the list is drawn again when its figures arrive
    outline = drawing.locator("path.model")
    expect(outline).to_be_visible()
    expect(outline).to_have_css("fill", "none")
    assert not current_answer(first).saw_prediction


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_prelabel_campaign_shows_the_prediction_first_and_marks_the_answer(
    annotate: Any, photos: list[Image], options: Any
) -> None:
    Campaign.objects.update(mode="prelabel")
    page = annotate(**options)
    expect(page.locator("#previous")).to_contain_text("model 6.2 ± 1.1")
    first = rate(page, "w", "5")
    expect_saved(page)
    assert current_answer(first).saw_prediction


def test_a_blind_campaign_never_requests_predictions(annotate: Any, photos: list[Image]) -> None:
    Campaign.objects.update(mode="blind")
    page = annotate()
    requested_urls: list[str] = []
    page.on("request", lambda request: requested_urls.append(request.url))
    rate(page, "w", "5")
    expect_saved(page)
    rate(page, "w", "5")
    expect_saved(page)
    assert not any("reveal" in url for url in requested_urls)


def test_rating_continues_when_the_request_for_a_prediction_fails(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    page.route("**/reveal", lambda route: route.fulfill(status=500, body="broken"))
    rate(page, "w", "5")
    rate(page, "n", "6")
    expect_saved(page)
    expect(page.get_by_role("alert")).to_be_hidden()
    assert Annotation.objects.count() == 2

"""The hint after a score that is unusual for the person, and what a reviewer would say on the page of a photo."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Campaign, Image
from inference.models import ModelVersion, PersonalFit, PersonalLine, Prediction
from tests.browser.annotating import DESKTOP, PHONE, current_answer, expect_saved, rate, shown_photo
from tests.opinions_and_predictions import vote

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HINT = "Score 1 is unusual for you. Undo?"


@pytest.fixture
def photos(campaign: Campaign, make_image: Callable[..., Any], people: Any) -> list[Image]:
    """Photos with predictions around 6.2; alice and rita usually give two points more."""
    Campaign.objects.update(mode="reveal")
    photos = [make_image(seed) for seed in range(6)]
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
    fit = PersonalFit.objects.create(
        model_version=version,
        annotation_id=0,
        answers=80,
        feature_mean=b"",
        feature_spread=b"",
        centre=6.2,
        vote_variance=2.0,
        surprising=2.6,
        made_at=timezone.now(),
    )
    for name in ("alice", "rita"):
        PersonalLine.objects.create(
            fit=fit,
            annotator=people[name],
            answers=40,
            bias=2.0,
            gain=0.0,
            deviation=1.1,
            weights=b"",
            image_ids=[],
            left_out=[],
        )
    return photos


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_unusual_score_gets_a_hint_and_undo_takes_it_away(annotate: Any, photos: list[Image], options: Any) -> None:
    page = annotate(**options)
    line = page.locator("#previous")
    rate(page, "n", "8")
    expect(line).to_contain_text("Last: no watch, 8")
    expect(line).to_contain_text("model 6.2")
    expect(line).not_to_contain_text("unusual")
    first = rate(page, "n", "1")
    expect(line).to_contain_text(HINT)
    expect(page.locator("#announce")).to_contain_text(HINT)
    page.get_by_role("button", name="Undo").click()
    assert shown_photo(page) == first
    rate(page, "9")  # the watch label stays
    expect(line).to_contain_text("Last: no watch, 9")
    expect(line).not_to_contain_text("unusual")
    expect_saved(page)
    assert current_answer(first).score == 9


def test_after_three_ignored_hints_there_is_none(annotate: Any, photos: list[Image]) -> None:
    page = annotate()
    line = page.locator("#previous")
    for _ in range(3):
        rate(page, "n", "1")
        expect(line).to_contain_text(HINT)
    rate(page, "n", "1")
    expect(line).to_contain_text("model 6.2")
    expect(line).not_to_contain_text("unusual")


def test_a_reviewer_opens_what_they_would_say_with_the_keyboard(
    open_page: Callable[..., Any], photos: list[Image], people: Any
) -> None:
    vote(photos[0], people["rita"], 8)
    page = open_page(f"/campaigns/watches/photos/{photos[0].pk}/", "rita")
    summary = page.get_by_text("What I would say")
    expect(page.get_by_text("of your answers, without those to this photo")).to_be_hidden()
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Learned from 40 of your answers, without those to this photo.")).to_be_visible()
    expect(page.get_by_text("8.2", exact=False).first).to_be_visible()

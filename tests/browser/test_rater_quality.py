"""The page Annotator quality is readable on a desktop and a phone, in both colour schemes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Campaign, ScreeningDecision, User
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "/campaigns/watches/annotator-quality/"
WIDTHS = [pytest.param(1280, 900, id="desktop"), pytest.param(390, 844, id="phone")]


@pytest.fixture
def answered(campaign: Campaign, people: dict[str, Any], rng: np.random.Generator) -> None:
    """60 photos. Alice and bob see the prediction first on half of them. Simulated ada always answers 5 or skips."""
    Campaign.objects.update(anchoring_share=0.2, repeat_share=0.1, mode="blind")
    User.objects.filter(pk=people["ada"].pk).update(is_simulated=True)
    images = images_make(campaign, 60)
    quality = rng.uniform(3, 8, 60)
    shown = (quality + rng.choice([-1.5, 1.5], 60)).clip(1, 10)
    predictions_make(version_make(campaign), images, shown)
    for number, image in enumerate(images):
        for name, anchored in (("alice", number % 2 == 0), ("bob", number % 2 == 1)):
            opinion = quality[number] + anchored * 0.5 * (shown[number] - quality[number])
            score = int(np.clip(np.rint(opinion + rng.normal(0, 0.8)), 1, 10))
            fields = {"milliseconds": int(rng.integers(1500, 6000)), "viewing": {"input": "keys"}}
            vote(image, people[name], score, is_anchored=anchored, saw_prediction=anchored, **fields)
            if number < 15:
                vote(image, people[name], int(np.clip(score + rng.integers(-1, 2), 1, 10)), is_repeat=True)
        if number < 30:
            vote(image, people["ada"], 5, "unsure", milliseconds=400, viewing={"input": "touch"})
        elif number < 50:
            vote(image, people["ada"], None, "", skip_reason="Another reason")  # type: ignore[arg-type]
    campaign.images.filter(pk__in=[image.pk for image in images[:6]]).update(role="gold", expected_score=9)
    assert Annotation.objects.filter(is_anchored=True).count() == 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_the_page_is_readable(
    answered: None, open_page: Callable[..., Page], width: int, height: int, scheme: str
) -> None:
    page = open_page(PAGE, "rita", viewport={"width": width, "height": height}, color_scheme=scheme)
    expect(page.get_by_role("heading", name="Seeing the prediction first moves scores")).to_be_visible()
    drawing = page.locator(".anchoring svg").bounding_box()
    assert drawing is not None
    assert drawing["x"] >= 0
    assert drawing["x"] + drawing["width"] <= width
    for label in page.locator(".anchoring svg text").all():
        box = label.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_text("skipped 20 of the last 50 photos", exact=True)).to_be_visible()
    table = page.locator(".table-scroll").first
    assert table.evaluate("one => one.scrollWidth <= one.clientWidth"), "no column is cut"
    if width < 1000:
        expect(table.get_by_role("cell", name="Rank correlation").first).to_be_visible()
    page.get_by_text("What the columns mean").click()
    expect(page.get_by_text("no votes")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_a_reviewer_decides_by_keyboard_and_undoes_it(
    answered: None, open_page: Callable[..., Page], width: int, height: int
) -> None:
    page = open_page(PAGE, "rita", viewport={"width": width, "height": height})
    row = page.locator("tbody").filter(has=page.get_by_role("rowheader", name="ada"))
    expect(row.locator(".mark")).to_have_text("check")
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    form = row.get_by_role("group", name="Decide about ada")
    form.get_by_label("exclude: the votes count for nothing").focus()
    page.keyboard.press("Space")
    reason = row.get_by_label("Reason")
    box = reason.bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= box["x"] + box["width"] <= width
    reason.focus()
    page.keyboard.type("the same score for every photo")
    page.keyboard.press("Enter")
    expect(page.get_by_text("ada: excluded.")).to_be_visible()
    expect(row.get_by_role("rowheader")).to_contain_text("excluded")
    row.locator("summary").click()
    row.get_by_role("button", name="Undo this decision about ada").click()
    expect(row.get_by_role("rowheader")).not_to_contain_text("excluded")


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_a_reviewer_lets_the_votes_count_for_a_part(
    answered: None, campaign: Campaign, open_page: Callable[..., Page], width: int, height: int
) -> None:
    page = open_page(PAGE, "rita", viewport={"width": width, "height": height})
    row = page.locator("tbody").filter(has=page.get_by_role("rowheader", name="bob"))
    row.locator("summary").click()
    weight = row.get_by_label("Weight of a vote")
    expect(weight).to_be_hidden()
    row.get_by_role("group", name="Decide about bob").get_by_label("down-weight").check()
    expect(weight).to_have_value("50")
    box = weight.bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= box["x"] + box["width"] <= width
    weight.fill("30")
    row.get_by_label("Reason").fill("often distracted")
    row.get_by_role("button", name="Save decision").click()
    expect(row.get_by_role("rowheader")).to_contain_text("each vote counts 30 %")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    photo = campaign.images.filter(role="rated").order_by("-pk")[1]  # bob rated it blind
    page.goto(page.url.split("/campaigns/")[0] + f"/campaigns/watches/photos/{photo.pk}/")
    answer = page.locator("table.answers tr").filter(has_text="bob").first
    expect(answer).to_contain_text("30 %")


def test_an_annotator_confirms_that_they_read_the_instructions(
    campaign: Campaign, people: dict[str, Any], open_page: Callable[..., Page]
) -> None:
    ScreeningDecision.objects.create(
        campaign=campaign,
        annotator=people["alice"],
        decision="reread",
        reason="Clocks count",
        decided_by=people["rita"],
    )
    page = open_page("/campaigns/watches/annotate/", "alice")
    expect(page.get_by_role("dialog")).to_contain_text(
        "A reviewer asks you to read the instructions again. “Clocks count”"
    )
    page.get_by_role("button", name="I have read them").click()
    expect(page.get_by_text("A reviewer asks you")).to_have_count(0)
    expect(page.locator("#help")).to_be_hidden()
    assert ScreeningDecision.objects.get().read_at is not None

"""The dialog that the text "Saved" opens: it compares the answers of this browser with the server."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from playwright.sync_api import expect

from annotation.models import Annotation, Campaign, Image
from tests.browser.annotating import DESKTOP, PHONE
from tests.browser.keeping import (
    ANSWERS_URL,
    block_answers,
    correct_previous,
    expect_all_saved,
    expect_unsent_count,
    open_panel,
    rate_one,
    rate_photos,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(40)]


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_panel_compares_this_browser_with_the_server(annotate: Any, device: dict[str, Any]) -> None:
    page = annotate(**device)
    given = rate_photos(page, 2)
    expect_all_saved(page, given)
    panel = open_panel(page)
    expect(panel).to_contain_text("All 2 answers from this browser are on the server.")
    expect(panel).to_contain_text("2 ratings and 0 skips of yours in this campaign")
    expect(panel.get_by_role("button", name="Send now")).to_be_hidden()
    panel.get_by_text("Answers given in this browser").click()
    expect(panel.get_by_role("row")).to_have_count(3)
    expect(panel.get_by_role("row").nth(1)).to_contain_text("watch, 2")
    expect(panel.get_by_role("row").nth(1)).to_contain_text("on the server")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = panel.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= page.viewport_size["width"]
    page.keyboard.press("Escape")
    assert Annotation.objects.count() == 2, "keys pressed in the panel are not answers"


def test_the_panel_shows_unsent_answers_with_the_reason_and_downloads_them(annotate: Any) -> None:
    page = annotate()
    block_answers(page.context)
    given = rate_photos(page, 2)
    expect_unsent_count(page, 2)
    panel = open_panel(page)
    expect(panel).to_contain_text("2 answers are not on the server yet. They are kept in this browser")
    expect(panel).to_contain_text("the server cannot be reached. This page tries again automatically.")
    with page.expect_download() as download:
        panel.get_by_role("button", name="Download unsent answers").click()
    answers = json.loads(download.value.path().read_text())["answers"]
    assert {one["body"]["image_id"]: one["body"]["score"] for one in answers} == given
    assert answers[0]["url"] == "/api/campaigns/watches/annotations"
    page.context.unroute(ANSWERS_URL)
    panel.get_by_role("button", name="Send now").click()
    expect(panel).to_contain_text("All 2 answers from this browser are on the server.")
    page.keyboard.press("Escape")
    expect_all_saved(page, given)


def test_a_discarded_answer_is_not_shown_as_saved(annotate: Any) -> None:
    page = annotate()
    expect_all_saved(page, rate_photos(page, 1))
    Campaign.objects.update(scale_max=5, pending_at=5)
    rate_one(page, 9)
    page.get_by_role("button", name="Discard").click()
    panel = open_panel(page)
    expect(panel).to_contain_text("The answer from this browser is on the server.")
    expect(panel).to_contain_text("1 refused by the server and discarded by you")


def test_an_answer_that_the_server_lost_is_shown_and_can_be_sent_again(annotate: Any) -> None:
    page = annotate()
    given = rate_photos(page, 1)
    given |= dict([correct_previous(page, 5)])
    given |= rate_photos(page, 1, first=8)
    expect_all_saved(page, given)
    Annotation.objects.all()._raw_delete("default")  # as after the restore of an older backup
    panel = open_panel(page)
    expect(panel).to_contain_text("3 saved answers are missing on the server.")
    panel.get_by_role("button", name="Send 3 answers again").click()
    expect(panel).to_contain_text("All 3 answers from this browser are on the server.")
    page.keyboard.press("Escape")
    expect_all_saved(page, given)
    assert Annotation.objects.count() == 3


def test_a_lost_answer_with_a_later_answer_to_the_same_photo_is_not_reported(annotate: Any) -> None:
    page = annotate()
    given = rate_photos(page, 1)
    given |= dict([correct_previous(page, 5)])
    expect_all_saved(page, given)
    first_id = Annotation.objects.get(supersedes=None).pk
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotation_annotation WHERE id = %s", [first_id])
        cursor.execute(
            "UPDATE annotation_annotation SET supersedes_id = NULL, replaces_vote_id = NULL, "
            "is_blind = NOT saw_prediction WHERE supersedes_id = %s",
            [first_id],
        )
    panel = open_panel(page)
    expect(panel).not_to_contain_text("missing on the server")
    panel.get_by_text("Answers given in this browser").click()
    expect(panel.get_by_role("row").nth(2)).to_contain_text("replaced by a later answer")

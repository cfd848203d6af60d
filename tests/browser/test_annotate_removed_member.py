"""A person is removed from the campaign while answers wait in the browser: none is lost."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Annotation, Assignment, Campaign, Image, Membership, Role
from annotation.services.members import member_remove, member_set
from tests.browser.keeping import (
    ANSWERS_URL,
    block_answers,
    expect_all_saved,
    expect_unsent_count,
    open_panel,
    origin_of,
    rate_photos,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG_AGO = timedelta(days=30)


@pytest.fixture(autouse=True)
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(12)]


def remove(name: str = "alice") -> None:
    member_remove(membership=Membership.objects.get(user__username=name))


def connect_again(page: Any) -> None:
    page.context.unroute(ANSWERS_URL)
    page.evaluate("dispatchEvent(new Event('online'))")


def test_waiting_answers_of_a_removed_member_arrive(annotate: Any) -> None:
    page = annotate()
    block_answers(page.context)
    given = rate_photos(page, 3)
    expect_unsent_count(page, 3)
    remove()
    connect_again(page)
    expect_all_saved(page, given)
    expect(open_panel(page)).to_contain_text("All 3 answers from this browser are on the server.")


def test_refused_answers_can_be_saved_as_a_file_and_sent_after_the_person_is_a_member_again(
    annotate: Any, campaign: Campaign, people: dict[str, Any]
) -> None:
    page = annotate()
    block_answers(page.context)
    given = rate_photos(page, 3)
    expect_unsent_count(page, 3)
    remove()
    Assignment.objects.update(expires_at=timezone.now() - LONG_AGO)  # the page was offline for a month
    connect_again(page)
    trouble = page.get_by_role("alert")
    expect(trouble).to_contain_text("The server refused 3 ratings: You are no longer a member of this campaign")
    expect(trouble).to_contain_text("Ask an admin of the campaign to add you again, then send the answer again.")
    with page.expect_download() as download:
        trouble.get_by_role("button", name="Save as a file").click()
    answers = json.loads(download.value.path().read_text())["answers"]
    assert {one["body"]["image_id"]: one["body"]["score"] for one in answers} == given
    trouble.get_by_role("button", name="Send again").click()
    expect(trouble).to_contain_text("refused 3 ratings")  # still no member
    member_set(campaign=campaign, user=people["alice"], role=Role.ANNOTATOR)
    trouble.get_by_role("button", name="Send again").click()
    expect_all_saved(page, given)
    expect(trouble).to_be_hidden()


def test_the_list_of_campaigns_sends_answers_that_the_closed_annotate_page_has_left(annotate: Any) -> None:
    page = annotate()
    block_answers(page.context)
    given = rate_photos(page, 3)
    expect_unsent_count(page, 3)
    remove()
    page.goto(f"{origin_of(page)}/")
    notice = page.locator("#unsent")
    expect(notice).to_contain_text("3 answers of yours wait in this browser. The server cannot be reached.")
    with page.expect_download() as download:
        notice.get_by_role("button", name="Save as a file").click()
    assert len(json.loads(download.value.path().read_text())["answers"]) == 3
    connect_again(page)
    expect(notice).to_contain_text("All answers from this browser are on the server.")
    assert {row.image_id: row.score for row in Annotation.objects.all()} == given


def test_the_list_of_campaigns_keeps_refused_answers(annotate: Any, campaign: Campaign, people: dict[str, Any]) -> None:
    page = annotate()
    block_answers(page.context)
    given = rate_photos(page, 2)
    expect_unsent_count(page, 2)
    remove()
    Assignment.objects.update(expires_at=timezone.now() - LONG_AGO)
    page.context.unroute(ANSWERS_URL)
    page.goto(f"{origin_of(page)}/")
    notice = page.locator("#unsent")
    expect(notice).to_contain_text("The server refused 2: You are no longer a member of this campaign")
    member_set(campaign=campaign, user=people["alice"], role=Role.ANNOTATOR)
    notice.get_by_role("button", name="Send again").click()
    expect(notice).to_contain_text("All answers from this browser are on the server.")
    assert {row.image_id: row.score for row in Annotation.objects.all()} == given


def test_the_list_of_campaigns_shows_nothing_when_no_answer_waits(open_page: Callable[..., Any]) -> None:
    page = open_page("/", "alice")
    expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#unsent")).to_be_hidden()
